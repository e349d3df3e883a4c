"""Which caches stand where: a board's timing as the cost model's memories."""

from __future__ import annotations

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import Cache, MemoryTiming
from approx_plugin.kernels.costs.counting import Memories
from approx_plugin.virtual_board.timing import Timing


def memories_of(board: Board, timing: Timing) -> Memories:
    """The caches between the core and the board's flash and RAM."""
    flash = _region(timing, board.flash.origin)
    ram = _region(timing, board.ram.origin)
    return Memories(
        code=_cache(timing, flash, flash.fetch_cache if flash else None),
        constants=_cache(timing, flash, flash.data_cache if flash else None),
        activations=_cache(timing, ram, ram.data_cache if ram else None),
    )


def _region(timing: Timing, address: int) -> MemoryTiming | None:
    """The range that an address lies in; None where nothing has to be waited for."""
    return next((m for m in timing.memories if m.origin <= address < m.origin + m.length and m.wait_states), None)


def _cache(timing: Timing, region: MemoryTiming | None, name: str | None) -> Cache | None:
    if region is None or name is None or timing.caches[name].bytes == 0:
        return None
    return timing.caches[name]
