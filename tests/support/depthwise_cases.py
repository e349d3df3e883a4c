"""Depthwise convolutions by their numbers, for tests of kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from approx_plugin.laboratory import operators
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.geometry import SAME, VALID, Window


def depthwise(
    size: tuple[int, int],
    channels: int,
    kernel: tuple[int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    multiplier: int = 1,
    same: bool = True,
    zero_points: tuple[int, int] = (3, -7),
    limits: tuple[int, int] = (-128, 127),
    multipliers: tuple[Multiplier, ...] | None = None,
    seed: int = 1,
) -> DepthwiseConv2D:
    """Outputs spread over the int8 range. zero_points: of the input and of the output."""
    random = np.random.default_rng(seed)
    window = Window.resolve(SAME if same else VALID, size, kernel, stride, dilation)
    count = channels * multiplier
    spread = 70.0 * 75.0 * np.sqrt(kernel[0] * kernel[1])
    drawn = tuple(quantize_multiplier(float(50.0 / spread * 2.0 ** random.uniform(-2, 2))) for _ in range(count))
    made = operators.depthwise_conv2d(
        operators.activation(0, (*size, channels), 0.02, zero_points[0]),
        window,
        zero_point=zero_points[1],
        weights=random.integers(-127, 128, (*kernel, count), dtype=np.int8),
        bias=random.integers(-3000, 3000, count, dtype=np.int32),
        multipliers=drawn if multipliers is None else multipliers,
        limits=limits,
    )
    return replace(made, dilation=dilation)
