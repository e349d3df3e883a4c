"""LOG_SOFTMAX along the last axis, in gemmlowp's fixed point."""

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
    requantize,
)
from approx_plugin.operators.softmax import differences_scaled_by, exponentials_of, one_over_one_plus

SUM_BITS = 12
"""Integer bits of the sum of exponentials: Q12.19. Longer rows may leave them."""

MAX_ROW = 1 << SUM_BITS

_LN_2, _ROOT_HALF, _ROOT_ROOT_HALF = 1488522236, 1518500250, 1805811301
_ALPHA_N, _ALPHA_D, _ALPHA_I, _ALPHA_F = 117049297, 127690142, 1057819769, 638450708
_ACCUMULATOR_BITS = 6
_QUARTER = 1 << (29 - _ACCUMULATOR_BITS)


@dataclass(frozen=True, eq=False)
class LogSoftmax(Operator):
    """The logarithm of a softmax over rows of the last axis; the output has scale 1/16 and zero point 127.

    multiplier: the input's scale in Q5.26. difference_min: of differences to the largest value that count in the sum.
    reverse: from Q5.26 back to the input's steps.
    """

    kind: ClassVar[str] = "LOG_SOFTMAX"

    multiplier: Multiplier
    difference_min: int
    reverse: Multiplier

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> LogSoftmax:
        """See `Operator.read`. Source of the parameters: TensorFlow Lite's PreprocessLogSoftmaxScalingExp."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_shape(result, source.shape)
        if result.zero_point != 127 or not math.isclose(result.scale, 1 / 16, rel_tol=1e-5):
            raise UnsupportedError(
                f"its output has scale {result.scale:g} and zero point {result.zero_point}",
                "an int8 LOG_SOFTMAX needs scale 1/16 and zero point 127; " + reading.REEXPORT_HINT,
            )
        if source.shape[-1] > MAX_ROW:
            raise UnsupportedError(f"its rows have {source.shape[-1]:,} values", f"{MAX_ROW:,} are the most")
        multiplier, difference_min = differences_scaled_by(source.scale)
        if multiplier.shift < 0:
            raise UnsupportedError(f"its input has the scale {source.scale:g}", "use a larger scale")
        real = math.ldexp(multiplier.mantissa, multiplier.shift - 31)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            multiplier=multiplier,
            difference_min=difference_min,
            reverse=quantize_multiplier(1.0 / real),
        )

    @property
    def rows(self) -> int:
        """How many there are, of `output.shape[-1]` values each."""
        return self.output.elements // self.output.shape[-1]

    @cached_property
    def scaled(self) -> Int64Array:
        """scale * -d in Q5.26 for differences d = 0 .. 255 to the largest value."""
        return requantize(-np.arange(256, dtype=np.int64), (self.multiplier,))

    @cached_property
    def terms(self) -> Int64Array:
        """What each difference adds to the sum of exponentials, in Q12.19."""
        counted = -np.arange(256, dtype=np.int64) >= self.difference_min
        found = divide_by_power_of_two(exponentials_of(np.where(counted, self.scaled, 0)), np.array(SUM_BITS, np.int64))
        return np.where(counted, found, 0)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. Source: TensorFlow Lite's integer reference LogSoftmax."""
        rows = inputs[0].reshape(-1, inputs[0].shape[-1]).astype(np.int64)
        differences = rows.max(axis=1, keepdims=True) - rows
        logarithms = logarithm(np.minimum(self.terms[differences].sum(axis=1, keepdims=True), INT32_MAX))
        reach = requantize(logarithms + INT32_MIN, (self.reverse,))
        least = np.maximum(self.difference_min - 1, reach)
        values = divide_by_power_of_two(self.scaled[differences] - logarithms, np.array(22, np.int64)) + 127
        found = np.where(-differences > least, np.clip(values, -128, 127), -128)
        return found.astype(np.int8).reshape(inputs[0].shape)


def logarithm(values: Int64Array) -> Int64Array:
    """ln(x) in Q5.26 of x >= 1 in Q12.19.

    Source: TensorFlow Lite's log_x_for_x_greater_than_or_equal_to_1_impl: x is a power of two times a number near 1,
    whose logarithm is a rational function.
    """
    headroom = 32 - np.frexp(values.astype(np.float64))[1].astype(np.int64)
    r_a = _saturated(_mul(_saturated(values << (headroom - 1)), _ROOT_HALF) << 1)
    power_a = _saturated(((SUM_BITS - headroom) << (31 - _ACCUMULATOR_BITS)) + _QUARTER)
    z_b = _mul(values, _ROOT_HALF)
    headroom_b = 31 - np.frexp(z_b.astype(np.float64))[1].astype(np.int64)
    r_b = _saturated(values << headroom_b)
    power_b = _saturated(((SUM_BITS - headroom_b) << (31 - _ACCUMULATOR_BITS)) - _QUARTER)
    r, power = np.minimum(r_a, r_b), np.maximum(power_a, power_b)
    p = (r + _ROOT_ROOT_HALF + 1) >> 1
    q = 2 * (r - _ROOT_ROOT_HALF)
    square = _mul(q, q)
    numerator = _mul(q, r) + _mul(_mul(q, square), _ALPHA_N)
    denominator = _mul(p, _ALPHA_I + q + _mul(square, _ALPHA_D)) + _mul(q, _ALPHA_F)
    near_one = _mul(
        divide_by_power_of_two(numerator, np.array(_ACCUMULATOR_BITS, np.int64)), one_over_one_plus(denominator)
    )
    return _saturated((_mul(power, _LN_2) + near_one) << 1)


def _mul(a: Int64Array, b: Int64Array | int) -> Int64Array:
    return doubling_high_multiply(a, np.asarray(b, dtype=np.int64))


def _saturated(values: Int64Array) -> Int64Array:
    return np.clip(values, INT32_MIN, INT32_MAX)
