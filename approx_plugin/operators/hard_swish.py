"""HARD_SWISH: x * relu6(x + 3) / 6, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.quantization import quantize_multiplier
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.fixed_point import Int64Array, divide_by_power_of_two
from approx_plugin.operators.table import INPUTS, Table

_HIGH_RESOLUTION = 7
"""Bits by which the input is scaled up."""

_BITS = 15
"""Of a 16-bit fraction: no shift is longer."""

_MIN16, _MAX16 = -(1 << 15), (1 << 15) - 1


@dataclass(frozen=True, eq=False)
class HardSwish(Table):
    """The piecewise quadratic swish of MobileNetV3, in the 16-bit fixed point of TensorFlow Lite."""

    kind: ClassVar[str] = "HARD_SWISH"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`. Source: TensorFlow Lite's HardSwishPrepare and reference HardSwish."""
        fine = np.float32(source.scale) * np.float32(1.0 / (1 << _HIGH_RESOLUTION))
        output = quantize_multiplier(float(fine / np.float32(result.scale)))
        three = np.float32(3.0 / 32768.0)
        relu = quantize_multiplier(float(fine / three))
        if not -_BITS <= output.shift <= 0 or relu.shift < -_BITS:
            raise UnsupportedError(
                f"its 16-bit arithmetic does not reach from input scale {source.scale:g} to output scale "
                f"{result.scale:g}",
                "calibrate with data that covers inputs and outputs",
            )
        raised = (INPUTS - source.zero_point) << _HIGH_RESOLUTION
        outputs = _times(raised, _mantissa16(output.mantissa))
        part = raised
        if relu.shift > 0:
            part = np.clip(part << (relu.shift - 1), _MIN16, _MAX16)
        part = _times(part, _mantissa16(relu.mantissa))
        if relu.shift > 0:
            part = np.clip(part << 1, _MIN16, _MAX16)
        elif relu.shift < 0:
            part = divide_by_power_of_two(part, np.array(-relu.shift))
        gate = (part + (1 << 15)) >> 1
        products = _truncated(gate * outputs)
        if output.shift < 0:
            products = divide_by_power_of_two(products, np.array(-output.shift))
        return products + result.zero_point


def _mantissa16(mantissa: int) -> int:
    """A 31-bit mantissa with 15 bits, rounded and saturated (DownScaleInt32ToInt16Multiplier)."""
    return (mantissa + (1 << 15)) >> 16 if mantissa < _MAX16 << 16 else _MAX16


def _times(values: Int64Array, factor: int) -> Int64Array:
    """SaturatingRoundingDoublingHighMul of int16 values: halves rounded up, by gemmlowp's nudge and truncation."""
    product = values * factor
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return _truncated(nudged)


def _truncated(values: Int64Array) -> Int64Array:
    """values / 2**15 by C's division, towards zero."""
    quotients: Int64Array = np.sign(values) * (np.abs(values) >> 15)
    return quotients
