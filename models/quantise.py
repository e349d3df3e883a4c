"""Post-training quantisation: a float network and calibration inputs become an int8 .tflite.

Follows TensorFlow Lite's 8-bit quantization specification: weights symmetric in [-127, 127], with a scale an output
channel in convolutions and one scale in fully connected layers; activations asymmetric, from the smallest and the
largest value seen in calibration; bias int32 in units of input scale times weight scale; pooling, padding and
reshaping keep their input's quantization; softmax always has scale 1/256 and zero point -128.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from float_network import (
    Add,
    Array,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FloatNetwork,
    FullyConnected,
    MaxPool2D,
    Pad,
    Reshape,
    Softmax,
)
from tflite_format import Tensor
from tflite_writer import ModelBuilder

Quantization = tuple[float, int]
"""scale and zero point: real = scale * (q - zero_point)."""

_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
_LARGEST_BIAS = 1 << 30  # room for the sum of products beside it in an int32 accumulator


def activation_quantization(low: float, high: float) -> Quantization:
    """Scale and zero point that cover [low, high] and represent 0 exactly (padding is made of it).

    A range too small for a float32 scale counts as always 0.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((high - low) / 255.0))
    if scale < _SMALLEST_SCALE:
        return 1.0, 0
    return scale, int(np.clip(np.rint(-128.0 - low / scale), -128, 127))


def quantise_values(real: npt.NDArray[Any], quantization: Quantization) -> npt.NDArray[np.int8]:
    """Real numbers as int8, saturated."""
    scale, zero_point = quantization
    steps = np.rint(np.asarray(real, np.float64) / scale) + zero_point
    return np.asarray(np.clip(steps, -128, 127), dtype=np.int8)


def quantise_weights(
    weights: Array, bias: Array, input_scale: float, axis: int | None
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """int8 weights, their scales (one a channel of dimension `axis`, or one if it is None) and the int32 bias.

    A scale is at least so large that the bias, in units of input_scale * scale, stays within 2**30: channels of tiny
    weights with a large bias would overflow otherwise.
    """
    if axis is None:
        peaks, offsets = np.array([np.abs(weights).max()]), np.array([np.abs(bias).max()])
    else:
        others = tuple(dimension for dimension in range(weights.ndim) if dimension != axis)
        peaks, offsets = np.abs(weights).max(axis=others), np.abs(bias)
    scales = np.maximum(peaks / 127.0, offsets / (input_scale * _LARGEST_BIAS))
    scales = np.where(scales > 0.0, scales, 1.0).astype(np.float32)
    shape = [1] * weights.ndim
    if axis is not None:
        shape[axis] = -1
    integers = np.clip(np.rint(weights / scales.astype(np.float64).reshape(shape)), -127, 127).astype(np.int8)
    return integers, scales, np.rint(bias / (scales.astype(np.float64) * input_scale)).astype(np.int32)


def calibrate(network: FloatNetwork, inputs: Array, batch: int = 100) -> list[tuple[float, float]]:
    """The smallest and the largest number of every value (the network's input first) over all calibration inputs."""
    ranges = [(np.inf, -np.inf)] * (len(network.nodes) + 1)
    for start in range(0, len(inputs), batch):
        values = network.values(inputs[start : start + batch])
        ranges = [
            (min(low, float(value.min())), max(high, float(value.max()))) for (low, high), value in zip(ranges, values)
        ]
    return ranges


def quantise(
    network: FloatNetwork,
    calibration: Array,
    input_quantization: Quantization | None = None,
    *,
    per_channel: bool = True,
    float_borders: bool = False,
    description: str = "",
) -> bytes:
    """The int8 .tflite of a network.

    calibration:        real inputs [count, *input_shape].
    input_quantization: scale and zero point of the input; None takes them from the calibration inputs.
    per_channel:        whether convolutions get a scale an output channel.
    float_borders:      whether float32 goes in and out, through QUANTIZE and DEQUANTIZE.
    """
    ranges = calibrate(network, calibration)
    builder = ModelBuilder(description)
    scale, zero_point = input_quantization or activation_quantization(*ranges[0])
    shape = (1, *network.input_shape)
    if float_borders:
        tensors = [builder.quantize(builder.input(shape, dtype="float32"), scale=scale, zero_point=zero_point)]
    else:
        tensors = [builder.input(shape, scale=scale, zero_point=zero_point)]
    for node, (low, high) in zip(network.nodes, ranges[1:]):
        inputs = [tensors[number] for number in node.inputs]
        write = _WRITERS[type(node.layer)]
        tensors.append(write(builder, node.layer, inputs, activation_quantization(low, high), per_channel))
    builder.output(builder.dequantize(tensors[-1]) if float_borders else tensors[-1])
    return builder.build()


def _convolution(
    builder: ModelBuilder, layer: Any, inputs: list[Tensor], output: Quantization, per_channel: bool
) -> Tensor:
    axis = layer.channel_axis if per_channel else None
    weights, scales, bias = quantise_weights(layer.weights, layer.bias, inputs[0].scale[0], axis)
    add = builder.conv2d if isinstance(layer, Conv2D) else builder.depthwise_conv2d
    return add(
        inputs[0],
        weights,
        scales,
        bias,
        scale=output[0],
        zero_point=output[1],
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        activation=layer.activation,
    )


def _fully_connected(builder: ModelBuilder, layer: Any, inputs: list[Tensor], output: Quantization, _: bool) -> Tensor:
    weights, scales, bias = quantise_weights(layer.weights, layer.bias, inputs[0].scale[0], None)
    scale, zero_point = output
    return builder.fully_connected(
        inputs[0], weights, scales, bias, scale=scale, zero_point=zero_point, activation=layer.activation
    )


def _pool(builder: ModelBuilder, layer: Any, inputs: list[Tensor], _: Quantization, __: bool) -> Tensor:
    add = builder.max_pool2d if isinstance(layer, MaxPool2D) else builder.average_pool2d
    return add(inputs[0], layer.size, stride=layer.stride, padding=layer.padding, activation=layer.activation)


def _add(builder: ModelBuilder, layer: Any, inputs: list[Tensor], output: Quantization, _: bool) -> Tensor:
    return builder.add(*inputs, scale=output[0], zero_point=output[1], activation=layer.activation)


def _reshape(builder: ModelBuilder, layer: Any, inputs: list[Tensor], _: Quantization, __: bool) -> Tensor:
    return builder.reshape(inputs[0], (1, *layer.shape))


def _softmax(builder: ModelBuilder, layer: Any, inputs: list[Tensor], _: Quantization, __: bool) -> Tensor:
    return builder.softmax(inputs[0], beta=layer.beta)


def _pad(builder: ModelBuilder, layer: Any, inputs: list[Tensor], _: Quantization, __: bool) -> Tensor:
    return builder.pad(inputs[0], ((0, 0), layer.rows, layer.columns, (0, 0)))


_WRITERS: dict[type, Callable[[ModelBuilder, Any, list[Tensor], Quantization, bool], Tensor]] = {
    Conv2D: _convolution,
    DepthwiseConv2D: _convolution,
    FullyConnected: _fully_connected,
    MaxPool2D: _pool,
    AveragePool2D: _pool,
    Add: _add,
    Reshape: _reshape,
    Softmax: _softmax,
    Pad: _pad,
}
