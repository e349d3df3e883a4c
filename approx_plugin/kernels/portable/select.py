"""`approx_select_s8`: operators that only move elements.

Their positions are a flat list; here it is taken apart again into axes along which the places of elements add up, and
into runs of neighbours, so that the code needs a few numbers for each axis instead of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted
from approx_plugin.operators.selection import FILLED, Selection

Offsets = npt.NDArray[Any]

MAX_AXES = 8
"""As many as `approx_select_s8` has."""


@dataclass(frozen=True, eq=False)
class Picking:
    """base: position of the first element. axes: of each the offsets (FILLED for fill). run: neighbours at each end."""

    base: int
    axes: tuple[Offsets, ...]
    run: int

    @property
    def runs(self) -> int:
        """How many runs there are."""
        count = 1
        for offsets in self.axes:
            count *= len(offsets)
        return count


def picking(positions: npt.NDArray[Any]) -> Picking:
    """The axes of an array of positions. Where they do not add up, or are too many, one axis holds them all."""
    if positions.max() < 0:
        return _run_of((positions.reshape(-1),), 0)
    squeezed = positions.reshape([extent for extent in positions.shape if extent != 1] or [1])
    inside = squeezed >= 0
    place = tuple(int(number) for number in np.argwhere(inside)[0])
    axes, base = [], int(squeezed[place])
    for axis in range(squeezed.ndim):
        through: Any = (*place[:axis], slice(None), *place[axis + 1 :])
        line = squeezed[through].astype(np.int64)
        least = int(line[line >= 0].min())
        axes.append(np.where(line >= 0, line - least, FILLED))
        base += least - int(squeezed[place])
    if not np.array_equal(_sums(axes, base), squeezed) or len(axes) > MAX_AXES:
        flat = squeezed.reshape(-1).astype(np.int64)
        return _run_of((flat,), 0)
    return _run_of(tuple(axes), base)


def _sums(axes: Sequence[Offsets], base: int) -> Offsets:
    """The positions that axes stand for."""
    total: Any = np.full((), base, dtype=np.int64)
    inside: Any = np.full((), True)
    for offsets in axes:
        total = total[..., None] + np.maximum(offsets, 0)
        inside = inside[..., None] & (offsets >= 0)
    return np.where(inside, total, FILLED)


def _run_of(axes: tuple[Offsets, ...], base: int) -> Picking:
    """Inner axes whose elements are neighbours become a run; neighbouring axes with one stride become one axis."""
    run = 1
    while axes and np.array_equal(axes[-1], np.arange(len(axes[-1])) * run):
        run *= len(axes[-1])
        axes = axes[:-1]
    merged: list[Offsets] = []
    for offsets in axes:
        stride = stride_of(offsets)
        before = stride_of(merged[-1]) if merged else None
        if stride is not None and before is not None and before == stride * len(offsets):
            merged[-1] = np.arange(len(merged[-1]) * len(offsets)) * stride
        else:
            merged.append(offsets)
    return Picking(base, tuple(merged), run)


def stride_of(offsets: Offsets) -> int | None:
    """The stride of offsets that need no list, None for others."""
    stride = int(offsets[1]) if len(offsets) > 1 else 0
    regular = stride >= 0 and np.array_equal(offsets, np.arange(len(offsets)) * stride)
    return stride if regular else None


def call(operator: Selection, symbol: str) -> RuntimeCall:
    """`approx_select_s8`."""
    picked = picking(operator.positions)
    definitions, rows, bytes_ = [], [], 0
    for number, offsets in enumerate(picked.axes):
        stride = stride_of(offsets)
        name = f"{symbol}_offsets_{number}"
        if stride is None:
            definitions.append(constant(name, offsets.astype(np.int32)))
            bytes_ += 4 * len(offsets)
        rows.append(f"    {{{len(offsets)}, {stride or 0}, {'0' if stride is not None else name}}},\n")
    source = f"input + {picked.base}" if picked.base else "input"
    axes = "0"
    if rows:
        axes = f"{symbol}_axes"
        definitions.append(f"static const approx_axis {axes}[{len(rows)}] = {{\n{''.join(rows)}}};\n")
    statement = f"approx_select_s8({axes}, {len(rows)}, {picked.run}, {operator.fill}, {source}, output);"
    return RuntimeCall((statement,), tuple(definitions), bytes_ + 12 * len(rows))


def work(operator: Selection, memories: Memories) -> Work:
    """One copy a run."""
    picked = picking(operator.positions)
    return counted("runtime select", {"call": 1, "runs": picked.runs, "bytes": operator.output.elements})


SERVICE = Service(Selection, call, work)
