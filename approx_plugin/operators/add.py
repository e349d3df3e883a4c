"""ADD and SUB: the sum and the difference of two operands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from approx_plugin.model.node import Node
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.operators import reading
from approx_plugin.operators.binary import Binary, Operand, activations, read_operands
from approx_plugin.operators.fixed_point import Int64Array, offset_and_clamp, requantize

LEFT_SHIFT = 20
"""Bits that both inputs gain before they are scaled. Source: TensorFlow Lite's int8 ADD."""

AddType = TypeVar("AddType", bound="Add")


@dataclass(frozen=True, eq=False)
class Add(Binary):
    """An elementwise sum.

    multipliers: one an input, that bring both to the scale 2 * max(input scales) / 2**20.
    output_multiplier: from there to the output's scale.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    given: both operands; () for two activations of the output's shape.
    """

    kind: ClassVar[str] = "ADD"
    sign: ClassVar[int] = 1
    """Of the second operand."""

    multipliers: tuple[Multiplier, Multiplier]
    output_multiplier: Multiplier
    activation_min: int
    activation_max: int
    given: tuple[Operand, ...] = ()

    @classmethod
    def read(cls: type[AddType], node: Node, index: int, name: str) -> AddType:
        """See `Operator.read`. Multipliers: TensorFlow Lite's ADD and SUB, in double precision."""
        result = reading.output(node)
        (first, second), operands = read_operands(node, result)
        low, high = reading.activation_limits(node, result)
        twice_the_larger = 2.0 * max(first.scale, second.scale)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=activations((first, second)),
            output=result,
            multipliers=(
                quantize_multiplier(first.scale / twice_the_larger),
                quantize_multiplier(second.scale / twice_the_larger),
            ),
            output_multiplier=reading.checked_multiplier(twice_the_larger / ((1 << LEFT_SHIFT) * result.scale)),
            activation_min=low,
            activation_max=high,
            given=operands,
        )

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """See `Binary.operands`."""
        if not self.given:
            first, second = (Operand(tensor.own_shape, tensor.zero_point) for tensor in self.inputs)
            return first, second
        return self.given[0], self.given[1]

    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """See `Binary.pairs`."""
        one, other = (
            requantize((values - operand.zero_point) << LEFT_SHIFT, (multiplier,))
            for values, operand, multiplier in zip((first, second), self.operands, self.multipliers)
        )
        sums = requantize(one + self.sign * other, (self.output_multiplier,))
        return offset_and_clamp(sums, self.output.zero_point, self.activation_min, self.activation_max)


@dataclass(frozen=True, eq=False)
class Sub(Add):
    """An elementwise difference."""

    kind: ClassVar[str] = "SUB"
    sign: ClassVar[int] = -1
