"""The function: stripes of blocks, gathered, then multiplied pair by pair of output channels.

Registers while products are added up, where weights come from the FPU's registers (Cortex-M4):
r0-r3 a slot of four pixels, r4 reads slots, r5-r8 the sums of channel A (packed: 256 A + B), r9-r12 those of B, lr the
weights. Where they are loaded (Cortex-M33, M7): r0-r3 and r4-r7 the sums, r8 and r9 weights, r10 and r11 slots, r12
reads weights, lr slots.
"""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.gemm.geometry import BLOCK
from approx_plugin.kernels.gemm.products import Products
from approx_plugin.kernels.gemm.task import (
    BLOCKS,
    BORROWED,
    FRAME,
    INPUT,
    LEFT,
    OUTPUT,
    PAIR_OUT,
    PAIRS,
    ROW,
    SCRATCH,
    SINGLES_AT,
    STRIPES,
    TABLE,
)
from approx_plugin.kernels.gemm.windows import Windows
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import instruction
from approx_plugin.kernels.machine.operands import Half
from approx_plugin.kernels.machine.registers import (
    R0,
    R1,
    R2,
    R3,
    R4,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import counted, enter, get, leave, put


@dataclass(frozen=True, eq=False)
class Code(Windows, Products):
    """The whole of it."""

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`."""
        parts: list[Part] = [straight(self._prologue()), *self.padded_buffer()]
        count = self.stripes.count
        body = [*self.gathered(), *self._pairs(), straight(self._next_stripe())]
        if count > 1:
            parts.append(Loop("stripe", count, tuple(body), counted(STRIPES, R0)))
        else:
            parts += body
        parts.append(straight(leave(FRAME, self._singles_at)))
        return Routine(name, tuple(parts), self.core)

    def _prologue(self) -> list[Item]:
        items: list[Item] = [*enter(FRAME, self._singles_at)]
        items += [put(R0, INPUT), put(R1, OUTPUT), put(R2, SCRATCH)]
        items += [*constant(R0, self.stripes.count), put(R0, STRIPES)]
        items += [*constant(R0, self.geometry.out_width), put(R0, LEFT)]
        items += [*constant(R0, 0), put(R0, ROW), put(R0, BORROWED)]
        first = self.stripes.blocks if self.stripes.count > 1 else self.stripes.last_blocks
        items += [*constant(R0, first), put(R0, BLOCKS)]
        if self.stripes.count == 1 and self.stripes.borrowed:
            items += [*constant(R0, self.stripes.borrowed * self.geometry.outputs), put(R0, BORROWED)]
        return items

    @property
    def _singles_at(self) -> int | None:
        return SINGLES_AT if self.from_singles and max(self.chunks) * self.words_a_slot > 16 else None

    def _next_stripe(self) -> list[Item]:
        """The output pointer moves on; the last stripe has fewer blocks, and may borrow pixels."""
        stripes = self.stripes
        if stripes.count == 1:
            return []
        step = stripes.blocks * BLOCK * self.geometry.outputs
        items: list[Item] = [get(R0, OUTPUT), *add_constant(R0, step, R1), put(R0, OUTPUT)]
        borrowed = stripes.borrowed * self.geometry.outputs
        if stripes.last_blocks != stripes.blocks or borrowed:
            items += [get(R2, STRIPES), get(R3, BLOCKS)]
            items += [*constant(R1, stripes.last_blocks), *constant(R4, borrowed), instruction("cmp", R2, 2)]
            items += [instruction("ite", "eq"), instruction("moveq.n", R3, R1), instruction("movne.n", R4, 0)]
            items += [put(R3, BLOCKS), put(R4, BORROWED)]
        return items

    def _pairs(self) -> list[Part]:
        free = self.places.free[0]
        items: list[Item] = [Remark("Pair by pair of output channels.")]
        items += [
            instruction("movw", free, Half(self.table, "lower16")),
            instruction("movt", free, Half(self.table, "upper16")),
            put(free, TABLE),
        ]
        items += [get(free, OUTPUT), put(free, PAIR_OUT), *constant(free, self.pairs), put(free, PAIRS)]
        body = [straight(self.constants_loaded()), *self.all_chunks(), straight(self._next_pair())]
        if self.pairs == 1:
            return [straight(items), *body]
        return [straight(items), Loop("pair", self.pairs, tuple(body), counted(PAIRS, R0))]

    def _next_pair(self) -> list[Item]:
        outputs = self.geometry.outputs
        items: list[Item] = [get(R0, TABLE), *add_constant(R0, 4 * self.constant_words, R1), put(R0, TABLE)]
        if self.pairs > 1:
            items += [get(R0, PAIR_OUT), instruction("add", R0, 2)]
            if outputs % 2:
                # The last pair begins with the channel with which the one before it ends.
                items += [get(R1, PAIRS), instruction("cmp", R1, 2), instruction("it", "eq")]
                items += [instruction("subeq.n", R0, 1)]
            items += [put(R0, PAIR_OUT)]
        return items
