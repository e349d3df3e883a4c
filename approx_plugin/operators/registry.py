"""All operators that are supported. The reader knows no other list.

To add an operator:
1. Copy `operators/TEMPLATE.py` to `operators/<kind>.py`: a frozen dataclass below `Operator` with its parameters as
   fields, and `kind`, `read`, `compute`; `macs` and `parameter_bytes` if it has any.
2. Add its class to `_CLASSES` below.
3. Give it a kernel: `kernels/portable/registry.py`, `kernels/cmsis_nn/registry.py` or `kernels/registry.py` say how.
   Operators below `Selection`, `Table` and `Reduction` have one already.
4. Add a case to tests/support/operator_cases.py: the shared tests then compare it with the TensorFlow Lite reference,
   and its code with it. Write docs/operators.md again: `python -m approx_plugin.kernels.listing`.
"""

from __future__ import annotations

from collections.abc import Mapping

from approx_plugin.model.operator import Operator
from approx_plugin.operators.add import Add, Sub
from approx_plugin.operators.arg_max import ArgMax, ArgMin
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.batch_matmul import BatchMatmul
from approx_plugin.operators.blocks import BatchToSpace, DepthToSpace, SpaceToBatch, SpaceToDepth
from approx_plugin.operators.concatenation import Concatenation, Pack
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.extremum import Maximum, Minimum
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.gather import BroadcastTo, Gather, Reverse, Tile
from approx_plugin.operators.hard_swish import HardSwish
from approx_plugin.operators.l2_normalization import L2Normalization
from approx_plugin.operators.log_softmax import LogSoftmax
from approx_plugin.operators.lstm import UnidirectionalSequenceLstm
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.mul import Mul
from approx_plugin.operators.pad import MirrorPad, Pad, PadV2
from approx_plugin.operators.prelu import Prelu
from approx_plugin.operators.rectifiers import Abs, LeakyRelu, Quantize, Relu, Relu0To1, Relu6, ReluN1To1
from approx_plugin.operators.reduction import Mean, ReduceMax, ReduceMin, Sum
from approx_plugin.operators.reshape import ExpandDims, Reshape, Squeeze
from approx_plugin.operators.resize_bilinear import ResizeBilinear
from approx_plugin.operators.resize_nearest_neighbor import ResizeNearestNeighbor
from approx_plugin.operators.rsqrt import Rsqrt
from approx_plugin.operators.slices import Slice, Split, SplitV, StridedSlice, Unpack
from approx_plugin.operators.smooth import Elu, Exp, Gelu, Logistic, Tanh
from approx_plugin.operators.softmax import Softmax
from approx_plugin.operators.svdf import SvdfFeatures, SvdfTime
from approx_plugin.operators.transpose import Transpose
from approx_plugin.operators.transpose_conv import TransposeConv
from approx_plugin.operators.wide_softmax import WideSoftmax

_CLASSES: tuple[type[Operator], ...] = (
    Abs,
    Add,
    ArgMax,
    ArgMin,
    AveragePool2D,
    BatchMatmul,
    BatchToSpace,
    BroadcastTo,
    Concatenation,
    Conv2D,
    DepthToSpace,
    DepthwiseConv2D,
    Elu,
    Exp,
    ExpandDims,
    FullyConnected,
    Gather,
    Gelu,
    HardSwish,
    L2Normalization,
    LeakyRelu,
    LogSoftmax,
    Logistic,
    Maximum,
    MaxPool2D,
    Mean,
    Minimum,
    MirrorPad,
    Mul,
    Pack,
    Pad,
    PadV2,
    Prelu,
    Quantize,
    ReduceMax,
    ReduceMin,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Reshape,
    ResizeBilinear,
    ResizeNearestNeighbor,
    Reverse,
    Rsqrt,
    Slice,
    Softmax,
    SpaceToBatch,
    SpaceToDepth,
    Split,
    SplitV,
    Squeeze,
    StridedSlice,
    Sub,
    Sum,
    SvdfFeatures,
    SvdfTime,
    Tanh,
    Tile,
    Transpose,
    TransposeConv,
    UnidirectionalSequenceLstm,
    Unpack,
    WideSoftmax,
)

OPERATORS: Mapping[str, type[Operator]] = {operator.kind: operator for operator in _CLASSES}
"""TFLite's name -> class."""

PARTS = frozenset({SvdfTime.kind, WideSoftmax.kind})
"""Kinds that no file names: what the reader makes of one that is not computed as it stands there."""

_RECURRENT = "of recurrent layers, LSTM (unrolled=False) and SVDF are supported: use these, or convolutions over time"

HINTS: Mapping[str, str] = {
    "CALL_ONCE": "export without variables: the state belongs to the application",
    "ASSIGN_VARIABLE": "export without variables: the state belongs to the application",
    "READ_VARIABLE": "export without variables: the state belongs to the application",
    "VAR_HANDLE": "export without variables: the state belongs to the application",
    "LSTM": _RECURRENT,
    "RNN": _RECURRENT,
    "TOPK_V2": "leave it out: the largest outputs are found by the application",
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "WHILE": "export without loops",
}
"""What helps against some operators that are not supported, by TFLite's name."""


def operator_name(kind: str, index: int) -> str:
    """The C identifier of operator `index`: CONV_2D and 3 give "conv2d_3"."""
    return f"{kind.lower().replace('_2d', '2d')}_{index}"
