"""What all parts of the function have in common: what decides it, where things stand in the frame, registers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.gemm.gather import SLOT_BYTES, Gathering
from approx_plugin.kernels.gemm.geometry import Geometry, Stripes
from approx_plugin.kernels.machine.registers import (
    LR,
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
    R11,
    R12,
    SINGLES,
    Register,
)
from approx_plugin.kernels.rolled.pairs import Numbers

FRAME = 168
(INPUT, OUTPUT, SCRATCH, STRIPES, LEFT, ROW, PAIRS, TABLE, PAIR_OUT, SUMS, BLOCKS, OUT, COUNT, BORROWED, KEPT) = range(
    0, 60, 4
)
CONSTANTS = 60
SINGLES_AT = 104
"""Where things stand in the frame, in bytes."""

SUM_BYTES = 32
"""Of a block: four pixels by two channels."""

CHUNKS = {"cortex-m4": 16}
OTHER_CHUNK = 64
"""Slots between two visits of the sums. A Cortex-M4's cache of 1 KB has to hold the loop."""


@dataclass(frozen=True)
class Places:
    """Registers by what they hold; see the module."""

    first: tuple[Register, ...]
    second: tuple[Register, ...]
    reader: Register
    free: tuple[Register, ...]


FROM_SINGLES = Places((R5, R6, R7, R8), (R9, R10, R11, R12), R4, (R0, R1, R2, R3, LR))
LOADED = Places((R0, R1, R2, R3), (R4, R5, R6, R7), LR, (R8, R9, R10, R11, R12))


@dataclass(frozen=True, eq=False)
class Task:
    """What decides the function.

    zero_point: of the input. from_singles: weights go through s0 to s31. table: its symbol.
    """

    geometry: Geometry
    stripes: Stripes
    gathering: Gathering
    numbers: Numbers
    zero_point: int
    core: CoreTiming
    core_name: str
    from_singles: bool
    table: str

    @property
    def slots(self) -> int:
        """Of a pixel."""
        return self.gathering.slots

    @property
    def block_bytes(self) -> int:
        """A block's slots."""
        return SLOT_BYTES * self.slots

    @cached_property
    def chunks(self) -> tuple[int, ...]:
        """Slots of each chunk: all alike but the last."""
        most = CHUNKS.get(self.core_name, OTHER_CHUNK)
        if self.from_singles and not self.numbers.packed:
            most = min(most, len(SINGLES) // 2)
        count = -(-self.slots // most)
        size = -(-self.slots // count)
        count = -(-self.slots // size)
        return (*[size] * (count - 1), self.slots - size * (count - 1))

    @property
    def row_buffer(self) -> int:
        """Bytes of copied rows."""
        geometry = self.geometry
        return -(-self.stripes.rows * geometry.row_bytes // 16) * 16 + 16 if geometry.is_copied else 0

    @property
    def slots_at(self) -> int:
        """Where the blocks begin in the scratch."""
        return self.row_buffer

    @property
    def sums_at(self) -> int:
        """Where the sums begin, if they are put aside."""
        return self.slots_at + self.stripes.blocks * self.block_bytes

    @property
    def scratch(self) -> int:
        """Bytes."""
        return self.sums_at + (self.stripes.blocks * SUM_BYTES if len(self.chunks) > 1 else 0)

    @property
    def places(self) -> Places:
        """Registers."""
        return FROM_SINGLES if self.from_singles else LOADED

    @property
    def pairs(self) -> int:
        """Of channels."""
        return -(-self.geometry.outputs // 2)

    @property
    def words_a_slot(self) -> int:
        """Of the table."""
        return 1 if self.numbers.packed else 2
