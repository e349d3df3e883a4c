"""STRIDED_SLICE, SLICE, SPLIT, SPLIT_V, UNPACK: a part of an activation.

Operators with several outputs come here as one node for each output, whose option `Part` numbers it: see
`tflite/expansion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.selection import Positions, Selection

PART, PARTS = "Part", "Parts"
"""Options of a node that is one output of several: its number, and how many there are."""


@dataclass(frozen=True, eq=False)
class StridedSlice(Selection):
    """Python's slicing: begin, end, step for each axis, with TFLite's five masks."""

    kind: ClassVar[str] = "STRIDED_SLICE"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        return np.asarray(positions[python_index(node)])


def python_index(node: Node) -> Any:
    """The index of a Python array that the operands of a STRIDED_SLICE stand for."""
    begin, end, step = (reading.integers(node, position) for position in (1, 2, 3))
    if node.options.get("Offset", False):
        raise UnsupportedError("its ends are offsets", "export again without the attribute `offset`")
    if not len(begin) == len(end) == len(step) or 0 in step:
        raise UnsupportedError("its begins, ends and strides do not fit together", reading.REEXPORT_HINT)
    masks = {
        name: int(node.options.get(f"{name}Mask", 0)) for name in ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")
    }
    index: list[Any] = []
    for axis, (first, last, stride) in enumerate(zip(begin, end, step)):
        bit = 1 << axis
        if masks["Ellipsis"] & bit:
            index.append(Ellipsis)
        elif masks["NewAxis"] & bit:
            index.append(np.newaxis)
        elif masks["ShrinkAxis"] & bit:
            index.append(first)
        else:
            low = None if masks["Begin"] & bit else first
            index.append(slice(low, None if masks["End"] & bit else last, stride))
    return tuple(index)


@dataclass(frozen=True, eq=False)
class Slice(Selection):
    """A box: begin and size for each axis, -1 for the rest of it."""

    kind: ClassVar[str] = "SLICE"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        return np.asarray(positions[box_index(reading.integers(node, 1), reading.integers(node, 2))])


def box_index(begin: Sequence[int], size: Sequence[int]) -> Any:
    """The index of a Python array that the operands of a SLICE stand for."""
    if len(begin) != len(size) or min(begin, default=0) < 0:
        raise UnsupportedError("its begins and sizes do not fit together", reading.REEXPORT_HINT)
    return tuple(slice(first, None if count == -1 else first + count) for first, count in zip(begin, size))


@dataclass(frozen=True, eq=False)
class Split(Selection):
    """One of several parts of the same size."""

    kind: ClassVar[str] = "SPLIT"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        axis = reading.axis(source, reading.integers(node, 1)[0])
        return np.asarray(np.split(positions, reading.option(node, PARTS), axis)[reading.option(node, PART)])

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Split:
        """See `Operator.read`. The axis is the first operand, the activation the second."""
        swapped = Node(node.index, node.builtin, (*node.inputs[1:2], *node.inputs[:1]), node.outputs, node.options)
        return super().read(swapped, index, name)


@dataclass(frozen=True, eq=False)
class SplitV(Selection):
    """One of several parts of given sizes, -1 for what is left."""

    kind: ClassVar[str] = "SPLIT_V"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        axis = reading.axis(source, reading.integers(node, 2)[0])
        sizes = reading.integers(node, 1)
        left = positions.shape[axis] - sum(size for size in sizes if size != -1)
        sizes = [left if size == -1 else size for size in sizes]
        if sum(sizes) != positions.shape[axis] or min(sizes) < 0 or len(sizes) != reading.option(node, PARTS):
            raise UnsupportedError(f"parts of sizes {sizes} of axis {axis}", reading.REEXPORT_HINT)
        return np.asarray(np.split(positions, np.cumsum(sizes)[:-1], axis)[reading.option(node, PART)])


@dataclass(frozen=True, eq=False)
class Unpack(Selection):
    """One position of an axis, which is then gone."""

    kind: ClassVar[str] = "UNPACK"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        axis = reading.axis(source, int(node.options.get("Axis", 0)))
        return np.asarray(np.take(positions, reading.option(node, PART), axis))
