"""The function: stripes of tiles; inputs are transformed, multiplied pair by pair of output channels, transformed back.

Registers while products are added up, where weights come from the FPU's registers (Cortex-M4, M33):
r0-r3 a slot of four tiles, r4 reads slots, r5-r12 the sums (tile 0 of channel A, of B, tile 1 of A, ...), lr a word of
weights. Where they are loaded (Cortex-M7): r0-r7 the sums, r8 and r9 weights of A and B, r10 and r11 two tiles of a
slot, r12 reads weights, lr slots.
"""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import instruction
from approx_plugin.kernels.machine.operands import Half
from approx_plugin.kernels.machine.registers import (
    R0,
    R1,
    R2,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import counted, enter, get, leave, put
from approx_plugin.kernels.winograd.inputs import Inputs
from approx_plugin.kernels.winograd.outputs import Outputs
from approx_plugin.kernels.winograd.products import Products
from approx_plugin.kernels.winograd.task import (
    ACROSS,
    CHANNEL,
    DOWN,
    FRAME,
    INPUT,
    OUTPUT,
    PAIRS,
    POINT,
    SCRATCH,
    SINGLES_AT,
    TABLE,
    TILE_COLUMN,
    TILE_ROW,
)


@dataclass(frozen=True, eq=False)
class Code(Inputs, Products, Outputs):
    """The whole of it."""

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`."""
        stripes = self.stripes
        inner = [*self.transformed(), *self._pairs(), *self.cropped()]
        if stripes.across > 1:
            inner.append(straight(self._step(TILE_COLUMN, stripes.columns, self.shape.tile_columns)))
            inner = [Loop("part", stripes.across, tuple(inner), counted(ACROSS, R0))]
        start: list[Item] = [*constant(R0, 0), put(R0, TILE_COLUMN), *constant(R0, stripes.across), put(R0, ACROSS)]
        body: list[Part] = [straight(start), *self.copied_once(), *inner]
        if stripes.down > 1:
            body.append(straight(self._step(TILE_ROW, stripes.rows, self.shape.tile_rows)))
            body = [Loop("stripe", stripes.down, tuple(body), counted(DOWN, R0))]
        parts = [straight(self._prologue()), *self.padded_buffer(), *body, straight(leave(FRAME, self._singles_at))]
        return Routine(name, tuple(parts), self.core)

    @property
    def _singles_at(self) -> int | None:
        return SINGLES_AT if self.from_singles else None

    def _prologue(self) -> list[Item]:
        items: list[Item] = [*enter(FRAME, self._singles_at), put(R0, INPUT), put(R1, OUTPUT), put(R2, SCRATCH)]
        return [*items, *constant(R0, 0), put(R0, TILE_ROW), *constant(R0, self.stripes.down), put(R0, DOWN)]

    def _step(self, place: int, step: int, whole: int) -> list[Item]:
        """The next stripe's first tile; the last one ends where the tiles end."""
        items: list[Item] = [get(R0, place), *add_constant(R0, step, R1)]
        if whole % step:
            items += [*constant(R1, whole - step), instruction("cmp", R0, R1)]
            items += [instruction("it", "gt"), instruction("movgt.n", R0, R1)]
        return [*items, put(R0, place)]

    def _pairs(self) -> list[Part]:
        items: list[Item] = [Remark("Pair by pair of output channels.")]
        items += [
            instruction("movw", R0, Half(self.table, "lower16")),
            instruction("movt", R0, Half(self.table, "upper16")),
            put(R0, TABLE),
        ]
        items += [*constant(R0, 0), put(R0, CHANNEL), *constant(R0, self.pairs), put(R0, PAIRS)]
        start = [get(R0, SCRATCH), *add_constant(R0, self.scratch.blocks, R1), put(R0, POINT)]
        body: list[Part] = [straight(start)]
        for number, (slots, count) in enumerate(self.points.groups):
            body += self.group(number, slots, count)
        body += self.transformed_back()
        if self.pairs == 1:
            return [straight(items), *body]
        body.append(straight(self._next_pair()))
        return [straight(items), Loop("pair", self.pairs, tuple(body), counted(PAIRS, R0))]

    def _next_pair(self) -> list[Item]:
        items: list[Item] = [get(R0, CHANNEL), instruction("add", R0, 2)]
        if self.shape.outputs % 2:
            # The last pair begins with the channel with which the one before it ends.
            items += [get(R1, PAIRS), instruction("cmp", R1, 2), instruction("it", "eq")]
            items += [instruction("subeq.n", R0, 1)]
        return [*items, put(R0, CHANNEL)]
