"""The code: two words in, one out, as often as there are four elements; then what is left over byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.added.constants import Constants
from approx_plugin.kernels.machine.idioms import constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
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
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.machine.text import Remark
from approx_plugin.kernels.needs import RAM
from approx_plugin.kernels.overlap import Overlap
from approx_plugin.kernels.rolled.frame import RESTORED, SAVED
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.model.operator import Operator
from approx_plugin.operators.add import Add

UNROLLED = 2
"""Words of a turn: one's loads hide behind the other's products."""

UPPER_BYTES, SIGNS = 0xFF00FF00, 0x80808080

FIRST, SECOND, OUTPUT, MASK, FACTOR, OTHER, START, COUNT = R0, R1, R2, R3, R4, R5, R6, R12


@dataclass(frozen=True, eq=False)
class AddedPlan(RolledPlan):
    """core: gcc's name."""

    kernel: ClassVar[str] = "added"

    add: Add
    constants: Constants
    core: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The sum."""
        return (self.add,)

    @property
    def macs(self) -> int:
        """None that anybody counts."""
        return self.add.macs

    @property
    def streams(self) -> Sequence[Stream]:
        """Both inputs and the output once."""
        size = float(self.add.output.elements)
        return [Stream(RAM, size), Stream(RAM, size), Stream(RAM, size)]

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """In place: what a turn reads is read before it is written."""
        return (Overlap(0, 4 * UNROLLED),) * 2

    def tables(self, symbol: str) -> Sequence[Table]:
        """None."""
        return ()

    def legend(self) -> Sequence[str]:
        """What it computes and how to read it."""
        return [
            f"{self.add.label}: {self.add.kind} of two maps of {self.add.output.elements} elements.",
            "",
            "Four elements at a time: bytes go to the upper halves of halfwords, SMLAW adds them times a factor to the "
            "start; the upper half of a sum is the output plus 128, which USAT16 limits. r0 and r1 read, r2 writes, r3 "
            "masks bytes, r4 and r5 hold the factors, r6 the start, r12 counts. The constants were compared with the "
            "definition for all 65,536 pairs of inputs.",
            "",
        ]

    def routines(self, symbol: str) -> Sequence[Routine]:
        """One."""
        found = self.constants
        start: list[Instruction] = [instruction("push.w", SAVED), *constant(MASK, UPPER_BYTES)]
        start += [*constant(FACTOR, found.first), *constant(OTHER, found.second), *constant(START, found.start)]
        words, rest = divmod(self.add.output.elements, 4)
        turns, single = divmod(words, UNROLLED)
        parts: list[Part] = []
        if turns:
            body = [one for lane in range(UNROLLED) for one in self._word(4 * lane)]
            moved = [instruction("add.w", r, r, 4 * UNROLLED) for r in (FIRST, SECOND, OUTPUT)]
            parts.append(straight([Remark("Words, two at a time.")], start, constant(COUNT, turns)))
            close = (instruction("subs", COUNT, 1),)
            parts.append(Loop("words", turns, (straight(body, moved),), close, align=8))
        else:
            parts.append(straight(start))
        end = [one for lane in range(single) for one in self._word(4 * lane)]
        end += [one for element in range(rest) for one in self._element(4 * single + element)]
        parts.append(straight(end, [instruction("pop.w", RESTORED)]))
        return (Routine(f"{symbol}_added", tuple(parts), load_core(self.core)),)

    def _word(self, offset: int) -> list[Instruction]:
        """r7 and r8 the inputs, r9 to r11 and lr what becomes of them."""
        items = [
            instruction("ldr.w", R7, Address(FIRST, offset, region="first")),
            instruction("ldr.w", R8, Address(SECOND, offset, region="second")),
        ]
        items += [
            instruction("and", R9, MASK, Shifted(R7, "lsl", 8)),
            instruction("and", R10, MASK, Shifted(R8, "lsl", 8)),
        ]
        items += self._pair(R9, R10, R11)
        items += [instruction("and", R7, MASK, R7), instruction("and", R8, MASK, R8)]
        items += self._pair(R7, R8, LR)
        items.append(instruction("orr", R11, R11, Shifted(LR, "lsl", 8)))
        items += [*self._limited(R11, R9), instruction("eor", R11, R11, SIGNS)]
        items.append(instruction("str.w", R11, Address(OUTPUT, offset, region="output")))
        return items

    def _pair(self, one: Register, other: Register, to: Register) -> list[Instruction]:
        """Two elements of each input, in the upper bytes of both halves: their outputs plus 128, in the lower ones.

        Both inputs are overwritten.
        """
        return [
            instruction("smlawb", to, FACTOR, one, START),
            instruction("smlawt", one, FACTOR, one, START),
            instruction("smlawb", to, OTHER, other, to),
            instruction("smlawt", one, OTHER, other, one),
            instruction("pkhtb", to, one, Shifted(to, "asr", 16)),
            instruction("usat16", to, 8, to),
        ]

    def _limited(self, register: Register, free: Register) -> list[Instruction]:
        """Bytes that are an output plus 128, within the activation's limits: max(x, l) is (x - l, at least 0) + l."""
        items: list[Instruction] = []
        low, high = self.add.activation_min + 128, self.add.activation_max + 128
        if low > 0:
            items += [*constant(free, low * 0x01010101), instruction("uqsub8", register, register, free)]
            items += [instruction("uqadd8", register, register, free)]
        if high < 255:
            # x - (x - h, at least 0)
            items += [*constant(free, high * 0x01010101), instruction("uqsub8", free, register, free)]
            items += [instruction("uqsub8", register, register, free)]
        return items

    def _element(self, offset: int) -> list[Instruction]:
        items = [
            instruction("ldrsb.w", R7, Address(FIRST, offset, region="first")),
            instruction("ldrsb.w", R8, Address(SECOND, offset, region="second")),
            instruction("lsl", R7, R7, 8),
            instruction("lsl.w", R8, R8, 8),
            instruction("smlawb", R9, FACTOR, R7, START),
            instruction("smlawb", R9, OTHER, R8, R9),
            instruction("usat", R9, 8, Shifted(R9, "asr", 16)),
        ]
        items += [*self._limited(R9, R10), instruction("eor", R9, R9, SIGNS)]
        items.append(instruction("strb.w", R9, Address(OUTPUT, offset, region="output")))
        return items
