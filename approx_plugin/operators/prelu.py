"""PRELU: x, and alpha * x where x is negative, with an alpha for each channel or element."""

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
class Prelu(Binary):
    """x, and alpha * x where x is negative; the second operand is alpha.

    positive, negative: the multipliers of x and of x * alpha.
    """

    kind: ClassVar[str] = "PRELU"

    given: tuple[Operand, Operand]
    positive: Multiplier
    negative: Multiplier

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Prelu:
        """See `Operator.read`. The multipliers are made in float32, as in TensorFlow Lite's PreluPrepare."""
        result = reading.output(node)
        (source, alpha), operands = read_operands(node, result)
        with np.errstate(all="ignore"):
            one = float(np.float32(source.scale) / np.float32(result.scale))
            other = float(np.float32(source.scale) * np.float32(alpha.scale) / np.float32(result.scale))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=activations((source, alpha)),
            output=result,
            given=operands,
            positive=reading.checked_multiplier(one),
            negative=reading.checked_multiplier(other),
        )

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """See `Binary.operands`."""
        return self.given

    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """See `Binary.pairs`."""
        x, alpha = first - self.given[0].zero_point, second - self.given[1].zero_point
        scaled = np.where(x >= 0, requantize(x, (self.positive,)), requantize(x * alpha, (self.negative,)))
        return np.clip(scaled + self.output.zero_point, -128, 127)
