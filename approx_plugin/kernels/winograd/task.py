"""What all parts of the function have in common: what decides it, where things stand in the frame, registers."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.cores.core import CoreTiming
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
    Register,
)
from approx_plugin.kernels.winograd.shape import Points, Scratch, Shape, Stripes
from approx_plugin.kernels.winograd.table import Numbers

(INPUT, OUTPUT, SCRATCH, TILE_ROW, TILE_COLUMN, DOWN, ACROSS, PAIRS, TABLE, CHANNEL, POINT, POINTS) = range(0, 48, 4)
(COUNT, ROWS, TILES, LANE, BLOCK, OUT, SUMS, ROW) = range(48, 80, 4)
CONSTANTS = 80
"""Of both channels: up to six words each."""

SINGLES_AT = 128
FRAME = 192
"""Where things stand in the frame, in bytes, and its size."""

REACH = 4095
"""Of an offset."""


@dataclass(frozen=True, eq=False)
class Task:
    """What decides the function.

    zero_point: of the input. from_singles: weights go through s0 to s31. slot_group: how many slots the horizontal
    transform writes in one straight line where points keep different ones. table: its symbol.
    """

    shape: Shape
    stripes: Stripes
    numbers: Numbers
    zero_point: int
    core: CoreTiming
    core_name: str
    from_singles: bool
    slot_group: int
    table: str

    @property
    def points(self) -> Points:
        """How they stand in a block."""
        return self.numbers.points

    @property
    def scratch(self) -> Scratch:
        """Offsets."""
        return Scratch(self.stripes, self.points)

    @property
    def pairs(self) -> int:
        """Of output channels."""
        return -(-self.shape.outputs // 2)

    @property
    def free(self) -> tuple[Register, Register]:
        """While sums are held."""
        return (R0, R1) if self.from_singles else (R8, R9)

    @property
    def reader(self) -> Register:
        """What reads slots."""
        return R4 if self.from_singles else LR

    @property
    def sums(self) -> tuple[Register, ...]:
        """Tile by tile, the first channel before the second."""
        return (R5, R6, R7, R8, R9, R10, R11, R12) if self.from_singles else (R0, R1, R2, R3, R4, R5, R6, R7)
