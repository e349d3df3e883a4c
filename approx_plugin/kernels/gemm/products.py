"""Blocks multiplied with the table, for one pair of output channels: chunks of slots, then outputs."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.gemm.gather import SLOT_BYTES
from approx_plugin.kernels.gemm.geometry import BLOCK
from approx_plugin.kernels.gemm.task import (
    BLOCKS,
    BORROWED,
    CONSTANTS,
    COUNT,
    KEPT,
    OUT,
    PAIR_OUT,
    SCRATCH,
    SUM_BYTES,
    SUMS,
    TABLE,
    Task,
)
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Pointer, Registers
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
    SP,
    Register,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import counted, get, put
from approx_plugin.kernels.rolled.products import added, multiplied, taken_apart
from approx_plugin.kernels.rolled.requantise import output_code


@dataclass(frozen=True, eq=False)
class Products(Task):
    """The second part of a stripe."""

    @property
    def constant_words(self) -> int:
        """Of a pair."""
        made = self.numbers.requantisation
        return 6 + 2 * (made.signs is not None) + 2 * (made.exponent is None)

    def constants_loaded(self) -> list[Item]:
        """A pair's constants go from the table to the frame."""
        words = self.constant_words
        data = (R1, R2, R3, R4, R5, R6, R7, R8, R9, R10)[:words]
        items: list[Item] = [Remark("Bias, multipliers, addends of both channels into the frame.")]
        items += [get(R0, TABLE), *add_constant(R0, 4 * self.words_a_slot * self.slots, R1)]
        items += [instruction("ldmia.w", Pointer(R0, region="table"), Registers(data))]
        items += [instruction("add", R0, SP, CONSTANTS)]
        items += [instruction("stmia.w", Pointer(R0, region="frame"), Registers(data))]
        return items

    def all_chunks(self) -> list[Part]:
        """The first chunk starts the sums, the ones between add to them, the last one requantises."""
        count, sizes = len(self.chunks), self.chunks
        if count == 1:
            return self._chunk("all", sizes[0], first=True, last=True, offset=0)
        parts = self._chunk("first", sizes[0], first=True, last=False, offset=0)
        if count == 3:
            parts += self._chunk("middle", sizes[1], first=False, last=False, offset=sizes[0])
        elif count > 3:
            counter = self.places.free[0]
            start = [*constant(counter, sizes[0] * SLOT_BYTES), put(counter, KEPT)]
            body = self._chunk("middle", sizes[1], first=False, last=False, offset=None)
            close = (
                get(counter, KEPT),
                *add_constant(counter, sizes[0] * SLOT_BYTES, R1),
                *constant(R1, (count - 1) * sizes[0] * SLOT_BYTES),
                put(counter, KEPT),
                instruction("cmp", counter, R1),
            )
            parts += [straight(start), Loop("chunk", count - 2, tuple(body), close)]
        return [*parts, *self._chunk("last", sizes[-1], first=False, last=True, offset=sizes[0] * (count - 1))]

    def _chunk(self, name: str, slots: int, *, first: bool, last: bool, offset: int | None) -> list[Part]:
        """All blocks for some slots. offset: of the first slot; None: its bytes stand in the frame."""
        places, single = self.places, len(self.chunks) == 1
        free, other = places.free[0], places.free[1]
        items: list[Item] = [Remark(f"{slots} slots of all blocks.")]
        words = slots * self.words_a_slot
        if self.from_singles:
            items += [get(free, TABLE)]
            items += [
                instruction("vldmia", Pointer(free, True, "table"), Registers(SINGLES[:words]))
                if words > 1
                else instruction("ldr.w", other, Address(free, 0, region="table"))
            ]
            if words == 1:
                items += [instruction("vmov", SINGLES[0], other), instruction("add", free, free, 4)]
            items += [put(free, TABLE)]
        else:
            items += [get(R12, TABLE)]
        items += [get(places.reader, SCRATCH)]
        if offset is None:
            items += [get(other, KEPT), instruction("add.w", places.reader, places.reader, other)]
            items += add_constant(places.reader, self.slots_at, other)
        else:
            items += add_constant(places.reader, self.slots_at + offset * SLOT_BYTES, other)
        if not single:
            items += [get(free, SCRATCH), *add_constant(free, self.sums_at, other), put(free, SUMS)]
        if last:
            items += [get(free, PAIR_OUT), put(free, OUT)]
        items += [get(free, BLOCKS), put(free, COUNT)]
        body: list[Part] = [straight(self._products(slots, first), self._moved_on(slots))]
        if last:
            body += self._outputs(single)
        else:
            body.append(straight(self._put_aside()))
        average = self.geometry.blocks / self.stripes.count
        loop = Loop(f"block_{name}", average, tuple(body), counted(COUNT, free), align=8)
        end: list[Item] = []
        if not self.from_singles:
            end += [*add_constant(R12, 4 * words, R8), put(R12, TABLE)]
        return [straight(items), loop, straight(end)] if end else [straight(items), loop]

    def _products(self, slots: int, first: bool) -> list[Instruction]:
        places = self.places
        sums = (*places.first, *places.second)
        items: list[Instruction] = []
        if not first:
            free = places.free[-2]
            items += [get(free, SUMS), instruction("ldmia.w", Pointer(free, region="sums"), Registers(sums))]
        for slot in range(slots):
            starts = first and slot == 0
            items += self._slot_from_singles(slot, starts) if self.from_singles else self._slot_loaded(slot, starts)
        return items

    def _slot_from_singles(self, slot: int, starts: bool) -> list[Instruction]:
        places, pixels = self.places, (R0, R1, R2, R3)
        items = [instruction("ldmia.w", Pointer(R4, True, "slots"), Registers(pixels))]
        at = slot * self.words_a_slot
        items.append(instruction("vmov", LR, SINGLES[at]))
        items += [multiplied(total, pixel, LR, starts) for total, pixel in zip(places.first, pixels)]
        items.append(instruction("sxtb16", LR, LR) if self.numbers.packed else instruction("vmov", LR, SINGLES[at + 1]))
        items += [multiplied(total, pixel, LR, starts) for total, pixel in zip(places.second, pixels)]
        return items

    def _slot_loaded(self, slot: int, starts: bool) -> list[Instruction]:
        places, words = self.places, self.words_a_slot
        items = [instruction("ldr.w", R8, Address(R12, 4 * words * slot, region="table"))]
        if self.numbers.packed:
            items.append(instruction("sxtb16", R9, R8))
        else:
            items.append(instruction("ldr.w", R9, Address(R12, 4 * words * slot + 4, region="table")))
        for half in (0, 2):
            for pixel, register in ((half, R10), (half + 1, R11)):
                at = SLOT_BYTES * slot + 4 * pixel
                items.append(instruction("ldr.w", register, Address(LR, at, region="slots")))
            for pixel, register in ((half, R10), (half + 1, R11)):
                items.append(multiplied(places.first[pixel], register, R8, starts))
            for pixel, register in ((half, R10), (half + 1, R11)):
                items.append(multiplied(places.second[pixel], register, R9, starts))
        return items

    def _moved_on(self, slots: int) -> list[Instruction]:
        """The reader goes to the next block."""
        step = self.block_bytes - (SLOT_BYTES * slots if self.from_singles else 0)
        return add_constant(self.places.reader, step, self.places.free[0])

    def _put_aside(self) -> list[Instruction]:
        places = self.places
        free = places.free[0]
        sums = (*places.first, *places.second)
        return [
            get(free, SUMS),
            instruction("stmia.w", Pointer(free, True, "sums"), Registers(sums)),
            put(free, SUMS),
        ]

    # ---- outputs

    def _outputs(self, single: bool) -> list[Part]:
        """Requantise and store the block; the output pointer goes to the next one."""
        places, made, outputs = self.places, self.numbers.requantisation, self.geometry.outputs
        free = places.free
        scarce = made.signs is not None and made.exponent is None
        items: list[Instruction] = []
        if not single:
            items += [get(free[0], SUMS), instruction("add.w", free[0], free[0], SUM_BYTES), put(free[0], SUMS)]
        if scarce:
            items.append(put(places.reader, KEPT))
        items += [get(free[0], CONSTANTS), get(free[1], CONSTANTS + 4), get(free[2], OUT)]
        for first, second in zip(places.first, places.second):
            items += self._scaled(first, second, free[0], free[1])
        pixels = self.stripes.block_pixels
        channels = ((0, places.first), (1, places.second)) if outputs > 1 else ((0, places.first),)
        for channel, sums in channels:
            at = CONSTANTS + 8 + 4 * channel
            items += [get(free[0], at), get(free[1], at + 8)]
            sign = temporary = shift = None
            if made.signs is not None:
                at += 8
                sign, temporary = free[3], free[4]
                items.append(get(sign, at + 8))
            if made.exponent is None:
                shift = places.reader if scarce else free[3]
                items.append(get(shift, at + 16))
            for pixel in range(pixels):
                items += output_code(sums[pixel], free[0], free[1], made, sign, temporary, shift)
                place = Address(free[2], pixel * outputs + channel, region="output")
                items.append(instruction("strb.w", sums[pixel], place))
        if scarce:
            items.append(get(places.reader, KEPT))
        items += [*add_constant(free[2], BLOCK * outputs, free[0]), put(free[2], OUT)]
        parts: list[Part] = [straight(items)]
        if self.stripes.borrowed:
            share = self.stripes.count / self.geometry.blocks
            back = [get(free[1], BORROWED), instruction("sub.w", free[2], free[2], free[1]), put(free[2], OUT)]
            parts += [
                straight([get(free[0], COUNT), instruction("cmp", free[0], 2)]),
                Sometimes(f"not_next_{'all' if single else 'last'}", "ne", share, (straight(back),)),
            ]
        if not self.from_singles:
            parts.append(straight([get(R12, TABLE)]))
        return parts

    def _scaled(self, first: Register, second: Register, bias: Register, other: Register) -> list[Instruction]:
        """Both sums of a pixel as the scaled ones of their channels."""
        shift = self.numbers.shift
        if not self.numbers.packed:
            return [added(first, bias, first, "lsl", shift), added(second, other, second, "lsl", shift)]
        return taken_apart(first, second, bias, other, shift)
