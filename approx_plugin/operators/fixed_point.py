"""Requantisation: 32-bit accumulators to int8 by fixed-point multipliers, with the two roundings of gemmlowp.

    first  = round_half_up(accumulator * 2**left * mantissa / 2**31)     (saturating rounding doubling high multiply)
    second = round_half_away_from_zero(first / 2**right)                 (rounding divide by a power of two)
    output = clamp(second + zero_point, activation_min, activation_max)

TensorFlow Lite's reference kernels, and CMSIS-NN unless it is built for single rounding, compute exactly this. What
overflows 32 bits on the device (an accumulator, `accumulator * 2**left`, or `second + zero_point`) wraps here as well.

`requantize` is the definition, in int64. `Requantizer` gives the same bytes several times faster by float64 arithmetic
where that is provably exact, and falls back to the definition where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[Any]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1

LARGEST_WITHOUT_WRAP = INT32_MAX - 128
"""Nothing wraps, and the output rises with the accumulator, where |accumulator * 2**left| is at most this: `second` is
no larger, as the mantissa is below 2**31, and a zero point is at least -128 and at most 127.
"""

_CHUNK_ELEMENTS = 1 << 15
"""Elements that are requantised at a time: the float64 work buffers then stay in a 1 MiB second-level cache."""

_LARGEST_RIGHT_SHIFT = 12
"""Up to this right shift the float64 path is exact, see `Requantizer`."""


def wrap_int32(values: Int64Array) -> Int64Array:
    """`values` modulo 2**32 as a signed 32-bit register shows them."""
    return values.astype(np.int32).astype(np.int64)


def doubling_high_multiply(a: Int64Array, b: Int64Array) -> Int64Array:
    """gemmlowp's SaturatingRoundingDoublingHighMul of int32 values: (a * b + 2**30) >> 31, saturated.

    gemmlowp rounds with a nudge that depends on the sign and a division that truncates; both together are this floor.
    Only (-2**31)**2 saturates.
    """
    return np.minimum((a * b + (1 << 30)) >> 31, INT32_MAX)


def divide_by_power_of_two(values: Int64Array, exponent: Int64Array) -> Int64Array:
    """`values / 2**exponent`, halves rounded away from zero (gemmlowp's RoundingDivideByPOT); exponent >= 0."""
    one = np.int64(1)
    half = (one << exponent) >> 1
    return np.where(values < 0, -((-values + half) >> exponent), (values + half) >> exponent)


def requantize(accumulators: Int64Array, multipliers: Sequence[Multiplier]) -> Int64Array:
    """int32 accumulators [..., channels] times the channel's multiplier, as int32 values.

    `multipliers` has one entry for all channels, or one a channel. Source of the formula: the module's docstring.
    No product leaves int64: a wrapped accumulator and a mantissa have 31 bits, a shift to the left is at most 31.
    """
    mantissa = np.array([m.mantissa for m in multipliers], dtype=np.int64)
    shift = np.array([m.shift for m in multipliers], dtype=np.int64)
    shifted = wrap_int32(wrap_int32(accumulators) << np.maximum(shift, 0))
    return divide_by_power_of_two(doubling_high_multiply(shifted, mantissa), np.maximum(-shift, 0))


def offset_and_clamp(values: Int64Array, zero_point: int, activation_min: int, activation_max: int) -> Int64Array:
    """What `requantize` gives as the output: the zero point is added in 32 bits, then the activation limits."""
    return np.clip(wrap_int32(values + zero_point), activation_min, activation_max)


class Requantizer:
    """Turns exact sums into int8, for one layer.

    The float64 path, with e = the right shift and v = accumulator * mantissa / 2**(31 + e):
    both roundings together are floor(v + 1/2 + t) for v >= 0 and floor(v + 1/2 - t) for v < 0, where t = 2**-(e + 1)
    for e > 0 and t = 0 for e = 0 (with one shift to the left, or none, there is only the first rounding). For e <= 12
    and |v| < 512 every term is a multiple of 2**-43 below 2**10, so float64 computes it without an error; for
    |v| >= 512 the result is beyond every clamp, with or without an error. Nothing wraps, because the layer's largest
    possible accumulator is checked against LARGEST_WITHOUT_WRAP. When the activation does not pass values below the
    zero point (ReLU), the sign does not matter and one constant serves both cases.
    """

    def __init__(
        self,
        multipliers: Sequence[Multiplier],
        *,
        bias: Int64Array,
        largest: int,
        zero_point: int,
        activation_min: int,
        activation_max: int,
    ) -> None:
        """`bias` int64 [channels] is added to the sums; `largest` bounds |sum + bias| and |sum|."""
        self._multipliers = tuple(multipliers)
        self._bias, self._float_bias = bias, bias.astype(np.float64)
        self._zero_point, self._min, self._max = zero_point, activation_min, activation_max
        shift = np.array([m.shift for m in multipliers], dtype=np.int64)
        mantissa = np.array([m.mantissa for m in multipliers], dtype=np.float64)
        right = np.maximum(-shift, 0)
        widest = max(int(shift.max()), 0)
        self.exact_in_float64 = bool(right.max() <= _LARGEST_RIGHT_SHIFT) and largest << widest <= LARGEST_WITHOUT_WRAP
        self._factor = np.ldexp(mantissa, shift - 31)
        self._tie = np.where(right > 0, np.ldexp(1.0, -(right + 1)), 0.0)
        self._one_sided = activation_min >= zero_point

    def __call__(self, sums: FloatArray) -> Int8Array:
        """int8 [rows, channels] of exact integers [rows, channels] in any float or int64 type."""
        rows, channels = sums.shape
        output = np.empty((rows, channels), dtype=np.int8)
        step = max(1, _CHUNK_ELEMENTS // channels)
        chunk = self._float_chunk if self.exact_in_float64 else self._integer_chunk
        for start in range(0, rows, step):
            chunk(sums[start : start + step], output[start : start + step])
        return output

    def _float_chunk(self, sums: FloatArray, output: Int8Array) -> None:
        values = sums.astype(np.float64)
        values += self._float_bias
        values *= self._factor
        if self._one_sided:
            values += self._tie + 0.5
        else:
            values += np.copysign(self._tie, values)
            values += 0.5
        np.floor(values, out=values)
        values += self._zero_point
        np.maximum(values, self._min, out=values)
        np.minimum(values, self._max, out=values)
        np.copyto(output, values, casting="unsafe")

    def _integer_chunk(self, sums: FloatArray, output: Int8Array) -> None:
        values = requantize(sums.astype(np.int64) + self._bias, self._multipliers)
        np.copyto(output, offset_and_clamp(values, self._zero_point, self._min, self._max), casting="unsafe")
