"""The function: stripes of blocks, gathered, then multiplied pair by pair of output channels.

Registers while products are added up, where weights come from the FPU's registers (Cortex-M4):
r0-r3 a slot of four pixels, r4 reads slots, r5-r8 the sums of channel A (packed: 256 A + B), r9-r12 those of B, lr the
weights. Where they are loaded (Cortex-M33, M7): r0-r3 and r4-r7 the sums, r8 and r9 weights, r10 and r11 slots, r12
reads weights, lr slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.gemm.gather import SLOT_BYTES, Gathering, copied, filled
from approx_plugin.kernels.gemm.geometry import BLOCK, Geometry, Stripes
from approx_plugin.kernels.gemm.table import Numbers
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Half, Pointer, Registers, Shifted
from approx_plugin.kernels.machine.registers import (
    LR,
    PC,
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
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.requantise import output_code

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

CALLEE_SAVED_SINGLES = SINGLES[16:]

SAVED = Registers((R4, R5, R6, R7, R8, R9, R10, R11, LR))
RESTORED = Registers((R4, R5, R6, R7, R8, R9, R10, R11, PC))


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
class Code:
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

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`."""
        parts: list[Part] = [straight(self._prologue())]
        parts += self._padding()
        count = self.stripes.count
        body = [*self._rows(), *self._gather(), *self._pairs(), straight(self._next_stripe())]
        if count > 1:
            parts.append(Loop("stripe", count, tuple(body), _counted(STRIPES, R0)))
        else:
            parts += body
        parts.append(straight(self._epilogue()))
        return Routine(name, tuple(parts), self.core)

    # ---- around the stripes

    def _prologue(self) -> list[Item]:
        items: list[Item] = [instruction("push.w", SAVED), instruction("sub", SP, SP, FRAME)]
        if self._saves_singles:
            items += [
                instruction("add", R3, SP, SINGLES_AT),
                instruction("vstmia", Pointer(R3), Registers(CALLEE_SAVED_SINGLES)),
            ]
        items += [_put(R0, INPUT), _put(R1, OUTPUT), _put(R2, SCRATCH)]
        items += [*constant(R0, self.stripes.count), _put(R0, STRIPES)]
        items += [*constant(R0, self.geometry.out_width), _put(R0, LEFT)]
        items += [*constant(R0, 0), _put(R0, ROW), _put(R0, BORROWED)]
        first = self.stripes.blocks if self.stripes.count > 1 else self.stripes.last_blocks
        items += [*constant(R0, first), _put(R0, BLOCKS)]
        if self.stripes.count == 1 and self.stripes.borrowed:
            items += [*constant(R0, self.stripes.borrowed * self.geometry.outputs), _put(R0, BORROWED)]
        return items

    @property
    def _saves_singles(self) -> bool:
        return self.from_singles and max(self.chunks) * self.words_a_slot > 16

    def _epilogue(self) -> list[Item]:
        items: list[Item] = []
        if self._saves_singles:
            items += [
                instruction("add", R3, SP, SINGLES_AT),
                instruction("vldmia", Pointer(R3), Registers(CALLEE_SAVED_SINGLES)),
            ]
        return [*items, instruction("add", SP, SP, FRAME), instruction("pop.w", RESTORED)]

    def _padding(self) -> list[Part]:
        """The whole row buffer is zero points: what is copied later leaves the columns beside it alone."""
        if not self.geometry.is_copied:
            return []
        zero = constant(R4, (self.zero_point & 0xFF) * 0x01010101)
        remark = Remark("Zero points into the row buffer.")
        parts: list[Part] = [straight(remark, [_get(R1, SCRATCH)], zero)]
        return [*parts, *filled(R4, R1, self.row_buffer, "padding", R3)]

    def _next_stripe(self) -> list[Item]:
        """The output pointer moves on; the last stripe has fewer blocks, and may borrow pixels."""
        stripes = self.stripes
        if stripes.count == 1:
            return []
        step = stripes.blocks * BLOCK * self.geometry.outputs
        items: list[Item] = [_get(R0, OUTPUT), *add_constant(R0, step, R1), _put(R0, OUTPUT)]
        borrowed = stripes.borrowed * self.geometry.outputs
        if stripes.last_blocks != stripes.blocks or borrowed:
            items += [_get(R2, STRIPES), _get(R3, BLOCKS)]
            items += [*constant(R1, stripes.last_blocks), *constant(R4, borrowed), instruction("cmp", R2, 2)]
            items += [instruction("ite", "eq"), instruction("moveq.n", R3, R1), instruction("movne.n", R4, 0)]
            items += [_put(R3, BLOCKS), _put(R4, BORROWED)]
        return items

    # ---- rows with their padding

    def _rows(self) -> list[Part]:
        """Copy the rows under the stripe. r0 reads, r1 writes, r8 the row's number, r9 the height, r10 counts rows."""
        geometry = self.geometry
        if not geometry.is_copied:
            return []
        down, top = geometry.stride[0], geometry.padding.top
        width = geometry.width * geometry.channels
        share = self.stripes.rows_inside / self.stripes.rows
        start: list[Item] = [Remark("Rows of the input into the row buffer.")]
        start += [_get(R8, ROW), _get(R0, INPUT), _get(R1, SCRATCH), *constant(R2, down)]
        start += [instruction("mul", R8, R8, R2), *add_constant(R8, -top, R2)]
        start += [*constant(R2, width), instruction("mla", R0, R8, R2, R0)]
        start += [*add_constant(R1, geometry.left_bytes, R2), *constant(R9, geometry.height)]
        start += [*constant(R10, self.stripes.rows), *constant(R11, (self.zero_point & 0xFF) * 0x01010101)]
        count = geometry.copied_bytes
        copy = copied(R0, R1, count, "copy", R3)
        fill = filled(R11, R1, count, "fill", R3)
        skip: list[Item] = list(add_constant(R0, width, R2))
        parts: list[Part] = [straight([instruction("cmp", R8, R9)])]
        parts.append(Sometimes("outside", "hs", share, (*copy, straight(add_constant(R0, width - count, R2)))))
        parts.append(straight([instruction("cmp", R8, R9)]))
        parts.append(Sometimes("inside", "lo", 1.0 - share, (*fill, straight(skip))))
        parts.append(straight(add_constant(R1, geometry.row_bytes - count, R2), [instruction("add", R8, 1)]))
        loop = Loop("row", self.stripes.rows, tuple(parts), (instruction("subs", R10, 1),))
        return [straight(start), loop]

    # ---- gathering

    def _gather(self) -> list[Part]:
        """r0 the window of a pixel, r1 its slots, r2 pixels left in the row, r3 blocks, lr pixels of the block."""
        geometry, stripes = self.geometry, self.stripes
        items: list[Item] = [Remark("Windows into blocks of four pixels.")]
        items += [_get(R1, SCRATCH), _get(R2, LEFT)]
        if geometry.is_copied:
            # The window's column is the row's pixels that are done.
            items += [*constant(R4, geometry.out_width), instruction("sub.w", R4, R4, R2)]
            items += [*constant(R5, geometry.pixel_bytes), instruction("mla", R0, R4, R5, R1)]
            items += add_constant(R0, geometry.first_byte, R5)
        else:
            items += [_get(R0, INPUT)]
        items += [*add_constant(R1, self.slots_at, R4), _get(R3, BLOCKS)]
        advance: list[Item] = [*add_constant(R0, geometry.pixel_bytes, R4), instruction("add", R1, 4)]
        lines = 1.0 / geometry.out_width
        newline: list[Item] = [*constant(R2, geometry.out_width)]
        newline += add_constant(R0, geometry.line_bytes - geometry.out_width * geometry.pixel_bytes, R4)
        if geometry.is_copied:
            newline += [_get(R4, ROW), instruction("add", R4, 1), _put(R4, ROW)]
        pixel: list[Part] = [
            *self.gathering.code(),
            straight(advance, [instruction("subs", R2, 1)]),
            Sometimes("same_row", "ne", lines, (straight(newline),)),
        ]
        count = stripes.block_pixels
        body: list[Part] = []
        if stripes.borrowed:
            body += self._borrow()
        body.append(straight(constant(LR, count)))
        body.append(Loop("pixel", count, tuple(pixel), (instruction("subs", LR, 1),)))
        if count == BLOCK:
            body.append(straight(add_constant(R1, self.block_bytes - 4 * BLOCK, R4)))
        average = geometry.blocks / stripes.count
        block = Loop("gather", average, tuple(body), (instruction("subs", R3, 1),))
        end: list[Item] = [_put(R2, LEFT)]
        if not geometry.is_copied:
            end.append(_put(R0, INPUT))
        return [straight(items), block, straight(end)]

    def _borrow(self) -> list[Part]:
        """Before the very last block: back to pixels of the one before it."""
        geometry, stripes = self.geometry, self.stripes
        row, column = stripes.borrowing
        items: list[Item] = [*constant(R2, geometry.out_width - column)]
        if geometry.is_copied:
            first, _ = stripes.starts[-1]
            away = (row - first) * geometry.line_bytes + column * geometry.pixel_bytes + geometry.first_byte
            items += [_get(R0, SCRATCH), *add_constant(R0, away, R4)]
        else:
            # Back by as many windows, from where the next one would have been.
            at_row, at_column = divmod((geometry.blocks - 1) * BLOCK, geometry.out_width)
            back = (at_row - row) * geometry.line_bytes + (at_column - column) * geometry.pixel_bytes
            items += add_constant(R0, -back, R4)
        share = stripes.count / geometry.blocks
        inner = Sometimes("whole", "eq", 1.0 / stripes.count, (straight(items),))
        check: list[Item] = [_get(R4, BORROWED), instruction("cmp", R4, 0)]
        return [straight([instruction("cmp", R3, 1)]), Sometimes("not_last", "ne", share, (straight(check), inner))]

    # ---- products

    def _pairs(self) -> list[Part]:
        free = self.places.free[0]
        items: list[Item] = [Remark("Pair by pair of output channels.")]
        items += [
            instruction("movw", free, Half(self.table, "lower16")),
            instruction("movt", free, Half(self.table, "upper16")),
            _put(free, TABLE),
        ]
        items += [_get(free, OUTPUT), _put(free, PAIR_OUT), *constant(free, self.pairs), _put(free, PAIRS)]
        body = [straight(self._load_constants()), *self._chunks(), straight(self._next_pair())]
        if self.pairs == 1:
            return [straight(items), *body]
        return [straight(items), Loop("pair", self.pairs, tuple(body), _counted(PAIRS, R0))]

    @property
    def _constant_words(self) -> int:
        made = self.numbers.requantisation
        return 6 + 2 * (made.signs is not None) + 2 * (made.exponent is None)

    def _load_constants(self) -> list[Item]:
        words = self._constant_words
        data = (R1, R2, R3, R4, R5, R6, R7, R8, R9, R10)[:words]
        items: list[Item] = [Remark("Bias, multipliers, addends of both channels into the frame.")]
        items += [_get(R0, TABLE), *add_constant(R0, 4 * self.words_a_slot * self.slots, R1)]
        items += [instruction("ldmia.w", Pointer(R0, region="table"), Registers(data))]
        items += [instruction("add", R0, SP, CONSTANTS)]
        items += [instruction("stmia.w", Pointer(R0, region="frame"), Registers(data))]
        return items

    def _next_pair(self) -> list[Item]:
        outputs = self.geometry.outputs
        items: list[Item] = [_get(R0, TABLE), *add_constant(R0, 4 * self._constant_words, R1), _put(R0, TABLE)]
        if self.pairs > 1:
            items += [_get(R0, PAIR_OUT), instruction("add", R0, 2)]
            if outputs % 2:
                # The last pair begins with the channel with which the one before it ends.
                items += [_get(R1, PAIRS), instruction("cmp", R1, 2), instruction("it", "eq")]
                items += [instruction("subeq.n", R0, 1)]
            items += [_put(R0, PAIR_OUT)]
        return items

    def _chunks(self) -> list[Part]:
        """The first chunk starts the sums, the ones between add to them, the last one requantises."""
        count, sizes = len(self.chunks), self.chunks
        if count == 1:
            return self._chunk("all", sizes[0], first=True, last=True, offset=0)
        parts = self._chunk("first", sizes[0], first=True, last=False, offset=0)
        if count == 3:
            parts += self._chunk("middle", sizes[1], first=False, last=False, offset=sizes[0])
        elif count > 3:
            counter = self.places.free[0]
            start = [*constant(counter, sizes[0] * SLOT_BYTES), _put(counter, KEPT)]
            body = self._chunk("middle", sizes[1], first=False, last=False, offset=None)
            close = (
                _get(counter, KEPT),
                *add_constant(counter, sizes[0] * SLOT_BYTES, R1),
                *constant(R1, (count - 1) * sizes[0] * SLOT_BYTES),
                _put(counter, KEPT),
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
            items += [_get(free, TABLE)]
            items += [
                instruction("vldmia", Pointer(free, True, "table"), Registers(SINGLES[:words]))
                if words > 1
                else instruction("ldr.w", other, Address(free, 0, region="table"))
            ]
            if words == 1:
                items += [instruction("vmov", SINGLES[0], other), instruction("add", free, free, 4)]
            items += [_put(free, TABLE)]
        else:
            items += [_get(R12, TABLE)]
        items += [_get(places.reader, SCRATCH)]
        if offset is None:
            items += [_get(other, KEPT), instruction("add.w", places.reader, places.reader, other)]
            items += add_constant(places.reader, self.slots_at, other)
        else:
            items += add_constant(places.reader, self.slots_at + offset * SLOT_BYTES, other)
        if not single:
            items += [_get(free, SCRATCH), *add_constant(free, self.sums_at, other), _put(free, SUMS)]
        if last:
            items += [_get(free, PAIR_OUT), _put(free, OUT)]
        items += [_get(free, BLOCKS), _put(free, COUNT)]
        body: list[Part] = [straight(self._products(slots, first), self._moved_on(slots))]
        if last:
            body += self._outputs(single)
        else:
            body.append(straight(self._put_aside()))
        average = self.geometry.blocks / self.stripes.count
        loop = Loop(f"block_{name}", average, tuple(body), _counted(COUNT, free), align=8)
        end: list[Item] = []
        if not self.from_singles:
            end += [*add_constant(R12, 4 * words, R8), _put(R12, TABLE)]
        return [straight(items), loop, straight(end)] if end else [straight(items), loop]

    def _products(self, slots: int, first: bool) -> list[Instruction]:
        places = self.places
        sums = (*places.first, *places.second)
        items: list[Instruction] = []
        if not first:
            free = places.free[-2]
            items += [_get(free, SUMS), instruction("ldmia.w", Pointer(free, region="sums"), Registers(sums))]
        for slot in range(slots):
            starts = first and slot == 0
            items += self._slot_from_singles(slot, starts) if self.from_singles else self._slot_loaded(slot, starts)
        return items

    def _slot_from_singles(self, slot: int, starts: bool) -> list[Instruction]:
        places, pixels = self.places, (R0, R1, R2, R3)
        items = [instruction("ldmia.w", Pointer(R4, True, "slots"), Registers(pixels))]
        at = slot * self.words_a_slot
        items.append(instruction("vmov", LR, SINGLES[at]))
        items += [_multiplied(total, pixel, LR, starts) for total, pixel in zip(places.first, pixels)]
        items.append(instruction("sxtb16", LR, LR) if self.numbers.packed else instruction("vmov", LR, SINGLES[at + 1]))
        items += [_multiplied(total, pixel, LR, starts) for total, pixel in zip(places.second, pixels)]
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
                items.append(_multiplied(places.first[pixel], register, R8, starts))
            for pixel, register in ((half, R10), (half + 1, R11)):
                items.append(_multiplied(places.second[pixel], register, R9, starts))
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
            _get(free, SUMS),
            instruction("stmia.w", Pointer(free, True, "sums"), Registers(sums)),
            _put(free, SUMS),
        ]

    # ---- outputs

    def _outputs(self, single: bool) -> list[Part]:
        """Requantise and store the block; the output pointer goes to the next one."""
        places, made, outputs = self.places, self.numbers.requantisation, self.geometry.outputs
        free = places.free
        scarce = made.signs is not None and made.exponent is None
        items: list[Instruction] = []
        if not single:
            items += [_get(free[0], SUMS), instruction("add.w", free[0], free[0], SUM_BYTES), _put(free[0], SUMS)]
        if scarce:
            items.append(_put(places.reader, KEPT))
        items += [_get(free[0], CONSTANTS), _get(free[1], CONSTANTS + 4), _get(free[2], OUT)]
        for first, second in zip(places.first, places.second):
            items += self._scaled(first, second, free[0], free[1])
        pixels = self.stripes.block_pixels
        channels = ((0, places.first), (1, places.second)) if outputs > 1 else ((0, places.first),)
        for channel, sums in channels:
            at = CONSTANTS + 8 + 4 * channel
            items += [_get(free[0], at), _get(free[1], at + 8)]
            sign = temporary = shift = None
            if made.signs is not None:
                at += 8
                sign, temporary = free[3], free[4]
                items.append(_get(sign, at + 8))
            if made.exponent is None:
                shift = places.reader if scarce else free[3]
                items.append(_get(shift, at + 16))
            for pixel in range(pixels):
                items += output_code(sums[pixel], free[0], free[1], made, sign, temporary, shift)
                place = Address(free[2], pixel * outputs + channel, region="output")
                items.append(instruction("strb.w", sums[pixel], place))
        if scarce:
            items.append(_get(places.reader, KEPT))
        items += [*add_constant(free[2], BLOCK * outputs, free[0]), _put(free[2], OUT)]
        parts: list[Part] = [straight(items)]
        if self.stripes.borrowed:
            share = self.stripes.count / self.geometry.blocks
            back = [_get(free[1], BORROWED), instruction("sub.w", free[2], free[2], free[1]), _put(free[2], OUT)]
            parts += [
                straight([_get(free[0], COUNT), instruction("cmp", free[0], 2)]),
                Sometimes(f"not_next_{'all' if single else 'last'}", "ne", share, (straight(back),)),
            ]
        if not self.from_singles:
            parts.append(straight([_get(R12, TABLE)]))
        return parts

    def _scaled(self, first: Register, second: Register, bias: Register, other: Register) -> list[Instruction]:
        """Both sums of a pixel as the scaled ones of their channels."""
        shift = self.numbers.shift
        if not self.numbers.packed:
            return [_added(first, bias, first, "lsl", shift), _added(second, other, second, "lsl", shift)]
        return [
            instruction("sub.w", first, first, second),
            _added(second, other, second, "lsl", shift + 1),
            _added(first, bias, first, "asr", 7 - shift),
        ]


def _multiplied(total: Register, pixel: Register, weight: Register, starts: bool) -> Instruction:
    if starts:
        return instruction("smuad", total, pixel, weight)
    return instruction("smlad", total, pixel, weight, total)


def _added(total: Register, one: Register, other: Register, shift: str, amount: int) -> Instruction:
    return instruction("add.w", total, one, Shifted(other, shift, amount) if amount else other)


def _get(register: Register, place: int) -> Instruction:
    return instruction("ldr.w", register, Address(SP, place, region="frame"))


def _put(register: Register, place: int) -> Instruction:
    return instruction("str.w", register, Address(SP, place, region="frame"))


def _counted(place: int, register: Register) -> tuple[Instruction, ...]:
    """The end of a loop whose counter stands in the frame."""
    return (_get(register, place), instruction("subs", register, 1), _put(register, place))
