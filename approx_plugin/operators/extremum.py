"""MAXIMUM and MINIMUM of two operands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from approx_plugin.model.node import Node
from approx_plugin.operators import reading
from approx_plugin.operators.binary import Binary, Operand, activations, read_operands
from approx_plugin.operators.fixed_point import Int64Array

MaximumType = TypeVar("MaximumType", bound="Maximum")


@dataclass(frozen=True, eq=False)
class Maximum(Binary):
    """The larger one of two elements; both operands and the output have one scale and zero point."""

    kind: ClassVar[str] = "MAXIMUM"

    given: tuple[Operand, Operand]

    @classmethod
    def read(cls: type[MaximumType], node: Node, index: int, name: str) -> MaximumType:
        """See `Operator.read`."""
        result = reading.output(node)
        tensors, operands = read_operands(node, result)
        for tensor in tensors:
            reading.same_quantization(node, tensor, result)
        return cls(
            index=index, name=name, label=result.name, inputs=activations(tensors), output=result, given=operands
        )

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """See `Binary.operands`."""
        return self.given

    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """See `Binary.pairs`."""
        return np.maximum(first, second)


@dataclass(frozen=True, eq=False)
class Minimum(Maximum):
    """The smaller one of two elements; both operands and the output have one scale and zero point."""

    kind: ClassVar[str] = "MINIMUM"

    def pairs(self, first: Int64Array, second: Int64Array) -> Int64Array:
        """See `Binary.pairs`."""
        return np.minimum(first, second)
