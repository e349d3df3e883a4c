"""What stands behind a report's pictures: pieces of the arena, what was skipped where, how significances spread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.program import MemoryPlan

MAP_ROWS, MAP_COLUMNS = 64, 144
"""Cells of a `SkipMap` at most. Larger layers have several channels or operands in a cell."""

SHADES = "0123456789abcde"
"""Of a cell: which share of its coefficients was left out, in fourteenths, rounded up so that `0` means none."""

EMPTY = "."
"""A cell in which the exact network has no coefficient that is not 0."""

DECADES = 6
"""That a histogram covers at most, below the largest significance; smaller ones are in its first bin."""

BINS = 4
"""Of each decade."""


@dataclass(frozen=True)
class ArenaPiece:
    """A buffer of the arena. kind: "activation" or "scratch"; offset, size: bytes; first, last: the layers (indexes)
    between which it must keep its content.
    """

    name: str
    kind: str
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class SkipMap:
    """Which products of a layer were left out.

    channels, operands: the extents of its coefficients, [output channels, operands]. rows: from the first output
    channel on, texts of one character per cell, of `SHADES` or `EMPTY`; all rows are equally long, and all cells hold
    equally many channels and operands but for the last ones. dropped, held: by row, coefficients that were left out,
    and those that the exact network has (not 0).
    """

    channels: int
    operands: int
    rows: tuple[str, ...]
    dropped: tuple[int, ...]
    held: tuple[int, ...]


@dataclass(frozen=True)
class Histogram:
    """The significances of a layer's products, those of coefficients of 0 left out.

    edges: of the bins, ascending, one more than there are bins; a product below the first edge is in the first bin.
    kept, dropped: products by bin. unbounded: products without a significance, which no threshold drops.
    """

    edges: tuple[float, ...]
    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    unbounded: int


@dataclass(frozen=True)
class CostLimit:
    """A cost that the target names.

    name: "flash" (of the steps), "RAM" (the arena), "cycles" or "latency"; limit, reached: in `unit`, estimated.
    """

    name: str
    limit: float
    reached: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.reached <= self.limit


def arena_pieces(plan: MemoryPlan) -> tuple[ArenaPiece, ...]:
    """All of the arena, by the time at which they begin, then by offset."""
    found = [
        ArenaPiece(b.name, kind, b.offset, b.size, b.first, b.last)
        for kind, buffers in (("activation", plan.activations), ("scratch", plan.scratch))
        for b in buffers.values()
    ]
    return tuple(sorted(found, key=lambda piece: (piece.first, piece.offset, piece.name)))


def skip_map(exact: npt.NDArray[np.bool_], dropped: npt.NDArray[np.bool_]) -> SkipMap:
    """Both bool [output channels, operands], flat operands: the coefficients that are not 0, and those left out."""
    channels, operands = exact.shape
    high, wide = -(-channels // MAP_ROWS), -(-operands // MAP_COLUMNS)
    held, lost = _binned(exact, high, wide), _binned(dropped, high, wide)
    rows = tuple("".join(_cell(int(h), int(d)) for h, d in zip(*pair)) for pair in zip(held, lost))
    return SkipMap(
        channels, operands, rows, tuple(int(row.sum()) for row in lost), tuple(int(row.sum()) for row in held)
    )


def _cell(held: int, dropped: int) -> str:
    return SHADES[-(-(len(SHADES) - 1) * dropped // held)] if held else EMPTY


def _binned(flags: npt.NDArray[np.bool_], high: int, wide: int) -> npt.NDArray[np.int64]:
    """Counts by cells of `high` x `wide`."""
    rows = np.add.reduceat(flags.astype(np.int64), range(0, flags.shape[0], high), axis=0)
    return np.add.reduceat(rows, range(0, flags.shape[1], wide), axis=1)


def histogram(values: npt.NDArray[np.float64], level: float | None) -> Histogram | None:
    """values: flat, significances by which products are dropped, >= 0, infinite where none is known.

    level: the threshold; None: the layer is exact. None where there is no finite value above 0.
    """
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if not positive.size:
        return None
    top = math.ceil(BINS * math.log10(float(positive.max())) + 1e-9)
    low = max(math.floor(BINS * math.log10(float(positive.min()))), top - BINS * DECADES)
    low = min(low, top - 1)
    edges = [float(f"{10 ** (step / BINS):.4g}") for step in range(low, top + 1)]
    # A rounded edge may lie a little below the largest value.
    place = np.clip(np.searchsorted(edges, finite, side="right") - 1, 0, len(edges) - 2)
    fallen = finite <= (-1.0 if level is None else level)
    dropped = np.bincount(place[fallen], minlength=len(edges) - 1)
    kept = np.bincount(place[~fallen], minlength=len(edges) - 1)
    return Histogram(tuple(edges), tuple(map(int, kept)), tuple(map(int, dropped)), int(values.size - finite.size))
