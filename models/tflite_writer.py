"""Writes .tflite files: from plain arrays to the bytes that an interpreter loads.

The layer methods of `ModelBuilder` make valid int8 networks and work out output shapes:

    builder = ModelBuilder()
    x = builder.input((1, 8, 8, 1), scale=1 / 255, zero_point=-128)
    x = builder.conv2d(x, weights, weight_scales, bias, scale=0.05, zero_point=-128, activation="RELU")
    x = builder.max_pool2d(x, (2, 2))
    builder.output(builder.softmax(x))
    Path("net.tflite").write_bytes(builder.build())

`tensor` and `operator` below them write anything that the format can say, wrong things included: other element types,
dynamic shapes, tensors without quantization, operators that nobody supports, several inputs or subgraphs. That is what
tests of a reader need. Nothing is checked there. The same calls give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt
import tflite
from tflite_format import Operator, Options, Subgraph, Tensor, write_model

Pair = tuple[int, int]
Scale = Union[float, Sequence[float], npt.NDArray[np.floating[Any]]]
ZeroPoint = Union[int, Sequence[int]]

_VERSIONS = {
    # The first version of each operator that takes int8 tensors (tensorflow/lite/tools/versioning/op_version.cc).
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "MAX_POOL_2D": 2,
    "AVERAGE_POOL_2D": 2,
    "ADD": 2,
    "SOFTMAX": 2,
    "PAD": 2,
    "DEQUANTIZE": 2,
    "BROADCAST_TO": 2,
    "SVDF": 3,
    "BATCH_MATMUL": 2,
    "L2_NORMALIZATION": 2,
    "LOG_SOFTMAX": 2,
    "RSQRT": 2,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
}


class ModelBuilder:
    """Collects tensors and operators; `build` writes them. Operators run in the order in which they were added."""

    def __init__(self, description: str = "") -> None:
        """`description` goes into the file as it is."""
        self._description = description
        self._buffers: list[bytes] = [b""]  # number 0 is empty by convention: tensors without constant data
        self._codes: list[tuple[str, str, int]] = []
        self._subgraphs = [Subgraph("main")]

    # ---- anything that the format can say

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        *,
        name: str = "",
        scale: Scale | None = None,
        zero_point: ZeroPoint = 0,
        axis: int = 0,
        data: npt.NDArray[Any] | bytes | None = None,
        shape_signature: Sequence[int] | None = None,
        variable: bool = False,
    ) -> Tensor:
        """A tensor in the current subgraph; a constant if `data` is given.

        scale:      None for no quantization, one number per tensor, or several: one a channel of dimension `axis`.
        zero_point: one number for all channels, or one a channel.
        data:       an array, converted to `dtype`, or bytes that are stored as they are, of any length.
        shape_signature: with -1 for dynamic dimensions.
        variable:   whether it keeps its value from one inference to the next.
        """
        graph = self._subgraphs[-1]
        scales = () if scale is None else tuple(float(np.float32(s)) for s in np.atleast_1d(np.asarray(scale)))
        zero_points = tuple(int(z) for z in np.broadcast_to(np.atleast_1d(np.asarray(zero_point)), len(scales)))
        buffer = 0
        if data is not None:
            raw = data if isinstance(data, bytes) else np.ascontiguousarray(data, dtype=np.dtype(dtype)).tobytes()
            buffer = len(self._buffers)
            self._buffers.append(raw)
        added = Tensor(
            index=len(graph.tensors),
            shape=tuple(int(extent) for extent in shape),
            dtype=dtype,
            name=name or f"tensor_{len(graph.tensors)}",
            scale=scales,
            zero_point=zero_points,
            axis=axis,
            buffer=buffer,
            shape_signature=None if shape_signature is None else tuple(shape_signature),
            variable=variable,
        )
        graph.tensors.append(added)
        return added

    def operator(
        self,
        builtin: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        options: Options | None = None,
        *,
        custom_code: str = "",
        version: int | None = None,
        intermediates: Sequence[Tensor] = (),
    ) -> None:
        """An operator by the schema's name ("CONV_2D"). None among the inputs stands for an optional one left out.

        intermediates: tensors that only say how something inside is quantized.
        """
        code = (builtin, custom_code, version or _VERSIONS.get(builtin, 1))
        if code not in self._codes:
            self._codes.append(code)
        self._subgraphs[-1].operators.append(
            Operator(
                self._codes.index(code),
                tuple(-1 if tensor is None else tensor.index for tensor in inputs),
                tuple(tensor.index for tensor in outputs),
                options,
                tuple(tensor.index for tensor in intermediates),
            )
        )

    def input(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        zero_point: int = 0,
        *,
        dtype: str = "int8",
        name: str = "input",
        shape_signature: Sequence[int] | None = None,
    ) -> Tensor:
        """A tensor that goes into the current subgraph."""
        added = self.tensor(
            shape, dtype, name=name, scale=scale, zero_point=zero_point, shape_signature=shape_signature
        )
        self._subgraphs[-1].inputs.append(added.index)
        return added

    def output(self, *tensors: Tensor) -> None:
        """Tensors that come out of the current subgraph."""
        self._subgraphs[-1].outputs.extend(tensor.index for tensor in tensors)

    def subgraph(self, name: str) -> None:
        """Start another subgraph; whatever is added from now on belongs to it."""
        self._subgraphs.append(Subgraph(name))

    # ---- int8 layers

    def conv2d(
        self,
        x: Tensor,
        weights: npt.NDArray[np.int8],
        weight_scale: Scale,
        bias: npt.NDArray[np.int32] | None = None,
        *,
        scale: float,
        zero_point: int = 0,
        stride: Pair = (1, 1),
        padding: str = "SAME",
        dilation: Pair = (1, 1),
        activation: str = "NONE",
        name: str = "",
    ) -> Tensor:
        """CONV_2D. weights: int8 [out_channels, kernel_h, kernel_w, in_channels]; weight_scale: one, or one a channel.

        bias: int32 [out_channels] in units of x.scale * weight_scale. scale, zero_point: of the output.
        """
        name = name or self._name("conv2d")
        constants = self._weights(x, weights, weight_scale, bias, axis=0, name=name)
        shape = (x.shape[0], *_window(x.shape, weights.shape[1:3], stride, dilation, padding), weights.shape[0])
        options = Options("Conv2DOptions", {**_sliding(stride, padding, activation), **_dilating(dilation)})
        return self._append("CONV_2D", [x, *constants], shape, (scale, zero_point), options=options, name=name)

    def depthwise_conv2d(
        self,
        x: Tensor,
        weights: npt.NDArray[np.int8],
        weight_scale: Scale,
        bias: npt.NDArray[np.int32] | None = None,
        *,
        scale: float,
        zero_point: int = 0,
        stride: Pair = (1, 1),
        padding: str = "SAME",
        dilation: Pair = (1, 1),
        activation: str = "NONE",
        name: str = "",
    ) -> Tensor:
        """DEPTHWISE_CONV_2D. weights: int8 [1, kernel_h, kernel_w, channels * multiplier]; the rest as in `conv2d`."""
        name = name or self._name("depthwise_conv2d")
        constants = self._weights(x, weights, weight_scale, bias, axis=3, name=name)
        shape = (x.shape[0], *_window(x.shape, weights.shape[1:3], stride, dilation, padding), weights.shape[3])
        fields = {**_sliding(stride, padding, activation), **_dilating(dilation)}
        options = Options("DepthwiseConv2DOptions", {**fields, "DepthMultiplier": weights.shape[3] // x.shape[3]})
        return self._append(
            "DEPTHWISE_CONV_2D", [x, *constants], shape, (scale, zero_point), options=options, name=name
        )

    def fully_connected(
        self,
        x: Tensor,
        weights: npt.NDArray[np.int8],
        weight_scale: Scale,
        bias: npt.NDArray[np.int32] | None = None,
        *,
        scale: float,
        zero_point: int = 0,
        activation: str = "NONE",
        name: str = "",
    ) -> Tensor:
        """FULLY_CONNECTED. weights: int8 [outputs, inputs]; `x` becomes [-1, inputs]; the rest as in `conv2d`."""
        name = name or self._name("fully_connected")
        constants = self._weights(x, weights, weight_scale, bias, axis=0, name=name)
        shape = (_count(x.shape) // weights.shape[1], weights.shape[0])
        options = Options("FullyConnectedOptions", {"FusedActivationFunction": _activation(activation)})
        return self._append("FULLY_CONNECTED", [x, *constants], shape, (scale, zero_point), options=options, name=name)

    def max_pool2d(
        self,
        x: Tensor,
        size: Pair,
        *,
        stride: Pair | None = None,
        padding: str = "VALID",
        activation: str = "NONE",
        name: str = "",
    ) -> Tensor:
        """MAX_POOL_2D; the stride is `size` if none is given. The output has the input's quantization."""
        return self._pool(
            "MAX_POOL_2D", x, size, stride=stride or size, padding=padding, activation=activation, name=name
        )

    def average_pool2d(
        self,
        x: Tensor,
        size: Pair,
        *,
        stride: Pair | None = None,
        padding: str = "VALID",
        activation: str = "NONE",
        name: str = "",
    ) -> Tensor:
        """AVERAGE_POOL_2D; the stride is `size` if none is given. The output has the input's quantization."""
        return self._pool(
            "AVERAGE_POOL_2D", x, size, stride=stride or size, padding=padding, activation=activation, name=name
        )

    def add(
        self, a: Tensor, b: Tensor, *, scale: float, zero_point: int = 0, activation: str = "NONE", name: str = ""
    ) -> Tensor:
        """ADD of two tensors of one shape."""
        options = Options("AddOptions", {"FusedActivationFunction": _activation(activation)})
        return self._append("ADD", [a, b], a.shape, (scale, zero_point), options=options, name=name)

    def reshape(self, x: Tensor, shape: Sequence[int], *, name: str = "") -> Tensor:
        """RESHAPE; one extent may be -1."""
        known = [extent for extent in shape if extent != -1]
        full = tuple(_count(x.shape) // _count(known) if extent == -1 else extent for extent in shape)
        name = name or self._name("reshape")
        target = self.tensor((len(full),), "int32", name=f"{name}/shape", data=np.array(full))
        return self._append(
            "RESHAPE", [x, target], full, _quantization(x), options=Options("ReshapeOptions", {}), name=name
        )

    def softmax(self, x: Tensor, *, beta: float = 1.0, name: str = "") -> Tensor:
        """SOFTMAX. Its int8 output always has scale 1/256 and zero point -128."""
        options = Options("SoftmaxOptions", {"Beta": beta})
        return self._append("SOFTMAX", [x], x.shape, (1 / 256, -128), options=options, name=name)

    def pad(self, x: Tensor, paddings: Sequence[Pair], *, name: str = "") -> Tensor:
        """PAD with the zero point: (before, after) for every dimension."""
        name = name or self._name("pad")
        amounts = self.tensor((len(paddings), 2), "int32", name=f"{name}/paddings", data=np.array(paddings))
        shape = tuple(extent + sum(pair) for extent, pair in zip(x.shape, paddings))
        return self._append("PAD", [x, amounts], shape, _quantization(x), options=Options("PadOptions", {}), name=name)

    def layer(
        self,
        builtin: str,
        inputs: Sequence[Tensor | None],
        shape: Sequence[int],
        *,
        scale: float | None = None,
        zero_point: int | None = None,
        options: Options | None = None,
        name: str = "",
    ) -> Tensor:
        """Any operator with one int8 output of `shape`; its quantization is that of the first input unless given."""
        first = next(tensor for tensor in inputs if tensor is not None)
        own_scale, own_zero_point = _quantization(first)
        result = self.tensor(
            shape,
            name=name or self._name(builtin.lower()),
            scale=own_scale if scale is None else scale,
            zero_point=own_zero_point if zero_point is None else zero_point,
        )
        self.operator(builtin, inputs, [result], options)
        return result

    def numbers(self, values: Sequence[int] | npt.NDArray[Any], *, dtype: str = "int32", name: str = "") -> Tensor:
        """A constant of whole numbers, as axes, sizes and places are given."""
        array = np.array(values)
        return self.tensor(array.shape, dtype, name=name, data=array)

    def quantize(self, x: Tensor, *, scale: float, zero_point: int = 0, name: str = "") -> Tensor:
        """QUANTIZE: float32 to int8, or int8 to int8 with another scale."""
        options = Options("QuantizeOptions", {})
        return self._append("QUANTIZE", [x], x.shape, (scale, zero_point), options=options, name=name)

    def dequantize(self, x: Tensor, *, name: str = "") -> Tensor:
        """DEQUANTIZE: int8 to float32."""
        result = self.tensor(x.shape, "float32", name=name or self._name("dequantize"))
        self.operator("DEQUANTIZE", [x], [result], Options("DequantizeOptions", {}))
        return result

    def build(self) -> bytes:
        """The file. The builder can go on to grow afterwards."""
        return write_model(self._description, self._buffers, self._codes, self._subgraphs)

    def _name(self, kind: str) -> str:
        return f"{kind}_{len(self._subgraphs[-1].operators)}"

    def _append(
        self,
        builtin: str,
        inputs: Sequence[Tensor],
        shape: Sequence[int],
        quantization: tuple[Scale | None, int],
        *,
        options: Options,
        name: str,
    ) -> Tensor:
        scale, zero_point = quantization
        result = self.tensor(shape, name=name or self._name(builtin.lower()), scale=scale, zero_point=zero_point)
        self.operator(builtin, inputs, [result], options)
        return result

    def _pool(
        self, builtin: str, x: Tensor, size: Pair, *, stride: Pair, padding: str, activation: str, name: str
    ) -> Tensor:
        shape = (x.shape[0], *_window(x.shape, size, stride, (1, 1), padding), x.shape[3])
        fields = {**_sliding(stride, padding, activation), "FilterHeight": size[0], "FilterWidth": size[1]}
        return self._append(builtin, [x], shape, _quantization(x), options=Options("Pool2DOptions", fields), name=name)

    def _weights(
        self,
        x: Tensor,
        weights: npt.NDArray[np.int8],
        scale: Scale,
        bias: npt.NDArray[np.int32] | None,
        *,
        axis: int,
        name: str,
    ) -> list[Tensor]:
        """The constants of a layer. The bias is quantized with x.scale * weight scale: the format wants it so."""
        scales = np.atleast_1d(np.asarray(scale, dtype=np.float32))
        constants = [self.tensor(weights.shape, name=f"{name}/weights", scale=scales, axis=axis, data=weights)]
        if bias is not None:
            bias_scales = scales * np.float32(x.scale[0]) if x.scale else None
            constants.append(self.tensor(bias.shape, "int32", name=f"{name}/bias", scale=bias_scales, data=bias))
        return constants


def _count(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _quantization(x: Tensor) -> tuple[Scale | None, int]:
    return (x.scale[0], x.zero_point[0]) if x.scale else (None, 0)


def _activation(name: str) -> int:
    return int(getattr(tflite.ActivationFunctionType, name))


def _sliding(stride: Pair, padding: str, activation: str) -> dict[str, int]:
    return {
        "Padding": int(getattr(tflite.Padding, padding)),
        "StrideH": stride[0],
        "StrideW": stride[1],
        "FusedActivationFunction": _activation(activation),
    }


def _dilating(dilation: Pair) -> dict[str, int]:
    return {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}


def _window(shape: Sequence[int], size: Sequence[int], stride: Pair, dilation: Pair, padding: str) -> Pair:
    """Height and width behind a sliding window: ceil(extent / stride), without padding of what the window fits into."""
    extents = []
    for extent, window, step, spread in zip(shape[1:3], size, stride, dilation):
        reach = extent if padding == "SAME" else extent - (window - 1) * spread
        extents.append(-(-reach // step))
    return extents[0], extents[1]
