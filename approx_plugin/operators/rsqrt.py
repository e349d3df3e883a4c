"""RSQRT: a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array, requantize
from approx_plugin.operators.inverse_root import inverse_roots, scaled
from approx_plugin.operators.table import INPUTS, Table

_SHIFT = 20
"""Fraction bits of the intermediate result."""


@dataclass(frozen=True, eq=False)
class Rsqrt(Table):
    """1 / sqrt(x). Zero gives the largest output, and so does x < 0, which TensorFlow Lite refuses at run time."""

    kind: ClassVar[str] = "RSQRT"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        """See `Table.values`. Source: TensorFlow Lite's RsqrtEvalQuantized."""
        above = INPUTS - source.zero_point
        with np.errstate(over="ignore"):
            real = float(np.float32(1) / (np.sqrt(np.float32(source.scale)) * np.float32(result.scale)))
        factor = reading.checked_multiplier(real)
        if factor.shift - _SHIFT < -31:
            raise UnsupportedError(f"its scales give the multiplier {real:g}", reading.REEXPORT_HINT)
        mantissas, shifts = inverse_roots(np.maximum(above, 0))
        data = scaled(np.ones_like(above), mantissas, shifts + _SHIFT)
        values = requantize(data, (Multiplier(factor.mantissa, factor.shift - _SHIFT),)) + result.zero_point
        return np.where(above > 0, values, 127)
