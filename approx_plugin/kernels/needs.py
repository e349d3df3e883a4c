"""What a step needs of the memories, and which layouts it goes between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.overlap import Overlap

FLASH, RAM, DTCM = "flash", "ram", "dtcm"
"""Kinds of memories, as board.yaml names them. RAM is the one that holds data, arena and stack."""

MEMORIES = (FLASH, RAM, DTCM)

Bytes = Mapping[str, int]
"""Kind of memory -> bytes; a kind that is not named needs none."""

NOTHING: Bytes = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Needs:
    """code: bytes of instructions, in flash.

    tables:  constants, by the memory that they are read from. A table outside of the flash takes its bytes there and in
             the flash, from which the start-up code copies it.
    scratch: what the step needs while it runs; in RAM it is a part of the arena.
    inputs:  the layout of each activation that goes in; output: of what comes out.
    overlaps: for each input where the output may lie over it; None, or nothing at all: nowhere.
    """

    code: int = 0
    tables: Bytes = field(default_factory=lambda: NOTHING)
    scratch: Bytes = field(default_factory=lambda: NOTHING)
    inputs: tuple[Layout, ...] = (NHWC,)
    output: Layout = NHWC
    overlaps: tuple[Overlap | None, ...] = ()
    permanent: Bytes = field(init=False)
    """What the step takes for good: code and tables."""

    def __post_init__(self) -> None:
        """Adds up what is permanent. Raises ValueError for a kind of memory that does not exist."""
        unknown = {*self.tables, *self.scratch} - set(MEMORIES)
        if unknown:
            raise ValueError(f"there is no memory {', '.join(sorted(unknown))}")
        held = Counter({FLASH: self.code + sum(self.tables.values())})
        held.update({memory: size for memory, size in self.tables.items() if memory != FLASH})
        object.__setattr__(self, "permanent", MappingProxyType({m: held[m] for m in MEMORIES if held[m]}))

    def overlaps_like(self, other: Needs) -> bool:
        """Whether the output may lie over every input over which it may for the other one, however far behind it."""
        mine = [*self.overlaps, *[None] * len(self.inputs)]
        pairs = zip(other.overlaps, mine)
        return all(theirs is None or (own is not None and theirs.every % own.every == 0) for theirs, own in pairs)
