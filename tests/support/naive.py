"""The operators once more: one number at a time, in Python's unbounded integers and exact fractions.

Written from the definition of the TensorFlow Lite quantization and independent of approx_plugin. int32 registers are
not modelled: the tests keep away from overflow, except where they say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

Limits = tuple[int, int]


def multiplier(real: float) -> tuple[int, int]:
    """(mantissa, shift): real ~ mantissa * 2**(shift - 31) with 31 significant bits, by exact fractions."""
    if real == 0:
        return 0, 0
    exact, shift = Fraction(real), 0
    while exact >= 1:
        exact, shift = exact / 2, shift + 1
    while exact < Fraction(1, 2):
        exact, shift = exact * 2, shift - 1
    mantissa = math.floor(exact * 2**31 + Fraction(1, 2))
    if mantissa == 2**31:
        mantissa, shift = 2**30, shift + 1
    return (0, 0) if shift < -31 else (mantissa, shift)


def nearest_away(value: Fraction) -> int:
    """Halves away from zero."""
    magnitude = math.floor(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


def scaled(value: int, factor: tuple[int, int]) -> int:
    """gemmlowp's two roundings: halves up at bit 31, then halves away from zero at the shift."""
    mantissa, shift = factor
    first = math.floor(Fraction(value * 2 ** max(shift, 0) * mantissa, 2**31) + Fraction(1, 2))
    return nearest_away(Fraction(first, 2 ** max(-shift, 0)))


def clamp(value: int, limits: Limits) -> int:
    return max(limits[0], min(limits[1], value))


def activation_limits(name: str, scale: float, zero_point: int) -> Limits:
    low, high = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}[name]

    def steps(real: int) -> int:
        return zero_point + nearest_away(Fraction(float(np.float32(real) / np.float32(scale))))

    return (
        -128 if low is None else max(-128, steps(low)),
        127 if high is None else min(127, steps(high)),
    )


def positions(extent: int, window: int, step: int, padding: str) -> list[list[int | None]]:
    """For every output position the input positions under the window, None in the padding."""
    if padding == "VALID":
        starts = list(range(0, extent - window + 1, step))
    else:
        count = math.ceil(extent / step)
        starts = [i * step - max((count - 1) * step + window - extent, 0) // 2 for i in range(count)]
    return [[p if 0 <= p < extent else None for p in range(s, s + window)] for s in starts]


def slide(x: Any, window: tuple[int, int], stride: tuple[int, int], padding: str, function: Callable[..., Any]) -> Any:
    """function(list of (tap row, tap column, input row, input column)) for every output position, as an int8 array."""
    rows = positions(x.shape[0], window[0], stride[0], padding)
    columns = positions(x.shape[1], window[1], stride[1], padding)
    result = []
    for under_rows in rows:
        line = []
        for under_columns in columns:
            taps = [
                (i, j, row, column)
                for i, row in enumerate(under_rows)
                for j, column in enumerate(under_columns)
                if row is not None and column is not None
            ]
            line.append(function(taps))
        result.append(line)
    return np.array(result, dtype=np.int8)


def conv2d(
    x: Any,
    weights: Any,
    bias: Any,
    factors: Sequence[tuple[int, int]],
    *,
    stride: tuple[int, int],
    padding: str,
    zero_points: tuple[int, int],
    limits: Limits,
) -> Any:
    """x: [h, w, c]; weights: [out, kh, kw, c]."""

    def at(taps: Any) -> list[int]:
        sums = []
        for o in range(weights.shape[0]):
            total = int(bias[o])
            for i, j, row, column in taps:
                for c in range(x.shape[2]):
                    total += (int(x[row, column, c]) - zero_points[0]) * int(weights[o, i, j, c])
            sums.append(clamp(scaled(total, factors[o]) + zero_points[1], limits))
        return sums

    return slide(x, weights.shape[1:3], stride, padding, at)


def depthwise_conv2d(
    x: Any,
    weights: Any,
    bias: Any,
    factors: Sequence[tuple[int, int]],
    *,
    stride: tuple[int, int],
    padding: str,
    zero_points: tuple[int, int],
    limits: Limits,
) -> Any:
    """x: [h, w, c]; weights: [1, kh, kw, out]."""
    multiple = weights.shape[3] // x.shape[2]

    def at(taps: Any) -> list[int]:
        sums = []
        for o in range(weights.shape[3]):
            total = int(bias[o])
            for i, j, row, column in taps:
                total += (int(x[row, column, o // multiple]) - zero_points[0]) * int(weights[0, i, j, o])
            sums.append(clamp(scaled(total, factors[o]) + zero_points[1], limits))
        return sums

    return slide(x, weights.shape[1:3], stride, padding, at)


def fully_connected(
    x: Any,
    weights: Any,
    bias: Any,
    factors: Sequence[tuple[int, int]],
    *,
    zero_points: tuple[int, int],
    limits: Limits,
) -> Any:
    """x: any shape; weights: [out, in]."""
    result = []
    for row in x.reshape(-1, weights.shape[1]).tolist():
        for o, line in enumerate(weights.tolist()):
            total = int(bias[o]) + sum((v - zero_points[0]) * w for v, w in zip(row, line))
            result.append(clamp(scaled(total, factors[o]) + zero_points[1], limits))
    return np.array(result, dtype=np.int8)


def max_pool2d(x: Any, window: tuple[int, int], stride: tuple[int, int], padding: str, limits: Limits) -> Any:
    def at(taps: Any) -> list[int]:
        return [clamp(max(int(x[r, c, k]) for _, _, r, c in taps), limits) for k in range(x.shape[2])]

    return slide(x, window, stride, padding, at)


def average_pool2d(x: Any, window: tuple[int, int], stride: tuple[int, int], padding: str, limits: Limits) -> Any:
    def at(taps: Any) -> list[int]:
        sums = [sum(int(x[r, c, k]) for _, _, r, c in taps) for k in range(x.shape[2])]
        return [clamp(nearest_away(Fraction(total, len(taps))), limits) for total in sums]

    return slide(x, window, stride, padding, at)


def add(a: Any, b: Any, scales: tuple[float, float, float], zero_points: tuple[int, int, int], limits: Limits) -> Any:
    twice = 2.0 * max(scales[0], scales[1])
    factors = [multiplier(scales[0] / twice), multiplier(scales[1] / twice), multiplier(twice / (2**20 * scales[2]))]

    def one(p: int, q: int) -> int:
        first = scaled((p - zero_points[0]) * 2**20, factors[0])
        second = scaled((q - zero_points[1]) * 2**20, factors[1])
        return clamp(scaled(first + second, factors[2]) + zero_points[2], limits)

    values = [one(int(p), int(q)) for p, q in zip(a.reshape(-1), b.reshape(-1))]
    return np.array(values, dtype=np.int8).reshape(a.shape)


def softmax_of_reals(x: Any, scale: float, beta: float) -> Any:
    """The real softmax over the last dimension in units of 1/256 above -128, not rounded (float64)."""
    real = np.exp(beta * scale * (x.astype(np.float64) - x.max(axis=-1, keepdims=True)))
    return real / real.sum(axis=-1, keepdims=True) * 256.0 - 128.0
