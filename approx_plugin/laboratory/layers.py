"""Layers with shapes and weights drawn from a seed, over what networks for microcontrollers are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from approx_plugin.laboratory import operators
from approx_plugin.laboratory.operators import NO_LIMITS, Extent, Limits, activation
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array
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

MAX_ACTIVATION = 24_000
"""Bytes of a layer's input or output: with the widened copy and im2col it still fits the smallest board's RAM."""

MAX_MACS, MIN_MACS = 500_000, 4_000
MAX_WEIGHTS = 10_000


def _multipliers(random: Random, count: int, terms: float) -> tuple[Multiplier, ...]:
    """Requantisation that spreads the sums of `terms` products of random int8 over the int8 range."""
    spread = 70.0 * 75.0 * max(1.0, terms) ** 0.5
    return tuple(quantize_multiplier(float(50.0 / spread * 2.0 ** random.uniform(-1, 1))) for _ in range(count))


def _limits(random: Random) -> Limits:
    """Mostly none (a ReLU whose zero point is -128 needs none), sometimes one or two."""
    return ((-128, 127), (-128, 127), (-128, 127), (-100, 127), (-128, 110))[int(random.integers(5))]


def _zero_point(random: Random) -> int:
    return int(random.choice((-128, -128, -128, -1, 4)))


def _window(random: Random, size: Extent, kernel: Extent, stride: Extent) -> Window | None:
    scheme = SAME if random.random() < 0.6 else VALID
    window = Window.resolve(scheme, size, kernel, stride)
    return window if min(window.output) >= 1 else None


def _bias(random: Random, channels: int) -> Int32Array:
    return random.integers(-3000, 3000, channels, dtype=np.int32)


def _weights(random: Random, shape: Sequence[int], density: float) -> Int8Array:
    """int8, clustered around zero as trained weights are; pairs along the last axis survive with `density`."""
    values: Int8Array = np.clip(np.rint(random.normal(0.0, 35.0, tuple(shape))), -127, 127).astype(np.int8)
    flat = values.reshape(-1)
    kept = random.random((len(flat) + 1) // 2) < density
    flat[~np.repeat(kept, 2)[: len(flat)]] = 0
    return flat.reshape(tuple(shape))


def convolution(
    random: Random, size: Extent, channels: Extent, kernel: Extent, stride: Extent, density: float
) -> Conv2D:
    """One convolution; `channels` are in and out. Raises ValueError where the kernel does not fit."""
    window = _window(random, size, kernel, stride)
    if window is None:
        raise ValueError("the kernel does not fit")
    limits = _limits(random)
    taps = kernel[0] * kernel[1] * channels[0]
    return operators.conv2d(
        activation(0, (*size, channels[0]), 0.02, _zero_point(random)),
        window,
        zero_point=_zero_point(random),
        weights=_weights(random, (channels[1], *kernel, channels[0]), density),
        bias=_bias(random, channels[1]),
        multipliers=_multipliers(random, channels[1], taps * density),
        limits=limits,
    )


KERNELS: tuple[Extent, ...] = ((3, 3), (3, 3), (3, 3), (1, 1), (1, 1), (5, 5), (3, 1), (2, 2), (10, 4))
INPUTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
OUTPUTS = (4, 8, 10, 15, 16, 24, 32, 48, 64)


def _fits(conv: Conv2D) -> bool:
    sizes = (conv.inputs[0].elements, conv.output.elements)
    return max(sizes) <= MAX_ACTIVATION and MIN_MACS <= conv.macs <= MAX_MACS and conv.weights.size <= MAX_WEIGHTS


def convolutions(random: Random, count: int, kernels: Sequence[Extent] = KERNELS) -> list[Conv2D]:
    """`count` convolutions; half of them with products dropped."""
    found: list[Conv2D] = []
    while len(found) < count:
        kernel = kernels[int(random.integers(len(kernels)))]
        size = (int(random.integers(3, 33)),) * 2
        stride = (2, 2) if random.random() < 0.2 else (1, 1)
        channels = (int(random.choice(INPUTS)), int(random.choice(OUTPUTS)))
        density = 1.0 if random.random() < 0.5 else float(random.uniform(0.2, 0.9))
        try:
            conv = convolution(random, size, channels, kernel, stride, density)
        except ValueError:
            continue
        if _fits(conv):
            found.append(conv)
    return found


def _pointwise(random: Random, count: int) -> list[Conv2D]:
    return convolutions(random, count, ((1, 1),))


def _depthwise(random: Random) -> DepthwiseConv2D | None:
    kernel = ((3, 3), (3, 3), (5, 5), (7, 7), (3, 1))[int(random.integers(5))]
    stride = (2, 2) if random.random() < 0.3 else (1, 1)
    size = (int(random.integers(4, 26)), int(random.integers(4, 26)))
    channels = int(random.choice((4, 8, 10, 16, 24, 32, 64, 96, 128)))
    window = _window(random, size, kernel, stride)
    if window is None or channels * max(size[0] * size[1], window.output[0] * window.output[1]) > MAX_ACTIVATION:
        return None
    limits = _limits(random)
    return operators.depthwise_conv2d(
        activation(0, (*size, channels), 0.02, _zero_point(random)),
        window,
        zero_point=_zero_point(random),
        weights=_weights(random, (*kernel, channels), 1.0),
        bias=_bias(random, channels),
        multipliers=_multipliers(random, channels, kernel[0] * kernel[1]),
        limits=limits,
    )


def _multiplied(random: Random) -> DepthwiseConv2D | None:
    """A depthwise convolution with several outputs a channel, as networks begin with that have one input channel."""
    kernel = ((3, 3), (5, 5), (10, 4))[int(random.integers(3))]
    size = (int(random.integers(10, 30)), int(random.integers(8, 20)))
    channels, multiplier = int(random.choice((1, 1, 2, 3))), int(random.choice((2, 3, 4, 8)))
    stride = (2, 2) if random.random() < 0.5 else (1, 1)
    window = _window(random, size, kernel, stride)
    if window is None:
        return None
    count = channels * multiplier
    return operators.depthwise_conv2d(
        activation(0, (*size, channels), 0.02, _zero_point(random)),
        window,
        zero_point=_zero_point(random),
        weights=_weights(random, (*kernel, count), 1.0),
        bias=_bias(random, count),
        multipliers=_multipliers(random, count, kernel[0] * kernel[1]),
        limits=NO_LIMITS,
    )


def _fully_connected(random: Random) -> FullyConnected:
    inputs = int(random.choice((16, 30, 50, 63, 64, 100, 128, 200, 256, 512, 640, 1024)))
    outputs = int(random.choice((2, 3, 5, 8, 9, 10, 12, 16, 32, 64)))
    count = outputs if random.random() < 0.4 else 1
    return operators.fully_connected(
        activation(0, (inputs,), 0.02, _zero_point(random)),
        zero_point=_zero_point(random),
        weights=_weights(random, (outputs, inputs), 1.0),
        bias=_bias(random, outputs),
        multipliers=_multipliers(random, count, inputs),
        limits=NO_LIMITS,
    )


def _add(random: Random) -> Add:
    shape = (int(random.integers(2, 24)), int(random.integers(2, 24)), int(random.choice((4, 7, 16, 32))))
    scales = [float(random.uniform(0.01, 0.05)) for _ in range(3)]
    limits = _limits(random)
    first, second = (activation(i, shape, scales[i], _zero_point(random)) for i in range(2))
    return operators.add(first, second, scale=scales[2], zero_point=_zero_point(random), limits=limits)


def _max_pool(random: Random) -> MaxPool2D | None:
    return _pool(random, MaxPool2D)


def _average_pool(random: Random) -> AveragePool2D | None:
    return _pool(random, AveragePool2D)


def _pool(random: Random, kind: type[operators.Pool]) -> operators.Pool | None:
    channels = int(random.choice((4, 8, 10, 16, 32, 64)))
    size = (int(random.integers(2, 30)), int(random.integers(2, 30)))
    edge = int(random.choice((2, 2, 2, 3)))
    kernel, stride = ((edge, edge), (2, 2)) if random.random() < 0.75 else (size, size)
    window = _window(random, size, kernel, stride)
    if window is None or channels * size[0] * size[1] > MAX_ACTIVATION:
        return None
    return operators.pool(kind, activation(0, (*size, channels), 0.02, _zero_point(random)), window, NO_LIMITS)


def _softmax(random: Random) -> Softmax:
    count = int(random.choice((2, 3, 4, 8, 10, 12, 16, 24)))
    # No difference of two int8 is so small that it is passed over: cycles are those of the worst data.
    return operators.softmax(activation(0, (count,), float(random.uniform(0.02, 0.1)), 0))


def _pad(random: Random) -> Pad:
    height, width = (int(random.integers(4, 28)) for _ in range(2))
    channels = int(random.choice((1, 3, 8, 16, 24)))
    top, left, bottom, right = (int(random.integers(0, 3)) for _ in range(4))
    source = activation(0, (height, width, channels), 0.02, _zero_point(random))
    return operators.pad(source, Padding(top, left, bottom, right))


def _is_worth_it(operator: Operator) -> bool:
    """Whether it is no trifle, in which a cache that happens to be warm makes the difference."""
    return operator.kind == Softmax.kind or max(operator.macs, 2 * operator.inputs[0].elements) >= MIN_MACS // 2


def _worth_it(draw: Callable[[Random], Operator | None]) -> Callable[[Random, int], list[Operator]]:
    def several(random: Random, count: int) -> list[Operator]:
        found: list[Operator] = []
        while len(found) < count:
            operator = draw(random)
            if operator is not None and _is_worth_it(operator):
                found.append(operator)
        return found

    return several


@dataclass(frozen=True)
class Lot:
    """Layers of one sort. draw: generator, how many -> so many of them.

    count: how many of them tell the coefficients of a kernel well enough.
    baseline_only: for the library alone, which has functions of its own for them.
    """

    draw: Callable[[Random, int], Sequence[Operator]]
    count: int
    baseline_only: bool = False

    def some(self, random: Random, scale: float = 1.0) -> Sequence[Operator]:
        """`scale` times as many, four at least."""
        return self.draw(random, max(4, round(self.count * scale)))


LOTS = (
    Lot(convolutions, 80),
    Lot(_pointwise, 24, baseline_only=True),
    Lot(_worth_it(_depthwise), 44),
    Lot(_worth_it(_multiplied), 32),
    Lot(_worth_it(_fully_connected), 40),
    Lot(_worth_it(_add), 16),
    Lot(_worth_it(_max_pool), 24),
    Lot(_worth_it(_average_pool), 16),
    Lot(_worth_it(_softmax), 12),
    Lot(_worth_it(_pad), 24),
)
"""Every kind of operator that the library serves: those whose coefficients are fitted."""
