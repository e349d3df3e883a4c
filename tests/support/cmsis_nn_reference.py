"""What the CMSIS-NN functions compute, from the definitions of TensorFlow Lite and gemmlowp, in plain Python integers.

Written without regard to any C implementation: rounding by sign and magnitude, padding by padding, sums by einsum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]
Integers = Union[Sequence[int], npt.NDArray[Any]]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def wrap(value: int) -> int:
    """The value that a 32-bit register holds."""
    return (value - INT32_MIN) % (1 << 32) + INT32_MIN


def saturate(value: int) -> int:
    return min(max(value, INT32_MIN), INT32_MAX)


def truncated_quotient(a: int, b: int) -> int:
    """C's division."""
    return abs(a) // b if a >= 0 else -(abs(a) // b)


def rounding_doubling_high_mul(a: int, b: int) -> int:
    """gemmlowp's SaturatingRoundingDoublingHighMul on int32."""
    product = a * b
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    return saturate(truncated_quotient(product + nudge, 1 << 31))


def rounding_divide_by_pot(value: int, exponent: int) -> int:
    """gemmlowp's RoundingDivideByPOT: to nearest, halves away from zero."""
    magnitude = (2 * abs(value) + (1 << exponent)) // (2 << exponent)
    return magnitude if value >= 0 else -magnitude


def requantise(value: int, multiplier: int, shift: int) -> int:
    """TensorFlow Lite's MultiplyByQuantizedMultiplier with two roundings."""
    return rounding_divide_by_pot(rounding_doubling_high_mul(wrap(value << max(shift, 0)), multiplier), max(-shift, 0))


def outputs(sums: Ints, multipliers: Integers, shifts: Integers, offset: int, limits: tuple[int, int]) -> Int8:
    """Sums [..., channel] to int8, with entry `channel` of multipliers and shifts."""
    flat = sums.reshape(-1, sums.shape[-1])
    low, high = limits
    made = [
        [
            min(max(wrap(requantise(wrap(int(s)), int(m), int(e)) + offset), low), high)
            for s, m, e in zip(row, multipliers, shifts)
        ]
        for row in flat
    ]
    return np.array(made, np.int8).reshape(sums.shape)


Pair = tuple[int, int]


def taps(values: Ints, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, output: Pair, fill: int) -> Ints:
    """[n, h, w, c] to [n, out h, out w, kernel h, kernel w, c], `fill` outside the image. Pairs are (h, w)."""
    behind = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(output, stride, kernel, dilation)]
    extents = values.shape[1:3]
    widths = [(p, max(0, b - p - e)) for p, b, e in zip(padding, behind, extents)]
    padded = np.pad(values, [(0, 0), *widths, (0, 0)], constant_values=fill)
    rows = np.arange(output[0])[:, None] * stride[0] + np.arange(kernel[0]) * dilation[0]
    columns = np.arange(output[1])[:, None] * stride[1] + np.arange(kernel[1]) * dilation[1]
    windows: Ints = padded[:, rows[:, None, :, None], columns[None, :, None, :], :]
    return windows


def convolution_sums(windows: Ints, filters: Ints, bias: Ints | None) -> Ints:
    """windows of (value - zero point), filters [out c, h, w, c / groups]."""
    groups = windows.shape[-1] // filters.shape[-1]
    parts = zip(np.split(windows, groups, axis=-1), np.split(filters, groups, axis=0))
    sums: Ints = np.concatenate([np.einsum("nyxhwc,ohwc->nyxo", w, f) for w, f in parts], axis=-1)
    return sums if bias is None else sums + bias


def depthwise_sums(windows: Ints, filters: Ints, bias: Ints | None) -> Ints:
    """filters [h, w, out c]; output channel i reads input channel i // multiplier."""
    repeated = np.repeat(windows, filters.shape[-1] // windows.shape[-1], axis=-1)
    sums: Ints = np.einsum("nyxhwo,hwo->nyxo", repeated, filters)
    return sums if bias is None else sums + bias


def pooled(values: Int8, windows_of: Callable[[Ints, int], Ints], is_maximum: bool, limits: tuple[int, int]) -> Int8:
    """windows_of(values, fill) are the taps. Padding is neither a maximum nor counted by a mean."""
    inside = windows_of(np.ones_like(values, np.int64), 0)
    if is_maximum:
        found = windows_of(values.astype(np.int64), -1000).max(axis=(3, 4))
    else:
        sums, counts = windows_of(values.astype(np.int64), 0).sum(axis=(3, 4)), inside.sum(axis=(3, 4))
        found = np.sign(sums) * ((2 * np.abs(sums) + counts) // (2 * counts))
    clipped: Int8 = np.clip(found, *limits).astype(np.int8)
    return clipped


def fixed_exp(value: int) -> int:
    """gemmlowp's exp_on_negative_values on a Q5.26 number, as Q0.31."""
    if value == 0:
        return INT32_MAX
    mul, quarter = rounding_doubling_high_mul, 1 << 24
    below = value % quarter - quarter
    x = below * 32 + (1 << 28)
    x2 = mul(x, x)
    x3, x4 = mul(x2, x), mul(x2, x2)
    inner = mul(rounding_divide_by_pot(x4, 2) + x3, round(2**31 / 3)) + x2
    at_minus_eighth = round(math.exp(-0.125) * 2**31)
    result = at_minus_eighth + mul(at_minus_eighth, x + rounding_divide_by_pot(inner, 1))
    quarters = (below - value) // quarter
    for bit in range(7):
        if quarters >> bit & 1:
            result = mul(result, round(math.exp(-(2.0 ** (bit - 2))) * 2**31))
    return result


def fixed_reciprocal(fraction: int) -> int:
    """gemmlowp's one_over_one_plus_x_for_x_in_0_1, Q0.31 to Q0.31."""
    mul = rounding_doubling_high_mul
    half = truncated_quotient(fraction + INT32_MAX + 1, 2)
    x = round(48 / 17 * 2**29) + mul(half, -round(32 / 17 * 2**29))
    for _ in range(3):
        x = wrap(x + saturate(mul(x, (1 << 29) - mul(half, x)) * 4))
    return saturate(2 * x)


def softmax_row(row: Sequence[int], multiplier: int, shift: int, diff_min: int) -> list[int]:
    top = max(row)
    powers = {
        d: fixed_exp(rounding_doubling_high_mul(wrap(d << shift), multiplier))
        for d in {v - top for v in row}
        if d >= diff_min
    }
    total = sum(rounding_divide_by_pot(powers[v - top], 12) for v in row if v - top in powers)
    headroom = 32 - total.bit_length()
    scale = fixed_reciprocal((total << headroom) - (1 << 31))
    bits = 12 - headroom + 31 - 8

    def probability(difference: int) -> int:
        if difference not in powers:
            return -128
        return min(rounding_divide_by_pot(rounding_doubling_high_mul(scale, powers[difference]), bits) - 128, 127)

    return [probability(v - top) for v in row]
