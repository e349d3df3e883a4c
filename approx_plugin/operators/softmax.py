"""SOFTMAX along the last dimension, in the fixed-point arithmetic of gemmlowp.

exp and 1/(1 + x) follow gemmlowp's published algorithms (fixedpoint/fixedpoint.h): a Taylor polynomial around -1/8 with
a barrel of constants exp(-2**k), and Newton-Raphson. Numbers are int32 in int64 arrays; Qi.f has i integer bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    Int64Array,
    divide_by_power_of_two,
    doubling_high_multiply,
)

_DIFFERENCE_BITS = 5
"""Integer bits of beta * scale * (x - max): Q5.26. exp(-32) is 0 in all that follows."""

_SUM_BITS = 12
"""Integer bits of the sum of exponentials: Q12.19."""

_SUM_LIMIT = 512 << (31 - _SUM_BITS)
"""From this sum of exponentials on, every output is below half of 1/256: -128. The last step would divide by 2**32
then, which int32 code cannot; sums beyond 4096 would leave their format. Both are undefined in gemmlowp and CMSIS-NN.
"""

LONG_ROW = 512
"""Rows of this many values may reach `_SUM_LIMIT`, shorter ones do not."""

_EXP_EIGHTH = 1895147668
"""exp(-1/8) in Q0.31."""

_THIRD = 715827883
"""1/3 in Q0.31."""

_EXP_POWERS = tuple(math.floor(math.exp(-(2.0**k)) * (1 << 31) + 0.5) for k in range(-2, 5))
"""exp(-2**k) in Q0.31 for k = -2 .. 4."""

_48_17, _32_17 = 1515870810, 1010580540
"""48/17 and 32/17 in Q2.29: the straight line from which Newton-Raphson starts."""


def differences_scaled_by(scale: float) -> tuple[Multiplier, int]:
    """`Softmax.multiplier` and `difference_min` for beta * input_scale; a negative shift: the scale is too small.

    Source: TensorFlow Lite's PreprocessSoftmaxScaling and CalculateInputRadius.
    """
    fraction_bits = 31 - _DIFFERENCE_BITS
    multiplier = quantize_multiplier(min(scale * (1 << fraction_bits), float(INT32_MAX)))
    largest = ((1 << _DIFFERENCE_BITS) - 1) * (1 << fraction_bits) / 2.0**multiplier.shift
    return multiplier, -math.floor(largest)


@dataclass(frozen=True, eq=False)
class Softmax(Operator):
    """A softmax over rows of the last dimension; the output has scale 1/256 and zero point -128.

    multiplier: beta * input_scale in Q5.26. difference_min: differences to the largest value below this give 0.
    """

    kind: ClassVar[str] = "SOFTMAX"

    multiplier: Multiplier
    difference_min: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Softmax:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_shape(result, source.shape)
        if result.zero_point != -128 or not math.isclose(result.scale, 1.0 / 256.0, rel_tol=1e-5):
            raise UnsupportedError(
                f"its output has scale {result.scale:g} and zero point {result.zero_point}",
                "an int8 softmax needs scale 1/256 and zero point -128; " + reading.REEXPORT_HINT,
            )
        beta = float(node.options.get("Beta", 0.0))
        if not 0.0 < beta < math.inf:
            raise UnsupportedError(f"its beta is {beta:g}", "use a positive beta")
        multiplier, difference_min = differences_scaled_by(beta * source.scale)
        if multiplier.shift < 0:
            raise UnsupportedError(f"its input has the scale {source.scale:g}", "an int8 softmax needs a larger scale")
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            multiplier=multiplier,
            difference_min=difference_min,
        )

    @property
    def rows(self) -> int:
        """How many there are, of `output.shape[-1]` values each."""
        return self.output.elements // self.output.shape[-1]

    @cached_property
    def exponentials(self) -> Int64Array:
        """exp(beta * scale * -d) in Q0.31 for d = 0 .. 255, 0 beyond `difference_min`."""
        return exponentials(self.multiplier, self.difference_min)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        (values,) = inputs
        rows = values.reshape(-1, values.shape[-1]).astype(np.int64)
        products = probabilities(self.exponentials, rows, 8)
        return np.clip(products - 128, -128, 127).astype(np.int8).reshape(values.shape)


def exponentials(multiplier: Multiplier, difference_min: int) -> Int64Array:
    """exp(-d) in Q0.31 for differences d = 0 .. 255 of the input, scaled by `differences_scaled_by`."""
    differences = -np.arange(256, dtype=np.int64)
    counted = differences >= difference_min
    shifted = np.where(counted, differences << multiplier.shift, 0)
    scaled = doubling_high_multiply(shifted, np.int64(multiplier.mantissa))  # type: ignore[arg-type]
    return np.where(counted, exponentials_of(scaled), 0)


def probabilities(exponentials: Int64Array, rows: Int64Array, bits: int) -> Int64Array:
    """The softmax of rows [count, size] as whole numbers of 2**-bits, at most 2**bits. exponentials: see above."""
    terms = exponentials[rows.max(axis=1, keepdims=True) - rows]
    sums = divide_by_power_of_two(terms, _int64(_SUM_BITS)).sum(axis=1, keepdims=True)
    headroom = 32 - _bit_length(np.minimum(sums, _SUM_LIMIT - 1))
    reciprocals = one_over_one_plus((sums << headroom) - (1 << 31))
    # 1/sum is 2**(headroom - 12) * reciprocal; the output has `bits` of the 31 fraction bits.
    shift = _SUM_BITS - headroom + 31 - bits
    products = divide_by_power_of_two(doubling_high_multiply(reciprocals, terms), shift)
    return np.where(sums < _SUM_LIMIT, products, 0)


def _int64(value: int) -> Int64Array:
    return np.array(value, dtype=np.int64)


def _bit_length(values: Int64Array) -> Int64Array:
    """Number of bits of positive integers below 2**32 (exact in float64)."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _saturate(values: Int64Array) -> Int64Array:
    return np.clip(values, INT32_MIN, INT32_MAX)


def exponentials_of(values: Int64Array) -> Int64Array:
    """exp(a) in Q0.31 of a <= 0 in Q5.26."""
    fraction_bits = 31 - _DIFFERENCE_BITS
    quarter = 1 << (fraction_bits - 2)
    remainder_of_quarter = (values & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_zero(remainder_of_quarter << _DIFFERENCE_BITS)
    whole_quarters = remainder_of_quarter - values
    for position, power in enumerate(_EXP_POWERS):
        is_set = (whole_quarters >> (fraction_bits - 2 + position)) & 1
        result = np.where(is_set == 1, doubling_high_multiply(result, _int64(power)), result)
    return np.where(values == 0, INT32_MAX, result)


def _exp_between_minus_quarter_and_zero(values: Int64Array) -> Int64Array:
    """exp(a) in Q0.31 of -1/4 <= a < 0 in Q0.31: exp(-1/8) * (1 + x + x2/2 + x3/6 + x4/24), x = a + 1/8."""
    x = values + (1 << 28)
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4_over_4 = divide_by_power_of_two(doubling_high_multiply(x2, x2), _int64(2))
    over_6 = doubling_high_multiply(x4_over_4 + x3, _int64(_THIRD))
    tail = divide_by_power_of_two(over_6 + x2, _int64(1))
    return _EXP_EIGHTH + doubling_high_multiply(_int64(_EXP_EIGHTH), x + tail)


def one_over_one_plus(values: Int64Array) -> Int64Array:
    """1 / (1 + a) in Q0.31 of 0 <= a < 1 in Q0.31, by three steps of Newton-Raphson in Q2.29."""
    total = values + INT32_MAX
    half_denominator = (total + 1) >> 1
    x = _48_17 - doubling_high_multiply(half_denominator, _int64(_32_17))
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(half_denominator, x)
        x = x + _saturate(doubling_high_multiply(x, error) << 2)
    return _saturate(x << 1)
