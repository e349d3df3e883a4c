"""Layers at the ends of what an operator may be: shapes, zero points, limits, constants. For tests, never for a fit.

A draw picks most of its numbers from lists of ends and of small odd ones; several of them usually meet in one layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.laboratory import operators
from approx_plugin.laboratory.operators import Limits, activation
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators.add import Add
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import SAME, VALID, Padding, Window
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pad import Pad
from approx_plugin.operators.softmax import Softmax

Random = np.random.Generator
Int64Array = npt.NDArray[np.int64]

SIZES = (1, 1, 2, 3, 4, 5, 7, 9, 12)
CHANNELS = (1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33)
MANY_CHANNELS = (64, 130, 512)
"""Of convolutions over few pixels: sums of thousands of products."""

EDGES = (1, 1, 2, 3, 3, 4, 5, 7)
STRIDES = (1, 1, 1, 2, 3, 5)
ZERO_POINTS = (-128, -128, 127, 0, -1, 37)
SCALES = (0.02, 0.02, 1e-4, 3.0)
LIMITS: tuple[Limits, ...] = (*(operators.NO_LIMITS,) * 4, (-7, 90), (5, 5), (-128, -128), (127, 127), (9, -9))
"""No activation, a usual one, those that leave one value (a ReLU whose zero point is 127 does), and an empty range."""

DENSITIES = (1.0, 1.0, 0.5, 0.08, 0.0)
GAINS = (1.0, 1.0, 1.0, 40.0, 3000.0, 1e-3, 1e-7, 0.0)
"""Factors on a multiplier that spreads the sums over int8: beyond 1 nearly everything saturates."""

BIASES = ("usual", "usual", "usual", "usual", "none", "highest", "lowest")
INT32_MAX = (1 << 31) - 1


def pick(random: Random, values: Sequence[Any]) -> Any:
    """One of them, each as likely as the others."""
    return values[int(random.integers(len(values)))]


def _source(random: Random) -> Tensor:
    """A map to begin with."""
    size = (pick(random, SIZES), pick(random, SIZES))
    channels = pick(random, MANY_CHANNELS if max(size) <= 3 and random.random() < 0.15 else CHANNELS)
    return activation(0, (*size, channels), pick(random, SCALES), pick(random, ZERO_POINTS))


def _window(random: Random, source: Tensor, edges: Sequence[int] = EDGES) -> Window:
    """A stride may be longer than the window, and under SAME the window larger than the map."""
    size = (source.shape[1], source.shape[2])
    kernel = (pick(random, edges), pick(random, edges))
    stride = (pick(random, STRIDES), pick(random, STRIDES))
    fits = kernel[0] <= size[0] and kernel[1] <= size[1]
    return Window.resolve(VALID if fits and random.random() < 0.5 else SAME, size, kernel, stride)


def draw_weights(random: Random, shape: Sequence[int]) -> Int8Array:
    """int8 of this shape: dense, sparse or all zeros, now and then at both ends alone."""
    values: Int8Array = random.integers(-127, 128, tuple(shape)).astype(np.int8)
    if random.random() < 0.1:
        values = np.where(values < 0, -128, 127).astype(np.int8)
    values[random.random(tuple(shape)) >= pick(random, DENSITIES)] = 0
    return values


def draw_products(random: Random, totals: Int64Array, count: int) -> tuple[Int32Array, tuple[Multiplier, ...]]:
    """Bias and `count` multipliers (1: for all channels).

    totals: largest sum of products by channel, whose input is at most 255 from its zero point. No sum leaves int32, not
    even shifted left by its multiplier: beyond that an operator's result is not defined.
    """
    which = pick(random, BIASES)
    room = INT32_MAX - totals
    bias = {
        "usual": random.integers(-3000, 3000, len(totals)),
        "none": np.zeros(len(totals), np.int64),
        "highest": room,
        "lowest": -room,
    }[which]
    largest = totals + np.abs(bias)
    # A sum of random products is about this much smaller than the largest one.
    usual = totals / 4.0 if which == "usual" else largest
    wanted = pick(random, GAINS) * 100.0 / np.maximum(usual, 1.0) * 2.0 ** random.uniform(-2, 2, len(totals))
    capped = np.minimum(wanted, (1 << 30) / np.maximum(largest, 1))
    chosen = capped if count > 1 or len(totals) == 1 else capped[[int(np.argmin(capped))]]
    return bias.astype(np.int32), tuple(quantize_multiplier(float(m)) for m in chosen)


def largest_sums(weights: Int8Array, axes: tuple[int, ...]) -> Int64Array:
    """Bounds of the sums of products over these axes, for inputs that are at most 255 from their zero point."""
    totals: Int64Array = np.abs(weights.astype(np.int64)).sum(axis=axes) * 255
    return totals


def conv2d(random: Random, source: Tensor) -> Conv2D:
    """A convolution of a map."""
    edges = (1, 3) if source.shape[3] > 33 else EDGES
    window, out = _window(random, source, edges), pick(random, CHANNELS)
    weights = draw_weights(random, (out, *window.kernel, source.shape[3]))
    bias, multipliers = draw_products(random, largest_sums(weights, (1, 2, 3)), out)
    return operators.conv2d(
        source,
        window,
        zero_point=pick(random, ZERO_POINTS),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        limits=pick(random, LIMITS),
    )


def depthwise_conv2d(random: Random, source: Tensor) -> DepthwiseConv2D:
    """A depthwise convolution, with several outputs a channel now and then."""
    window = _window(random, source)
    out = source.shape[3] * (pick(random, (1, 1, 1, 2, 3, 8)) if source.shape[3] <= 17 else 1)
    weights = draw_weights(random, (*window.kernel, out))
    bias, multipliers = draw_products(random, largest_sums(weights, (0, 1)), out)
    return operators.depthwise_conv2d(
        source,
        window,
        zero_point=pick(random, ZERO_POINTS),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        limits=pick(random, LIMITS),
    )


def fully_connected(random: Random, source: Tensor) -> FullyConnected:
    """Of all of a map, or of each pixel."""
    inputs = source.elements if random.random() < 0.7 else source.shape[-1]
    out = pick(random, (1, 2, 3, 5, 10, 17))
    weights = draw_weights(random, (out, inputs))
    bias, multipliers = draw_products(random, largest_sums(weights, (1,)), pick(random, (1, out)))
    return operators.fully_connected(
        source,
        zero_point=pick(random, ZERO_POINTS),
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        limits=pick(random, LIMITS),
    )


def add(random: Random, source: Tensor) -> Add:
    """With another tensor, whose scale may be hundreds of times as large or small."""
    other = activation(source.index + 1, source.shape[1:], pick(random, SCALES), pick(random, ZERO_POINTS))
    larger = max(source.scale, other.scale)
    scale = larger * float(pick(random, (1.0, 0.1, 50.0)))
    zero_point, limits = pick(random, ZERO_POINTS), pick(random, LIMITS)
    return operators.add(source, other, scale=scale, zero_point=zero_point, limits=limits)


def max_pool2d(random: Random, source: Tensor) -> MaxPool2D:
    """A window that may hang over the edges, or stride over pixels."""
    return operators.pool(MaxPool2D, source, _window(random, source), pick(random, LIMITS))


def average_pool2d(random: Random, source: Tensor) -> AveragePool2D:
    """The same windows."""
    return operators.pool(AveragePool2D, source, _window(random, source), pick(random, LIMITS))


def softmax(random: Random, source: Tensor) -> Softmax:
    """A row, or as many as the map has pixels; scales at which all differences count, and hardly any."""
    scale = pick(random, (1e-6, 1e-3, 0.05, 0.3, 4.0, 60.0))
    return operators.softmax(activation(source.index, source.shape[1:], scale, source.zero_point))


def pad(random: Random, source: Tensor) -> Pad:
    """Nothing, or more than the map."""
    return operators.pad(source, Padding(*(int(pick(random, (0, 0, 1, 2, 9))) for _ in range(4))))


DRAWERS: Mapping[str, Callable[[Random, Tensor], Operator]] = MappingProxyType(
    {
        Conv2D.kind: conv2d,
        DepthwiseConv2D.kind: depthwise_conv2d,
        FullyConnected.kind: fully_connected,
        Add.kind: add,
        MaxPool2D.kind: max_pool2d,
        AveragePool2D.kind: average_pool2d,
        Softmax.kind: softmax,
        Pad.kind: pad,
    }
)
"""Kind -> an operator of this kind that reads a map. The other kinds are in `runtime_layers`."""

OFTEN = (*(Conv2D.kind,) * 5, *(DepthwiseConv2D.kind,) * 2)
"""Drawn more often than the others: most of the ways to compute them wrongly."""


def draw_extreme(random: Random) -> Operator:
    """One layer."""
    return _follower(random, _source(random), (*DRAWERS, *OFTEN))


def draw_run(random: Random, length: int) -> tuple[Operator, ...]:
    """Consecutive layers of these kinds: each but the first reads what the one before it has made."""
    run: list[Operator] = []
    source = _source(random)
    for _ in range(length):
        maps = len(source.shape) == 4
        kinds = tuple(DRAWERS) if maps else (FullyConnected.kind, Add.kind, Softmax.kind)
        run.append(_follower(random, source, kinds))
        source = run[-1].output
    return tuple(run)


def _follower(random: Random, source: Tensor, kinds: Sequence[str]) -> Operator:
    return DRAWERS[pick(random, kinds)](random, source)
