"""What a step has to compute: for every output the sum as a linear form, and the requantisation of its channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.requantise import Sums, sums_of
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import padded
from approx_plugin.proof.linear import POINTS, Symbols, Values

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Expected:
    """values: uint64 [outputs, POINTS], of acc = bias + sum (x - zero point) w at the symbols' points; the output with
    number i belongs to channel i modulo `sums.channels`.
    """

    values: Values
    sums: Sums


def expected(operator: Operator, symbols: Symbols) -> Expected | None:
    """Of an operator that is a sum of products; None for any other."""
    made = _MAKERS.get(operator.kind)
    return None if made is None else made(operator, symbols)


def _differences(symbols: Symbols, zero_point: int) -> Int64s:
    """int64 [elements, POINTS] of x - zero point; whatever leaves 64 bits wraps."""
    return symbols.values.view(np.int64) - np.int64(zero_point)


def _conv2d(conv: Conv2D, symbols: Symbols) -> Expected:
    _, height, width, channels = conv.inputs[0].shape
    values = _differences(symbols, conv.input_zero_point).reshape(1, height, width, channels * POINTS)
    around = padded(values, conv.padding, 0, np.int64)
    out_height, out_width, out_channels = conv.output_shape
    size, depth = out_channels // conv.groups, conv.in_channels
    found = np.empty((out_height, out_width, out_channels, POINTS), np.int64)
    found[...] = conv.bias.astype(np.int64)[:, None]
    weights = conv.weights.astype(np.int64)
    for row in range(conv.kernel[0]):
        for column in range(conv.kernel[1]):
            seen = conv.window.taps(around, row, column)[0].reshape(out_height, out_width, channels, POINTS)
            for group in range(conv.groups):
                part = slice(group * size, (group + 1) * size)
                read = seen[:, :, group * depth : (group + 1) * depth]
                found[:, :, part] += np.matmul(weights[part, row, column], read)
    flat = conv.weights.reshape(out_channels, -1)
    return Expected(found.reshape(-1, POINTS).view(np.uint64), _sums(conv, flat))


def _depthwise(conv: DepthwiseConv2D, symbols: Symbols) -> Expected:
    _, height, width, channels = conv.inputs[0].shape
    values = _differences(symbols, conv.inputs[0].zero_point).reshape(1, height, width, channels * POINTS)
    around = padded(values, conv.padding, 0, np.int64)
    _, out_height, out_width, out_channels = conv.output.shape
    found = np.empty((out_height, out_width, out_channels, POINTS), np.int64)
    found[...] = conv.bias.astype(np.int64)[:, None]
    weights = conv.weights.astype(np.int64)
    for row in range(conv.kernel[0]):
        for column in range(conv.kernel[1]):
            seen = conv.window.taps(around, row, column)[0].reshape(out_height, out_width, channels, POINTS)
            found += np.repeat(seen, conv.depth_multiplier, axis=2) * weights[row, column][:, None]
    flat = conv.weights.reshape(-1, out_channels).T
    return Expected(found.reshape(-1, POINTS).view(np.uint64), _sums(conv, flat))


def _fully_connected(dense: FullyConnected, symbols: Symbols) -> Expected:
    depth = dense.weights.shape[1]
    values = _differences(symbols, dense.inputs[0].zero_point).reshape(dense.rows, depth, POINTS)
    found = np.matmul(dense.weights.astype(np.int64), values) + dense.bias.astype(np.int64)[:, None]
    return Expected(found.reshape(-1, POINTS).view(np.uint64), _sums(dense, dense.weights))


def _sums(operator: Any, weights: npt.NDArray[np.int8]) -> Sums:
    limits = operator.activation_min, operator.activation_max
    zero_points = operator.inputs[0].zero_point, operator.output.zero_point
    return sums_of(weights, operator.bias, zero_points[0], operator.multipliers, zero_points[1], limits)


_MAKERS: Mapping[str, Callable[[Any, Symbols], Expected]] = MappingProxyType(
    {Conv2D.kind: _conv2d, DepthwiseConv2D.kind: _depthwise, FullyConnected.kind: _fully_connected}
)
