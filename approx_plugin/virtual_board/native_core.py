"""A core's timing as the C struct that native/pipeline.h declares."""

from __future__ import annotations

from approx_plugin.cores.core import FOLLOWS, UNITS, CoreTiming
from approx_plugin.cores.kinds import KINDS
from approx_plugin.virtual_board import layout


def native(core: CoreTiming) -> layout.CoreTiming:
    """The C struct."""
    out = layout.CoreTiming()
    for name, kind in core.kinds.items():
        row = out.kinds[KINDS.index(name)]
        for key, number in kind.numbers.items():
            setattr(row, key, number)
        for index, follow in enumerate(FOLLOWS):
            row.tail[index] = kind.tail.get(follow, 0)
        row.unit, row.follow = UNITS.index(kind.unit), FOLLOWS.index(kind.follow)
    for older, younger in core.pairs.items():
        out.pair[UNITS.index(older)] = sum(1 << UNITS.index(unit) for unit in younger)
    for key, number in core.numbers.items():
        setattr(out, key, number)
    return out
