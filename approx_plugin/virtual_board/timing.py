"""What turns executed instructions into cycles: a core's table and a board's memory system, as plain values."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import Cache, MemoryTiming
from approx_plugin.cores.core import CoreTiming, load_core
from approx_plugin.errors import BoardError
from approx_plugin.virtual_board import layout


@dataclass(frozen=True)
class Timing:
    """Everything that turns executed instructions into cycles.

    references: "FLASH wait_states" -> where the number comes from.
    """

    core: CoreTiming
    memories: tuple[MemoryTiming, ...]
    caches: Mapping[str, Cache]
    references: Mapping[str, str] = field(default_factory=dict, repr=False)

    def with_memory(self, name: str, **changes: Any) -> Timing:
        """The same with some fields of one memory changed: what if flash had one wait state more?"""
        if not any(memory.name == name for memory in self.memories):
            raise BoardError(f"there is no memory '{name}'", hint=", ".join(m.name for m in self.memories))
        changed = tuple(replace(m, **changes) if m.name == name else m for m in self.memories)
        return replace(self, memories=changed)

    def without_cache(self, name: str) -> Timing:
        """The same with a cache switched off."""
        if name not in self.caches:
            raise BoardError(f"there is no cache '{name}'", hint=", ".join(self.caches))
        return replace(self, caches={**self.caches, name: Cache(0, 0, 0)})

    def fill(self, library: ctypes.CDLL, out: layout.Memory) -> None:
        """Write the memory system into the C struct; `library.cache_free` frees its caches."""
        names = list(self.caches)
        ports = sorted({memory.port for memory in self.memories if memory.port is not None})
        out.ahead, out.line_region = self.core.fetch_ahead, -1
        for index, cache in enumerate(self.caches.values()):
            if library.cache_init(ctypes.byref(out.caches[index]), cache.bytes, cache.line_bytes, cache.ways):
                raise BoardError(f"{cache} is no cache", hint="bytes has to be a multiple of line_bytes * ways")
            out.cache_count = index + 1
        for index, memory in enumerate(self.memories):
            region = out.regions[index]
            for key in ("origin", "length", "wait_states", "read_bytes", "prefetch", "beat_cycles", "beat_bytes"):
                setattr(region, key, int(getattr(memory, key)))
            region.branch_wait = memory.branch_wait
            region.fetch_cache = layout.NO_CACHE if memory.fetch_cache is None else names.index(memory.fetch_cache)
            region.data_cache = layout.NO_CACHE if memory.data_cache is None else names.index(memory.data_cache)
            region.port = -1 if memory.port is None else ports.index(memory.port)
        out.region_count = len(self.memories)


def load_timing(board: Board) -> Timing:
    """The board's timing with the table of its core.

    Raises BoardError for a board without timing, and for a core that does not exist or whose table has mistakes.
    """
    if board.timing is None:
        raise BoardError(
            f"{board.name} has no timing: the virtual board cannot count its cycles",
            where=board.folder,
            hint="add a 'timing' section to its board.yaml",
        )
    core, found = load_core(board.core), board.timing
    return Timing(core, found.memories, found.caches, {**core.references, **found.references})
