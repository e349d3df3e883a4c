"""ARG_MAX and ARG_MIN: where along an axis the largest, or smallest, element is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading

_WIDTHS = {"int32": 4, "int64": 8}

ArgType = TypeVar("ArgType", bound="ArgMax")


@dataclass(frozen=True, eq=False)
class ArgMax(Operator):
    """The index of the largest element along an axis, the first of several; int32 or int64, as bytes of the output.

    outer, count, inner: elements in front of the axis, along it, and behind it. width: bytes of an index.
    """

    kind: ClassVar[str] = "ARG_MAX"
    smallest: ClassVar[bool] = False

    outer: int
    count: int
    inner: int
    width: int

    @classmethod
    def read(cls: type[ArgType], node: Node, index: int, name: str) -> ArgType:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        if result.element not in _WIDTHS:
            raise UnsupportedError("its output is used inside of the network", "make it an output of the model")
        axis = reading.axis(source, reading.integers(node, 1)[0])
        shape, width = source.own_shape, _WIDTHS[result.element]
        if result.elements * shape[axis] != source.elements * width:
            raise UnsupportedError(f"its output has shape {list(result.own_shape[:-1])}", reading.REEXPORT_HINT)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            outer=math.prod(shape[:axis]),
            count=shape[axis],
            inner=math.prod(shape[axis + 1 :]),
            width=width,
        )

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        values = inputs[0].reshape(len(inputs[0]), self.outer, self.count, self.inner)
        found = (np.argmin if self.smallest else np.argmax)(values, axis=2)
        content = found.astype(f"<i{self.width}").tobytes()
        return np.frombuffer(content, np.int8).reshape(len(values), *self.output.shape[1:])


@dataclass(frozen=True, eq=False)
class ArgMin(ArgMax):
    """The index of the smallest element along an axis, likewise."""

    kind: ClassVar[str] = "ARG_MIN"
    smallest: ClassVar[bool] = True
