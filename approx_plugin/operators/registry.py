"""All operators that are supported. The reader knows no other list.

To add an operator:
1. Write `operators/<kind>.py` with a frozen dataclass below `Operator`: its parameters as fields, and `kind`, `read`,
   `compute`; `macs` and `parameter_bytes` if it has any. `max_pool2d.py` and `add.py` are short examples; `reading.py`
   has the checks that most operators need.
2. Add its class to `_CLASSES` below.
3. Give it a kernel: `kernels/cmsis_nn/registry.py` and `kernels/registry.py` say how.
4. Add a case to tests/operators: the shared tests then compare it with the naive and the TensorFlow Lite reference.
"""

from __future__ import annotations

from collections.abc import Mapping

from approx_plugin.model.operator import Operator
from approx_plugin.operators.add import Add
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pad import Pad
from approx_plugin.operators.reshape import Reshape
from approx_plugin.operators.softmax import Softmax

_CLASSES: tuple[type[Operator], ...] = (
    Add,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    MaxPool2D,
    Pad,
    Reshape,
    Softmax,
)

OPERATORS: Mapping[str, type[Operator]] = {operator.kind: operator for operator in _CLASSES}
"""TFLite's name -> class."""

HINTS: Mapping[str, str] = {
    "CONCATENATION": "add the branches instead of concatenating them",
    "HARD_SWISH": "train with ReLU or ReLU6",
    "LEAKY_RELU": "train with ReLU or ReLU6",
    "LOGISTIC": "train with ReLU or ReLU6; as the last layer, leave it out and compare with a threshold",
    "MEAN": "use AveragePooling2D with the map's size (GlobalAveragePooling2D becomes MEAN)",
    "MUL": "fold the factor into the weights before it",
    "PADV2": "pad with zeros (PAD)",
    "RELU": "fuse the activation into the layer before it (activation='relu')",
    "RELU6": "fuse the activation into the layer before it (activation='relu6')",
    "SQUEEZE": "use Reshape or Flatten",
    "SUB": "use Add with negated weights",
    "TANH": "train with ReLU or ReLU6",
    "TRANSPOSE": "export with channels last (NHWC), so that no transposition is left",
    "TRANSPOSE_CONV": "use a convolution",
}
"""What helps against some operators that are not supported, by TFLite's name."""


def operator_name(kind: str, index: int) -> str:
    """The C identifier of operator `index`: CONV_2D and 3 give "conv2d_3"."""
    return f"{kind.lower().replace('_2d', '2d')}_{index}"
