"""1 / sqrt(x) of whole numbers in fixed point: L2_NORMALIZATION and RSQRT.

Source: TensorFlow Lite's GetInvSqrtQuantizedMultiplierExp (kernels/internal/common.h): five steps of Newton-Raphson
from 1, in gemmlowp's Q3.28.
"""

from __future__ import annotations

import numpy as np

from approx_plugin.operators.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    Int64Array,
    divide_by_power_of_two,
    doubling_high_multiply,
    wrap_int32,
)

_HALF_THREE = (1 << 28) + (1 << 27)
_HALF_ROOT_OF_2 = 1518500250
_STEPS = 5


def inverse_roots(values: Int64Array) -> tuple[Int64Array, Int64Array]:
    """1 / sqrt(x) = mantissa * 2**(shift - 31) of int32 x >= 0 (0 counts as 1): mantissas and shifts.

    Shifts below 0 shift right, as those of a `Multiplier`.
    """
    value = np.maximum(values, 2)
    exponent = np.full(value.shape, 11, dtype=np.int64)
    while (value >= 1 << 29).any():
        large = value >= 1 << 29
        value = np.where(large, value >> 2, value)
        exponent = exponent + large
    headroom = 31 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    pairs = headroom // 2 - 1
    exponent = exponent - pairs
    scaled = (value << (2 * pairs)) >> 1
    half = divide_by_power_of_two(scaled, np.array(1, np.int64))
    x = np.full(value.shape, 1 << 28, dtype=np.int64)
    for _ in range(_STEPS):
        cube = _times(doubling_high_multiply(doubling_high_multiply(x, x), x), 6)
        difference = doubling_high_multiply(np.full_like(x, _HALF_THREE), x) - doubling_high_multiply(half, cube)
        x = _times(wrap_int32(difference), 3)
    mantissa = doubling_high_multiply(x, np.full_like(x, _HALF_ROOT_OF_2))
    mantissa = wrap_int32(mantissa << np.maximum(-exponent, 0))
    exponent = np.maximum(exponent, 0)
    one = values <= 1
    return np.where(one, INT32_MAX, mantissa), np.where(one, 0, -exponent)


def _times(values: Int64Array, bits: int) -> Int64Array:
    """values * 2**bits, saturated."""
    return np.clip(values << bits, INT32_MIN, INT32_MAX)


def scaled(values: Int64Array, mantissas: Int64Array, shifts: Int64Array) -> Int64Array:
    """Each value times its own factor, rounded twice; see `fixed_point.requantize`."""
    shifted = wrap_int32(wrap_int32(values) << np.maximum(shifts, 0))
    return divide_by_power_of_two(doubling_high_multiply(shifted, mantissas), np.maximum(-shifts, 0))
