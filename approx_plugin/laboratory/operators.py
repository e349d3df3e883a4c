"""Operators from their numbers: what the readers of a .tflite would have made, without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from approx_plugin.model.quantization import Multiplier, Quantization, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators.add import LEFT_SHIFT, Add
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import Padding, Window
from approx_plugin.operators.pad import Pad
from approx_plugin.operators.pool2d import Pool2D
from approx_plugin.operators.softmax import Softmax, differences_scaled_by

Extent = tuple[int, int]
"""Vertical, horizontal."""

Limits = tuple[int, int]
"""Of the fused activation."""

NO_LIMITS: Limits = (-128, 127)
RESULT_SCALE = 0.03
Pool = TypeVar("Pool", bound=Pool2D)


def activation(index: int, shape: Sequence[int], scale: float, zero_point: int) -> Tensor:
    """An int8 activation. shape: without the batch."""
    return Tensor(index, f"t{index}", (1, *shape), "int8", Quantization((scale,), (zero_point,)))


def conv2d(
    source: Tensor,
    window: Window,
    *,
    zero_point: int,
    weights: Int8Array,
    bias: Int32Array,
    multipliers: tuple[Multiplier, ...],
    limits: Limits,
) -> Conv2D:
    """weights: [out_channels, kernel_h, kernel_w, in_channels]; zero_point: of the output."""
    return Conv2D(
        index=0,
        name="conv2d_0",
        label="conv",
        inputs=(source,),
        output=activation(source.index + 1, (*window.output, len(weights)), RESULT_SCALE, zero_point),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        stride=window.stride,
        padding=window.padding,
        activation_min=limits[0],
        activation_max=limits[1],
    )


def depthwise_conv2d(
    source: Tensor,
    window: Window,
    *,
    zero_point: int,
    weights: Int8Array,
    bias: Int32Array,
    multipliers: tuple[Multiplier, ...],
    limits: Limits,
) -> DepthwiseConv2D:
    """weights: [kernel_h, kernel_w, out_channels]; zero_point: of the output."""
    channels = weights.shape[2]
    return DepthwiseConv2D(
        index=0,
        name="depthwise_conv2d_0",
        label="depthwise",
        inputs=(source,),
        output=activation(source.index + 1, (*window.output, channels), RESULT_SCALE, zero_point),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        depth_multiplier=channels // source.shape[3],
        stride=window.stride,
        padding=window.padding,
        activation_min=limits[0],
        activation_max=limits[1],
    )


def fully_connected(
    source: Tensor,
    *,
    zero_point: int,
    weights: Int8Array,
    bias: Int32Array,
    multipliers: tuple[Multiplier, ...],
    limits: Limits,
) -> FullyConnected:
    """weights: [out_features, in_features], of which the source may hold several rows; zero_point: of the output."""
    outputs, inputs = weights.shape
    rows = source.elements // inputs
    shape = (outputs,) if rows == 1 else (rows, outputs)
    return FullyConnected(
        index=0,
        name="fully_connected_0",
        label="fully connected",
        inputs=(source,),
        output=activation(source.index + 1, shape, RESULT_SCALE, zero_point),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        rows=rows,
        activation_min=limits[0],
        activation_max=limits[1],
    )


def add(first: Tensor, second: Tensor, *, scale: float, zero_point: int, limits: Limits) -> Add:
    """scale, zero_point: of the output. Multipliers as the reader of ADD makes them."""
    larger = 2.0 * max(first.scale, second.scale)
    return Add(
        index=0,
        name="add_0",
        label="add",
        inputs=(first, second),
        output=activation(max(first.index, second.index) + 1, first.shape[1:], scale, zero_point),
        multipliers=(quantize_multiplier(first.scale / larger), quantize_multiplier(second.scale / larger)),
        output_multiplier=quantize_multiplier(larger / ((1 << LEFT_SHIFT) * scale)),
        activation_min=limits[0],
        activation_max=limits[1],
    )


def pool(kind: type[Pool], source: Tensor, window: Window, limits: Limits) -> Pool:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    shape = (*window.output, source.shape[3])
    return kind(
        index=0,
        name="pool_0",
        label="pool",
        inputs=(source,),
        output=activation(source.index + 1, shape, source.scale, source.zero_point),
        kernel=window.kernel,
        stride=window.stride,
        padding=window.padding,
        activation_min=limits[0],
        activation_max=limits[1],
    )


def softmax(source: Tensor) -> Softmax:
    """Over the last dimension; beta is 1."""
    multiplier, difference_min = differences_scaled_by(source.scale)
    return Softmax(
        index=0,
        name="softmax_0",
        label="softmax",
        inputs=(source,),
        output=activation(source.index + 1, source.shape[1:], 1.0 / 256.0, -128),
        multiplier=multiplier,
        difference_min=difference_min,
    )


def pad(source: Tensor, padding: Padding) -> Pad:
    """Rows and columns of the zero point around a map."""
    _, height, width, channels = source.shape
    shape = (height + padding.top + padding.bottom, width + padding.left + padding.right, channels)
    return Pad(
        index=0,
        name="pad_0",
        label="pad",
        inputs=(source,),
        output=activation(source.index + 1, shape, source.scale, source.zero_point),
        padding=padding,
    )
