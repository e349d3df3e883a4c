"""Operators that only move elements: every output element is one input element, or a constant.

Which one follows from the file, so it is worked out when the file is read: the operator's definition is applied to the
array 0, 1, 2, ... of the input's positions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators import reading

FILLED = -1
"""In the place of a position: the element is the fill value."""

MAX_ELEMENTS = 1 << 24
"""Of an activation that is moved; far beyond any microcontroller's memory."""

SelectionType = TypeVar("SelectionType", bound="Selection")
Positions = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Selection(Operator):
    """Elements of one activation in another order, some left out, some repeated, some filled.

    positions: int32 of `extents`, the input element of each output element (C order), FILLED for `fill`. The extents
               are the output's shape, possibly with axes split or merged: along them the positions are a sum of one
               number for each axis, which is what kernels make use of.
    fill:      an int8 number.
    """

    positions: Int32Array
    fill: int

    @classmethod
    @abstractmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """What the operator makes of an input that holds its own positions (of `source.own_shape`).

        Any shape whose elements are the output's in C order. Raises UnsupportedError.
        """

    @classmethod
    def filled(cls, node: Node, source: Tensor) -> int:
        """The fill value: the zero point, unless the operator says otherwise."""
        return source.zero_point

    @classmethod
    def shaped(cls, positions: Positions) -> tuple[int, ...]:
        """The output's shape that belongs to what `picked` gives."""
        return positions.shape

    @classmethod
    def read(cls: type[SelectionType], node: Node, index: int, name: str) -> SelectionType:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_quantization(node, source, result)
        if max(source.elements, result.elements) > MAX_ELEMENTS:
            raise UnsupportedError(f"it moves {source.elements:,} elements", "use smaller activations")
        try:
            found = cls.picked(node, source, np.arange(source.elements, dtype=np.int32).reshape(source.own_shape))
        except (IndexError, ValueError) as error:
            raise UnsupportedError(f"its operands do not fit its input: {error}", reading.REEXPORT_HINT) from error
        reading.own_shape(result, cls.shaped(found))
        positions = np.ascontiguousarray(found, dtype=np.int32)
        positions.flags.writeable = False
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            positions=positions,
            fill=cls.filled(node, source),
        )

    @cached_property
    def _moves_nothing(self) -> bool:
        count = self.inputs[0].elements
        return self.positions.size == count and bool(
            np.array_equal(self.positions.reshape(-1), np.arange(count, dtype=np.int32))
        )

    @property
    def is_alias(self) -> bool:
        """Where every element stays where it is, e.g. a transposition that moves axes of length 1."""
        return self._moves_nothing

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count = len(inputs[0])
        flat, places = inputs[0].reshape(count, -1), self.positions.reshape(-1)
        moved: Int8Array = np.take(flat, np.maximum(places, 0), axis=1)
        if places.min(initial=0) < 0:
            moved[:, places < 0] = self.fill
        return moved.reshape(count, *self.output.shape[1:])
