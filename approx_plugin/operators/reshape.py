"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators import reading

ViewType = TypeVar("ViewType", bound="View")


@dataclass(frozen=True, eq=False)
class View(Operator):
    """A change of shape. It is an alias: no code and no buffer in the firmware."""

    @classmethod
    def read(cls: type[ViewType], node: Node, index: int, name: str) -> ViewType:
        """See `Operator.read`. The output tensor's static shape counts, if it has as many elements as the input."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_quantization(node, source, result)
        if source.elements != result.elements:
            cls.check(node, source, result)
        if source.elements != result.elements:
            raise UnsupportedError(
                f"{list(source.own_shape)} and {list(result.own_shape)} differ in their number of elements",
                reading.REEXPORT_HINT,
            )
        return cls(index=index, name=name, label=result.name, inputs=(source,), output=result)

    @classmethod
    def check(cls, node: Node, source: Tensor, result: Tensor) -> None:
        """Raise ShapeError if the operands give another shape than the output's static one."""

    @property
    def is_alias(self) -> bool:
        """Always."""
        return True

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        return inputs[0].reshape(len(inputs[0]), *self.output.shape[1:])


@dataclass(frozen=True, eq=False)
class Reshape(View):
    """Another shape with as many elements."""

    kind: ClassVar[str] = "RESHAPE"

    @classmethod
    def check(cls, node: Node, source: Tensor, result: Tensor) -> None:
        """By the constant shape operand, in which one extent may be -1."""
        target = reading.operand(node, 1)
        if target is None or target.data is None:
            return
        shape = reading.integers(node, 1)
        known = math.prod(extent for extent in shape if extent != -1)
        full = tuple(source.elements // known if extent == -1 and known > 0 else extent for extent in shape)
        if min(full, default=1) > 0 and math.prod(full) == source.elements:
            reading.own_shape(result, full)


@dataclass(frozen=True, eq=False)
class Squeeze(View):
    """Without axes of length 1."""

    kind: ClassVar[str] = "SQUEEZE"


@dataclass(frozen=True, eq=False)
class ExpandDims(View):
    """With one more axis of length 1."""

    kind: ClassVar[str] = "EXPAND_DIMS"
