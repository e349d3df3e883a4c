"""Convolutions as the C functions of `native/` take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from approx_plugin.model.quantization import Multiplier
from approx_plugin.native.products import LARGEST_CHANNELS, Int32Array, Layer, panels, scales_of, window_of
from approx_plugin.operators.geometry import Window

if TYPE_CHECKING:
    from approx_plugin.operators.conv2d import Conv2D
    from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
    from approx_plugin.operators.transformed_conv2d import TransformedConv2D

INT16_MAX = 32767

LARGEST_RIGHT_SHIFT = 12
"""Up to this the C code's 32-bit arithmetic is exact: what saturates is beyond int8."""

LARGEST_LEFT_SHIFT = 31
"""Of a 32-bit register."""

LARGEST_INPUT = 255
"""Of an int8 value without its zero point."""


def convolution(conv: Conv2D) -> Layer | None:
    """An ordinary convolution; None where it is too large for the C code's sizes, or shifts too far."""
    weights = conv.weights.reshape(conv.out_channels, -1)
    if weights.shape[1] > LARGEST_CHANNELS or not _shifts_little(conv):
        return None
    return Layer(
        "approx_convolve",
        _window(conv, conv.window),
        (),
        panels(weights),
        _scales(conv, conv.out_channels),
        _shape(conv),
    )


def depthwise(conv: DepthwiseConv2D) -> Layer | None:
    """A depthwise convolution with one output per input channel; None where it shifts too far."""
    if not _shifts_little(conv):
        return None
    channels = conv.weights.shape[2]
    weights = np.ascontiguousarray(conv.weights.reshape(-1, channels).astype(np.int16))
    return Layer("approx_depthwise", _window(conv, conv.window), (), weights, _scales(conv, channels), _shape(conv))


def transformed(conv: TransformedConv2D) -> Layer | None:
    """A transformed convolution; None where transformed inputs could leave int16."""
    form = conv.form
    if LARGEST_INPUT * int(np.abs(form.inputs).sum(axis=1).max()) > INT16_MAX:
        return None
    window = Window((3, 3), (1, 1), conv.padding, (conv.output.shape[1], conv.output.shape[2]))
    patch, tile = form.patch, form.tile
    tiles = np.array([*conv.tiles, *patch, *tile, conv.exponent], np.int32)
    matrices = [
        np.array(rows, np.int32)
        for rows in (form.vertical.inputs, form.horizontal.inputs, form.vertical.outputs, form.horizontal.outputs)
    ]
    weights = np.stack([panels(conv.coefficients[:, point]) for point in range(form.points)])
    scales = scales_of(conv.bias, conv.multipliers, conv.addends, np.zeros(1, np.int64))
    return Layer("approx_transformed", _window(conv, window), (tiles, *matrices), weights, scales, _shape(conv))


def _shape(conv: Conv2D | DepthwiseConv2D | TransformedConv2D) -> tuple[int, ...]:
    return tuple(conv.output.shape[1:])


def _window(conv: Conv2D | DepthwiseConv2D | TransformedConv2D, window: Window) -> Int32Array:
    source, result = conv.inputs[0], conv.output
    return window_of(
        source.shape[1:],
        result.shape[1:],
        window.kernel,
        window.stride,
        window.dilation,
        window.padding.top,
        window.padding.left,
        source.zero_point,
        result.zero_point,
        conv.activation_min,
        conv.activation_max,
    )


def _scales(conv: Conv2D | DepthwiseConv2D, channels: int) -> Int32Array:
    multipliers: Sequence[Multiplier] = conv.multipliers
    shifts: npt.NDArray[np.int64] = np.array([one.shift for one in multipliers], np.int64)
    mantissas = np.array([one.mantissa for one in multipliers], np.int64)
    bias = np.broadcast_to(conv.bias, (channels,))
    return scales_of(bias, mantissas, np.maximum(shifts, 0), np.maximum(-shifts, 0))


def _shifts_little(conv: Conv2D | DepthwiseConv2D) -> bool:
    return all(-LARGEST_RIGHT_SHIFT <= one.shift <= LARGEST_LEFT_SHIFT for one in conv.multipliers)
