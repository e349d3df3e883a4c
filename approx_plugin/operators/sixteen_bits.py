"""Sigmoid and hyperbolic tangent of 16-bit fixed point, as gemmlowp computes them: the gates of an LSTM.

Source: gemmlowp's fixedpoint/fixedpoint.h with int16 as the raw type; its int32 constants become int16 by a rounding
shift. Qi.f has i integer bits and f = 15 - i fraction bits. Each function has one result for each of 65536 numbers, so
it is a table here; the runtime computes it (`approx_lstm.c`).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from approx_plugin.operators.fixed_point import Int64Array, divide_by_power_of_two

Int16Array = npt.NDArray[np.int16]

_ONE = 32767
"""1 in Q0.15, as near as it gets."""

GATE_BITS = 3
"""Integer bits of what goes into a gate's sigmoid, or into the tanh of the new cell values: Q3.12."""


def _constant(real: float) -> int:
    """A real constant below 1 (or in units of its format) as gemmlowp has it: rounded to 31 bits, then to 15."""
    return (math.floor(real * (1 << 31) + 0.5) + (1 << 15)) >> 16


_EXP_EIGHTH, _THIRD = _constant(math.exp(-0.125)), _constant(1 / 3)
_POWERS = {exponent: _constant(math.exp(-(2.0**exponent))) for exponent in range(-2, 5)}
_48_17, _32_17 = _constant(48 / 17 / 4), _constant(32 / 17 / 4)
"""In Q2.13."""


def sigmoid(values: Int64Array) -> Int64Array:
    """1 / (1 + exp(-x)) in Q0.15 of int16 numbers in Q3.12."""
    found: Int64Array = _sigmoids()[values + 32768].astype(np.int64)
    return found


def tanh(values: Int64Array, integer_bits: int) -> Int64Array:
    """The hyperbolic tangent in Q0.15 of int16 numbers with 0 to 6 integer bits."""
    found: Int64Array = _tangents(integer_bits)[values + 32768].astype(np.int64)
    return found


@lru_cache(maxsize=1)
def _sigmoids() -> Int16Array:
    every = np.arange(-32768, 32768, dtype=np.int64)
    half = _one_over_one_plus(_exp_of_negative(-np.abs(every), GATE_BITS))
    found = np.where(every > 0, half, _ONE - half)
    return np.where(every == 0, 1 << 14, found).astype(np.int16)


@lru_cache(maxsize=8)
def _tangents(integer_bits: int) -> Int16Array:
    every = np.arange(-32768, 32768, dtype=np.int64)
    positive = _one_minus_over_one_plus(_exp_of_negative(-np.abs(every), integer_bits + 1))
    return np.where(every == 0, 0, np.where(every < 0, -positive, positive)).astype(np.int16)


def _multiply(a: Int64Array, b: Int64Array | int) -> Int64Array:
    """SaturatingRoundingDoublingHighMul of int16: both of its roundings are this floor."""
    return np.minimum((a * b + (1 << 14)) >> 15, _ONE)


def _saturated(values: Int64Array) -> Int64Array:
    return np.clip(values, -32768, 32767)


def _half(values: Int64Array, bits: int) -> Int64Array:
    return divide_by_power_of_two(values, np.array(bits, np.int64))


def _exp_of_negative(values: Int64Array, integer_bits: int) -> Int64Array:
    """exp(a) in Q0.15 of a <= 0."""
    fraction_bits = 15 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (values & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_zero(_saturated(remainder << integer_bits))
    quarters = remainder - values
    for exponent, power in _POWERS.items():
        if integer_bits > exponent:
            is_set = (quarters >> (fraction_bits + exponent)) & 1
            result = np.where(is_set == 1, _multiply(result, power), result)
    if integer_bits > 5:
        result = np.where(values < -(32 << fraction_bits), 0, result)
    return np.where(values == 0, _ONE, result)


def _exp_between_minus_quarter_and_zero(values: Int64Array) -> Int64Array:
    """exp(-1/8) * (1 + x + x2/2 + x3/6 + x4/24), x = a + 1/8, of a in Q0.15."""
    x = values + (1 << 12)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4_over_4 = _half(_multiply(x2, x2), 2)
    tail = _half(_multiply(x4_over_4 + x3, _THIRD) + x2, 1)
    return _saturated(_EXP_EIGHTH + _multiply(x + tail, _EXP_EIGHTH))


def _reciprocal(values: Int64Array) -> Int64Array:
    """2 / (1 + a) in Q2.13 of 0 <= a < 1 in Q0.15, by three steps of Newton-Raphson."""
    half_denominator = (values + _ONE + 1) >> 1
    # Halves are rounded up, so it matters that this factor is the negative one.
    x = _48_17 + _multiply(half_denominator, -_32_17)
    for _ in range(3):
        error = (1 << 13) - _multiply(half_denominator, x)
        x = x + _saturated(_multiply(x, error) << 2)
    return x


def _one_over_one_plus(values: Int64Array) -> Int64Array:
    return _saturated(_reciprocal(values) << 1)


def _one_minus_over_one_plus(values: Int64Array) -> Int64Array:
    return _saturated((_reciprocal(values) - (1 << 13)) << 2)
