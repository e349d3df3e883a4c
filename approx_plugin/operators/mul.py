"""MUL: the product of two operands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators import reading
from approx_plugin.operators.binary import Binary, Operand, activations, read_operands
from approx_plugin.operators.fixed_point import Int64Array, requantize


@dataclass(frozen=True, eq=False)
class Mul(Binary):
    """An elementwise product.

    given: both operands. multiplier: first scale * second scale / output scale.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kind: ClassVar[str] = "MUL"

    given: tuple[Operand, Operand]
    multiplier: Multiplier
    activation_min: int
    activation_max: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Mul:
        """See `Operator.read`. The multiplier is made in float32, as in TensorFlow Lite's MUL."""
        result = reading.output(node)
        (first, second), operands = read_operands(node, result)
        low, high = reading.activation_limits(node, result)
        with np.errstate(all="ignore"):
            real = float(np.float32(first.scale) * np.float32(second.scale) / np.float32(result.scale))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=activations((first, second)),
            output=result,
            given=operands,
            multiplier=reading.checked_multiplier(real),
            activation_min=low,
            activation_max=high,
        )

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """See `Binary.operands`."""
        return self.given

    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """See `Binary.pairs`."""
        products = (first - self.given[0].zero_point) * (second - self.given[1].zero_point)
        scaled = requantize(products, (self.multiplier,)) + self.output.zero_point
        return np.clip(scaled, self.activation_min, self.activation_max)
