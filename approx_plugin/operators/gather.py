"""GATHER, TILE, BROADCAST_TO, REVERSE_V2: elements picked or repeated along axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.selection import MAX_ELEMENTS, Positions, Selection


@dataclass(frozen=True, eq=False)
class Gather(Selection):
    """Constant positions of one axis."""

    kind: ClassVar[str] = "GATHER"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        if int(node.options.get("BatchDims", 0)):
            raise UnsupportedError("batch dimensions", "gather without batch_dims")
        wanted, table = reading.integers(node, 1), reading.operand(node, 1)
        assert table is not None
        axis = reading.axis(source, int(node.options.get("Axis", 0)))
        if wanted and not 0 <= min(wanted) <= max(wanted) < positions.shape[axis]:
            raise UnsupportedError(
                f"positions beyond the {positions.shape[axis]} of axis {axis}", reading.REEXPORT_HINT
            )
        return np.take(positions, np.array(wanted, dtype=np.int64).reshape(table.own_shape), axis)


@dataclass(frozen=True, eq=False)
class Tile(Selection):
    """Every axis repeated."""

    kind: ClassVar[str] = "TILE"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        times = reading.integers(node, 1)
        product = positions.size
        for count in times:
            product *= max(count, 0)
        if len(times) != positions.ndim or not 0 < product <= MAX_ELEMENTS:
            raise UnsupportedError(f"repetitions {times} of shape {list(positions.shape)}", reading.REEXPORT_HINT)
        # Split every axis in two: along (repetition, position) the places are sums.
        split = [extent for pair in zip((1,) * len(times), positions.shape) for extent in pair]
        full = [extent for pair in zip(times, positions.shape) for extent in pair]
        return np.broadcast_to(positions.reshape(split), full)

    @classmethod
    def shaped(cls, positions: Positions) -> tuple[int, ...]:
        """See `Selection.shaped`."""
        pairs = zip(positions.shape[::2], positions.shape[1::2])
        return tuple(times * extent for times, extent in pairs)


@dataclass(frozen=True, eq=False)
class BroadcastTo(Selection):
    """Axes of length 1 repeated."""

    kind: ClassVar[str] = "BROADCAST_TO"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        shape = reading.integers(node, 1)
        product = 1
        for extent in shape:
            product *= max(extent, 0)
        if not 0 < product <= MAX_ELEMENTS:
            raise UnsupportedError(f"shape {shape}", reading.REEXPORT_HINT)
        return np.broadcast_to(positions, shape)


@dataclass(frozen=True, eq=False)
class Reverse(Selection):
    """Axes from their end to their beginning."""

    kind: ClassVar[str] = "REVERSE_V2"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        return np.flip(positions, reading.axes(source, reading.integers(node, 1)))
