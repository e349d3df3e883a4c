"""Layers with shapes and weights drawn from a seed, over what networks for microcontrollers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from approx_plugin.kernels.unpacked.blocks import Block, candidates
from approx_plugin.kernels.unpacked.geometry import geometry, pitches
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, Quantization, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators.add import Add
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import SAME, VALID, Padding, Window
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pad import Pad
from approx_plugin.operators.pool2d import Pool2D
from approx_plugin.operators.softmax import Softmax, differences_scaled_by

Random = np.random.Generator
Extent = tuple[int, int]

MAX_ACTIVATION = 24_000
"""Bytes of a layer's input or output: with the widened copy and im2col it still fits the smallest board's RAM."""

MAX_MACS, MIN_MACS = 500_000, 4_000
MAX_WEIGHTS = 10_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """A layer and the kernel that is to compute it. block: of the unpacked kernel, None for the library's."""

    operator: Operator
    schedule: str
    block: Block | None = None
    pitch: int | None = None


def _tensor(index: int, shape: Sequence[int], scale: float, zero_point: int) -> Tensor:
    return Tensor(index, f"t{index}", (1, *shape), "int8", Quantization((scale,), (zero_point,)))


def _multipliers(random: Random, count: int, terms: float) -> tuple[Multiplier, ...]:
    """Requantisation that spreads the sums of `terms` products of random int8 over the int8 range."""
    spread = 70.0 * 75.0 * max(1.0, terms) ** 0.5
    return tuple(quantize_multiplier(float(50.0 / spread * 2.0 ** random.uniform(-1, 1))) for _ in range(count))


def _limits(random: Random) -> tuple[int, int]:
    """Mostly none (a ReLU whose zero point is -128 needs none), sometimes one or two."""
    return ((-128, 127), (-128, 127), (-128, 127), (-100, 127), (-128, 110))[int(random.integers(5))]


def _zero_point(random: Random) -> int:
    return int(random.choice((-128, -128, -128, -1, 4)))


def _window(random: Random, size: Extent, kernel: Extent, stride: Extent) -> Window | None:
    scheme = SAME if random.random() < 0.6 else VALID
    window = Window.resolve(scheme, size, kernel, stride)
    return window if min(window.output) >= 1 else None


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
    low, high = _limits(random)
    taps = kernel[0] * kernel[1] * channels[0]
    return Conv2D(
        index=0,
        name="conv2d_0",
        label="conv",
        inputs=(_tensor(0, (*size, channels[0]), 0.02, _zero_point(random)),),
        output=_tensor(1, (*window.output, channels[1]), 0.03, _zero_point(random)),
        weights=_weights(random, (channels[1], *kernel, channels[0]), density),
        bias=random.integers(-3000, 3000, channels[1], dtype=np.int32),
        multipliers=_multipliers(random, channels[1], taps * density),
        stride=stride,
        padding=window.padding,
        activation_min=low,
        activation_max=high,
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


def _depthwise(random: Random) -> DepthwiseConv2D | None:
    kernel = ((3, 3), (3, 3), (5, 5), (7, 7), (3, 1))[int(random.integers(5))]
    stride = (2, 2) if random.random() < 0.3 else (1, 1)
    size = (int(random.integers(4, 26)), int(random.integers(4, 26)))
    channels = int(random.choice((4, 8, 10, 16, 24, 32, 64, 96, 128)))
    window = _window(random, size, kernel, stride)
    if window is None or channels * max(size[0] * size[1], window.output[0] * window.output[1]) > MAX_ACTIVATION:
        return None
    low, high = _limits(random)
    return DepthwiseConv2D(
        index=0,
        name="depthwise_conv2d_0",
        label="depthwise",
        inputs=(_tensor(0, (*size, channels), 0.02, _zero_point(random)),),
        output=_tensor(1, (*window.output, channels), 0.03, _zero_point(random)),
        weights=_weights(random, (*kernel, channels), 1.0),
        bias=random.integers(-3000, 3000, channels, dtype=np.int32),
        multipliers=_multipliers(random, channels, kernel[0] * kernel[1]),
        depth_multiplier=1,
        stride=stride,
        padding=window.padding,
        activation_min=low,
        activation_max=high,
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
    return DepthwiseConv2D(
        index=0,
        name="depthwise_conv2d_0",
        label="depthwise",
        inputs=(_tensor(0, (*size, channels), 0.02, _zero_point(random)),),
        output=_tensor(1, (*window.output, count), 0.03, _zero_point(random)),
        weights=_weights(random, (*kernel, count), 1.0),
        bias=random.integers(-3000, 3000, count, dtype=np.int32),
        multipliers=_multipliers(random, count, kernel[0] * kernel[1]),
        depth_multiplier=multiplier,
        stride=stride,
        padding=window.padding,
        activation_min=-128,
        activation_max=127,
    )


def _fully_connected(random: Random) -> FullyConnected:
    inputs = int(random.choice((16, 30, 50, 63, 64, 100, 128, 200, 256, 512, 640, 1024)))
    outputs = int(random.choice((2, 3, 5, 8, 9, 10, 12, 16, 32, 64)))
    count = outputs if random.random() < 0.4 else 1
    return FullyConnected(
        index=0,
        name="fully_connected_0",
        label="fully connected",
        inputs=(_tensor(0, (inputs,), 0.02, _zero_point(random)),),
        output=_tensor(1, (outputs,), 0.03, _zero_point(random)),
        weights=_weights(random, (outputs, inputs), 1.0),
        bias=random.integers(-3000, 3000, outputs, dtype=np.int32),
        multipliers=_multipliers(random, count, inputs),
        rows=1,
        activation_min=-128,
        activation_max=127,
    )


def _add(random: Random) -> Add:
    shape = (int(random.integers(2, 24)), int(random.integers(2, 24)), int(random.choice((4, 7, 16, 32))))
    scales = [float(random.uniform(0.01, 0.05)) for _ in range(3)]
    larger = 2.0 * max(scales[:2])
    low, high = _limits(random)
    return Add(
        index=0,
        name="add_0",
        label="add",
        inputs=tuple(_tensor(i, shape, scales[i], _zero_point(random)) for i in range(2)),
        output=_tensor(2, shape, scales[2], _zero_point(random)),
        multipliers=(quantize_multiplier(scales[0] / larger), quantize_multiplier(scales[1] / larger)),
        output_multiplier=quantize_multiplier(larger / ((1 << 20) * scales[2])),
        activation_min=low,
        activation_max=high,
    )


def _pool(random: Random, kind: type[Pool2D]) -> Pool2D | None:
    channels = int(random.choice((4, 8, 10, 16, 32, 64)))
    size = (int(random.integers(2, 30)), int(random.integers(2, 30)))
    edge = int(random.choice((2, 2, 2, 3)))
    kernel, stride = ((edge, edge), (2, 2)) if random.random() < 0.75 else (size, size)
    window = _window(random, size, kernel, stride)
    if window is None or channels * size[0] * size[1] > MAX_ACTIVATION:
        return None
    zero_point = _zero_point(random)
    return kind(
        index=0,
        name="pool_0",
        label="pool",
        inputs=(_tensor(0, (*size, channels), 0.02, zero_point),),
        output=_tensor(1, (*window.output, channels), 0.02, zero_point),
        kernel=kernel,
        stride=stride,
        padding=window.padding,
        activation_min=-128,
        activation_max=127,
    )


def _softmax(random: Random) -> Softmax:
    count = int(random.choice((2, 3, 4, 8, 10, 12, 16, 24)))
    # No difference of two int8 is so small that it is passed over: cycles are those of the worst data.
    scale = float(random.uniform(0.02, 0.1))
    multiplier, difference_min = differences_scaled_by(scale)
    return Softmax(
        index=0,
        name="softmax_0",
        label="softmax",
        inputs=(_tensor(0, (count,), scale, 0),),
        output=_tensor(1, (count,), 1.0 / 256.0, -128),
        multiplier=multiplier,
        difference_min=difference_min,
    )


def _pad(random: Random) -> Pad:
    height, width = (int(random.integers(4, 28)) for _ in range(2))
    channels = int(random.choice((1, 3, 8, 16, 24)))
    top, left, bottom, right = (int(random.integers(0, 3)) for _ in range(4))
    zero_point = _zero_point(random)
    return Pad(
        index=0,
        name="pad_0",
        label="pad",
        inputs=(_tensor(0, (height, width, channels), 0.02, zero_point),),
        output=_tensor(1, (height + top + bottom, width + left + right, channels), 0.02, zero_point),
        padding=Padding(top, left, bottom, right),
    )


def draw_layers(seed: int, scale: float = 1.0) -> list[Drawn]:
    """What the coefficients are fitted to, or, with another seed, tried on. scale: on the number of layers."""
    random = np.random.default_rng(seed)

    def many(count: int) -> int:
        return max(4, round(count * scale))

    drawn: list[Drawn] = []
    for conv in convolutions(random, many(80)):
        drawn += [_unpacked(random, conv), Drawn(conv, "cmsis_nn")]
    drawn += [Drawn(conv, "cmsis_nn") for conv in convolutions(random, many(24), ((1, 1),))]
    for draw, count in (
        (_depthwise, 44),
        (_multiplied, 32),
        (_fully_connected, 40),
        (_add, 16),
        (lambda r: _pool(r, MaxPool2D), 24),
        (lambda r: _pool(r, AveragePool2D), 16),
        (_softmax, 12),
        (_pad, 24),
    ):
        left = many(count)
        while left:
            operator = draw(random)
            if operator is not None and _is_worth_it(operator):
                drawn.append(Drawn(operator, "cmsis_nn"))
                left -= 1
    return [drawn[i] for i in random.permutation(len(drawn))]


def _is_worth_it(operator: Operator) -> bool:
    """Whether it is no trifle, in which a cache that happens to be warm makes the difference."""
    return operator.kind == Softmax.kind or max(operator.macs, 2 * operator.inputs[0].elements) >= MIN_MACS // 2


def _unpacked(random: Random, conv: Conv2D) -> Drawn:
    """The usual block every other time, any that fits otherwise: the fit has to know them all."""
    pitch = int(random.choice(pitches(conv.in_channels)))
    fitting = candidates(geometry(conv, pitch))
    block = fitting[0] if random.random() < 0.5 else fitting[int(random.integers(len(fitting)))]
    return Drawn(conv, "unpacked", block, pitch)
