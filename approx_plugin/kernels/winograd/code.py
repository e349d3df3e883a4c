"""The function: stripes of tiles; inputs are transformed, multiplied pair by pair of output channels, transformed back.

Registers while products are added up, where weights come from the FPU's registers (Cortex-M4, M33):
r0-r3 a slot of four tiles, r4 reads slots, r5-r12 the sums (tile 0 of channel A, of B, tile 1 of A, ...), lr a word of
weights. Where they are loaded (Cortex-M7): r0-r7 the sums, r8 and r9 weights of A and B, r10 and r11 two tiles of a
slot, r12 reads weights, lr slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.gemm.gather import copied, filled
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Half, Pointer, Registers
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
from approx_plugin.kernels.winograd import passes
from approx_plugin.kernels.winograd.shape import LANES, SLOT_BYTES, Points, Scratch, Shape, Stripes, point_bytes
from approx_plugin.kernels.winograd.table import Numbers, constant_words

(INPUT, OUTPUT, SCRATCH, TILE_ROW, TILE_COLUMN, DOWN, ACROSS, PAIRS, TABLE, CHANNEL, POINT, POINTS) = range(0, 48, 4)
(COUNT, ROWS, TILES, LANE, BLOCK, OUT, SUMS, ROW) = range(48, 80, 4)
CONSTANTS = 80
"""Of both channels: up to six words each."""

SINGLES_AT = 128
FRAME = 192
"""Where things stand in the frame, in bytes, and its size."""

CHUNK = 16
"""Slots between two loads of weights, where they come from the FPU's registers: two words each."""

UNROLLED_BLOCKS = 32
"""Slots of all blocks together up to which the blocks of a point are written one after the other."""

SAVED = Registers((R4, R5, R6, R7, R8, R9, R10, R11, LR))
RESTORED = Registers((R4, R5, R6, R7, R8, R9, R10, R11, PC))
CALLEE_SAVED_SINGLES = Registers(SINGLES[16:])

REACH = 4095


@dataclass(frozen=True, eq=False)
class Code:
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
    def _free(self) -> tuple[Register, Register]:
        """While sums are held."""
        return (R0, R1) if self.from_singles else (R8, R9)

    @property
    def _reader(self) -> Register:
        return R4 if self.from_singles else LR

    @property
    def _sums(self) -> tuple[Register, ...]:
        return (R5, R6, R7, R8, R9, R10, R11, R12) if self.from_singles else (R0, R1, R2, R3, R4, R5, R6, R7)

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`."""
        stripes = self.stripes
        inner = [*self._transform(), *self._pairs(), *self._crop()]
        if stripes.across > 1:
            inner.append(straight(self._step(TILE_COLUMN, stripes.columns, self.shape.tile_columns)))
            inner = [Loop("part", stripes.across, tuple(inner), _counted(ACROSS, R0))]
        start: list[Item] = [*constant(R0, 0), _put(R0, TILE_COLUMN), *constant(R0, stripes.across), _put(R0, ACROSS)]
        body: list[Part] = [straight(start), *inner]
        if stripes.down > 1:
            body.append(straight(self._step(TILE_ROW, stripes.rows, self.shape.tile_rows)))
            body = [Loop("stripe", stripes.down, tuple(body), _counted(DOWN, R0))]
        parts = [straight(self._prologue()), *self._padding(), *body, straight(self._epilogue())]
        return Routine(name, tuple(parts), self.core)

    def _prologue(self) -> list[Item]:
        items: list[Item] = [instruction("push.w", SAVED), instruction("sub", SP, SP, FRAME)]
        if self.from_singles:
            items += [instruction("add", R3, SP, SINGLES_AT), instruction("vstmia", Pointer(R3), CALLEE_SAVED_SINGLES)]
        items += [_put(R0, INPUT), _put(R1, OUTPUT), _put(R2, SCRATCH)]
        return [*items, *constant(R0, 0), _put(R0, TILE_ROW), *constant(R0, self.stripes.down), _put(R0, DOWN)]

    def _epilogue(self) -> list[Item]:
        items: list[Item] = []
        if self.from_singles:
            items += [instruction("add", R3, SP, SINGLES_AT), instruction("vldmia", Pointer(R3), CALLEE_SAVED_SINGLES)]
        return [*items, instruction("add", SP, SP, FRAME), instruction("pop.w", RESTORED)]

    def _step(self, place: int, step: int, whole: int) -> list[Item]:
        """The next stripe's first tile; the last one ends where the tiles end."""
        items: list[Item] = [_get(R0, place), *add_constant(R0, step, R1)]
        if whole % step:
            items += [*constant(R1, whole - step), instruction("cmp", R0, R1)]
            items += [instruction("it", "gt"), instruction("movgt.n", R0, R1)]
        return [*items, _put(R0, place)]

    # ---- inputs

    @property
    def _fill(self) -> int:
        return (self.zero_point & 0xFF) * 0x01010101

    def _padding(self) -> list[Part]:
        """The whole row buffer is zero points: what is copied later leaves the columns beside it alone."""
        start: list[Item] = [Remark("Zero points into the row buffer."), _get(R1, SCRATCH), *constant(R4, self._fill)]
        return [straight(start), *filled(R4, R1, self.scratch.row_buffer, "padding", R3)]

    def _transform(self) -> list[Part]:
        """Rows of tiles one after the other: copied, transformed downwards, then across."""
        stripes = self.stripes
        start: list[Item] = [_get(R0, SCRATCH), *add_constant(R0, self.scratch.blocks, R1), _put(R0, BLOCK)]
        start += [*constant(R0, 0), _put(R0, LANE), _get(R0, TILE_ROW), _put(R0, ROW)]
        start += [*constant(R0, stripes.rows), _put(R0, ROWS)]
        body = [*self._rows(), *self._vertical(), *self._horizontal()]
        if stripes.rows == 1:
            return [straight(start), *body]
        body.append(straight([_get(R0, ROW), instruction("add", R0, 1), _put(R0, ROW)]))
        return [straight(start), Loop("tiles", stripes.rows, tuple(body), _counted(ROWS, R0))]

    def _rows(self) -> list[Part]:
        """Copy the rows under a row of tiles. r0 reads, r1 writes, r8 the row's number, r9 the height, r10 counts."""
        shape = self.shape
        down, rows = shape.form.tile[0], shape.form.patch[0]
        width, count = shape.width * shape.channels, shape.copied_bytes
        inside = sum(
            0 <= tile * down - shape.padding.top + row < shape.height
            for tile in range(shape.tile_rows)
            for row in range(rows)
        )
        share = inside / (shape.tile_rows * rows)
        start: list[Item] = [Remark("Rows of the input into the row buffer.")]
        start += [
            _get(R8, ROW),
            _get(R0, INPUT),
            _get(R1, SCRATCH),
            *constant(R2, down),
            instruction("mul", R8, R8, R2),
        ]
        start += [*add_constant(R8, -shape.padding.top, R2), *constant(R2, width)]
        start += [instruction("mla", R0, R8, R2, R0), *add_constant(R1, shape.padding.left * shape.channels, R2)]
        start += [*constant(R9, shape.height), *constant(R10, rows), *constant(R11, self._fill)]
        body: list[Part] = [straight([instruction("cmp", R8, R9)])]
        copy = (*copied(R0, R1, count, "copy", R3), straight(add_constant(R0, width - count, R2)))
        body.append(Sometimes("outside", "hs", share, copy))
        body.append(straight([instruction("cmp", R8, R9)]))
        fill = (*filled(R11, R1, count, "fill", R3), straight(add_constant(R0, width, R2)))
        body.append(Sometimes("inside", "lo", 1.0 - share, fill))
        body.append(straight(add_constant(R1, shape.row_bytes - count, R2), [instruction("add", R8, 1)]))
        return [straight(start), Loop("row", rows, tuple(body), (instruction("subs", R10, 1),))]

    def _vertical(self) -> list[Part]:
        """r12 reads rows, r11 those further down; lr writes lines, r10 those further down; the frame counts words."""
        shape, stripes = self.shape, self.stripes
        rows, pitch, line = shape.form.patch[0], shape.row_bytes, stripes.line_bytes
        half = rows // 2
        far_rows, far_lines = (rows - 1) * pitch > REACH, (rows - 1) * line + 4 > REACH
        items: list[Item] = [Remark("Downwards: each column of four channels."), _get(R12, SCRATCH)]
        if stripes.across > 1:
            column = shape.form.tile[1] * shape.channels
            items += [_get(R0, TILE_COLUMN), *constant(R1, column), instruction("mla", R12, R0, R1, R12)]
        items += [_get(LR, SCRATCH), *add_constant(LR, self.scratch.lines, R0)]
        count = stripes.line_columns * shape.channels // 4
        items += [*constant(R0, count), _put(R0, COUNT)]
        if far_rows:
            items += [instruction("mov", R11, R12), *add_constant(R11, half * pitch, R0)]
        if far_lines:
            items += [instruction("mov", R10, LR), *add_constant(R10, half * line, R0)]

        def load(row: int, register: Register) -> list[Instruction]:
            base, at = (R11, row - half) if far_rows and row >= half else (R12, row)
            return [instruction("ldr.w", register, Address(base, at * pitch, region="rows"))]

        body: list[Instruction] = []
        for odd in (False, True):

            def store(register: Register, row: int, odd: bool = odd) -> list[Instruction]:
                base, at = (R10, row - half) if far_lines and row >= half else (LR, row)
                return [instruction("str.w", register, Address(base, at * line + 4 * odd, region="lines"))]

            body += passes.widened(rows, load, odd)
            body += passes.vertical_four(store) if rows == 6 else passes.vertical_two(store)
        body += [instruction("add", R12, 4), instruction("add", LR, 8)]
        body += [instruction("add", R11, 4)] if far_rows else []
        body += [instruction("add", R10, 8)] if far_lines else []
        return [straight(items), Loop("column", count, (straight(body),), _counted(COUNT, R0), align=8)]

    def _horizontal(self) -> list[Part]:
        """Tile by tile into its lane of a block."""
        if self.points.is_uniform and self._all_slots:
            return self._horizontal_alike()
        return self._horizontal_kept()

    @property
    def _all_slots(self) -> bool:
        return self.points.counts[0] == self.shape.slots

    def _tiles(self, name: str, body: Sequence[Part], again: bool = False) -> list[Part]:
        """A loop over the tiles of a row: r11 the line's column, r12 the block's lane. again: from the row's start."""
        shape, stripes = self.shape, self.stripes
        first = [_get(R12, BLOCK), _get(R11, SCRATCH), *add_constant(R11, self.scratch.lines, R0)]
        first += [*constant(R0, stripes.columns), _put(R0, TILES)]
        if again:
            first += [_get(R0, LANE), _put(R0, SUMS)]
        place = SUMS if again else LANE
        step = 2 * shape.form.tile[1] * shape.channels
        close: list[Item] = [*add_constant(R11, step, R0), *add_constant(R12, 4, R0)]
        close += [_get(R0, place), instruction("add", R0, 1), _put(R0, place), instruction("tst", R0, LANES - 1)]
        block = self.points.block_bytes - 4 * LANES
        whole = Sometimes(f"{name}_same", "ne", 1.0 / LANES, (straight(add_constant(R12, block, R0)),))
        loop = Loop(name, stripes.columns, (*body, straight(close), whole), _counted(TILES, R0))
        return [straight(first), loop]

    def _row_end(self) -> list[Item]:
        """Where the next row of tiles begins: r12 has come to it."""
        return [_put(R12, BLOCK)]

    def _horizontal_alike(self) -> list[Part]:
        """All points have all slots: loops over rows of points and over slots. r8 and r9 count them."""
        shape, stripes = self.shape, self.stripes
        rows, channels, slots = shape.form.patch[0], shape.channels, shape.slots
        pitch = point_bytes(slots)
        body: list[Instruction] = []
        for slot in range(2):
            columns = (R0, R1, R2, R3)
            for column, register in enumerate(columns):
                address = Address(R11, column * 2 * channels + 4 * slot, region="lines")
                body.append(instruction("ldr.w", register, address))
            for column, made in enumerate((R4, R5, R6, R7)):
                name, one, other = passes.horizontal_two(column)
                body.append(instruction(name, made, one, other))
                address = Address(R12, column * pitch + SLOT_BYTES * slot, region="blocks")
                body.append(instruction("str.w", made, address))
        body += [instruction("add", R11, 8), *add_constant(R12, 2 * SLOT_BYTES, R0)]
        inner: list[Part] = [straight(constant(R8, slots // 2))] if slots > 2 else []
        inner += (
            [Loop("slots", slots // 2, (straight(body),), (instruction("subs", R8, 1),))]
            if slots > 2
            else [straight(body)]
        )
        # To the next row of points.
        inner.append(
            straight(
                add_constant(R12, 4 * pitch - SLOT_BYTES * slots, R0),
                add_constant(R11, stripes.line_bytes - 4 * slots, R0),
            )
        )
        back = [*add_constant(R11, -rows * stripes.line_bytes, R0), *add_constant(R12, -rows * 4 * pitch, R0)]
        tile: list[Part] = [
            straight(constant(R9, rows)),
            Loop("points", rows, tuple(inner), (instruction("subs", R9, 1),)),
        ]
        head: list[Item] = [Remark("Across, tile by tile, into the blocks.")]
        loops = self._tiles("tile", [*tile, straight(back)])
        return [straight(head), *loops, straight(self._row_end())]

    def _horizontal_kept(self) -> list[Part]:
        """Points keep slots of their own: some slots in a straight line for all tiles, then the next ones."""
        slots = self.shape.slots
        parts: list[Part] = [straight([Remark("Across, tile by tile, what is kept of each point.")])]
        for first in range(0, slots, self.slot_group):
            last = min(first + self.slot_group, slots)
            body = self._kept_slots(first, last)
            parts += self._tiles(f"tile_{first}", [straight(body)], again=True)
        end: list[Item] = [_get(R0, SUMS), _put(R0, LANE), *self._row_end()]
        return [*parts, straight(end)]

    def _kept_slots(self, first: int, last: int) -> list[Item]:
        """One tile. r10 stands in for r12 where offsets are large, r9 for r11."""
        shape, stripes, points = self.shape, self.stripes, self.points
        items: list[Item] = []
        base_line = base_block = 0
        line, block = R11, R12
        for row in range(shape.form.patch[0]):
            for slot in range(first, last):
                keeping = [c for c in range(4) if slot in self.numbers.kept[4 * row + c]]
                if not keeping:
                    continue
                at = row * stripes.line_bytes + 4 * slot
                reach = at + 3 * 2 * shape.channels
                if reach - base_line > REACH:
                    items += [instruction("mov", R9, R11), *add_constant(R9, at, R8)]
                    line, base_line = R9, at
                needed = sorted({r for c in keeping for r in passes.horizontal_two(c)[1:]})
                for register in needed:
                    column = (R0, R1, R2, R3).index(register)
                    address = Address(line, at - base_line + column * 2 * shape.channels, region="lines")
                    items.append(instruction("ldr.w", register, address))
                for column in keeping:
                    number = 4 * row + column
                    place = points.offsets[number] + SLOT_BYTES * self.numbers.kept[number].index(slot)
                    if not 0 <= place - base_block <= REACH:
                        items += [instruction("mov", R10, R12), *add_constant(R10, place, R8)]
                        block, base_block = R10, place
                    name, one, other = passes.horizontal_two(column)
                    made = (R4, R5, R6, R7)[column]
                    items.append(instruction(name, made, one, other))
                    items.append(instruction("str.w", made, Address(block, place - base_block, region="blocks")))
        return items

    # ---- products

    def _pairs(self) -> list[Part]:
        items: list[Item] = [Remark("Pair by pair of output channels.")]
        items += [
            instruction("movw", R0, Half(self.table, "lower16")),
            instruction("movt", R0, Half(self.table, "upper16")),
            _put(R0, TABLE),
        ]
        items += [*constant(R0, 0), _put(R0, CHANNEL), *constant(R0, self.pairs), _put(R0, PAIRS)]
        start = [_get(R0, SCRATCH), *add_constant(R0, self.scratch.blocks, R1), _put(R0, POINT)]
        body: list[Part] = [straight(start)]
        for number, (slots, count) in enumerate(self.points.groups):
            body += self._group(number, slots, count)
        body += self._outputs()
        if self.pairs == 1:
            return [straight(items), *body]
        body.append(straight(self._next_pair()))
        return [straight(items), Loop("pair", self.pairs, tuple(body), _counted(PAIRS, R0))]

    def _next_pair(self) -> list[Item]:
        items: list[Item] = [_get(R0, CHANNEL), instruction("add", R0, 2)]
        if self.shape.outputs % 2:
            # The last pair begins with the channel with which the one before it ends.
            items += [_get(R1, PAIRS), instruction("cmp", R1, 2), instruction("it", "eq")]
            items += [instruction("subeq.n", R0, 1)]
        return [*items, _put(R0, CHANNEL)]

    def _group(self, number: int, slots: int, count: int) -> list[Part]:
        """All points with so many slots."""
        free, other = self._free
        body: list[Part] = []
        sizes = self._chunks(slots)
        if self.core_name == "cortex-m4" and len(sizes) > 1 and len(set(sizes)) == 1:
            body += self._rolled_chunks(f"{number}", slots, len(sizes))
            sizes = []
        for place, size in enumerate(sizes):
            body += self._chunk(f"{number}_{place}", slots, CHUNK * place, size, first=place == 0)
        step = [_get(free, POINT), *add_constant(free, point_bytes(slots), other), _put(free, POINT)]
        body.append(straight(step))
        remark = Remark(f"{count} points of {slots} slots.")
        if count == 1:
            return [straight([remark]), *body]
        start: list[Item] = [remark, *constant(free, count), _put(free, POINTS)]
        return [straight(start), Loop(f"point_{number}", count, tuple(body), _counted(POINTS, free))]

    def _chunks(self, slots: int) -> list[int]:
        """Slots of each chunk."""
        if not self.from_singles:
            return [slots]
        return [min(CHUNK, slots - first) for first in range(0, slots, CHUNK)]

    def _rolled_chunks(self, name: str, slots: int, count: int) -> list[Part]:
        """Chunks of one size by the same code, which a Cortex-M4's cache of 1 KB holds. The frame counts bytes."""
        blocks, whole = self.stripes.blocks, SLOT_BYTES * slots
        step = SLOT_BYTES * CHUNK
        singles = Registers(SINGLES[: 2 * CHUNK])
        start: list[Item] = [*constant(R0, 0), _put(R0, SUMS)]
        items: list[Item] = [_get(R0, TABLE), instruction("vldmia", Pointer(R0, True, "table"), singles)]
        items += [_put(R0, TABLE), _get(R4, POINT), _get(R1, SUMS), instruction("add.w", R4, R4, R1)]
        items += [*constant(R0, blocks), _put(R0, COUNT)]
        sums = Registers(self._sums)
        zero = [instruction("mov.w", register, 0) for register in self._sums]
        go_on = [*constant(R0, whole), instruction("sub.w", R0, R0, R1), instruction("add.w", R0, R0, R4)]
        go_on += [instruction("ldmia.w", Pointer(R0, region="sums"), sums)]
        body: list[Part] = [straight([_get(R1, SUMS), *zero, instruction("cmp", R1, 0)])]
        body.append(Sometimes(f"begins_{name}", "eq", 1.0 - 1.0 / count, (straight(go_on),)))
        products = [one for slot in range(CHUNK) for one in self._from_singles(slot, False)]
        end = [_get(R1, SUMS), *constant(R0, whole - step), instruction("sub.w", R0, R0, R1)]
        end += [instruction("add.w", R0, R0, R4), instruction("stmia.w", Pointer(R0, region="sums"), sums)]
        end += add_constant(R4, self.points.block_bytes - step, R1)
        body.append(straight(products, end))
        close = (
            _get(R0, SUMS),
            *add_constant(R0, step, R1),
            _put(R0, SUMS),
            *constant(R1, whole),
            instruction("cmp", R0, R1),
        )
        loop = Loop(f"block_{name}", blocks, tuple(body), _counted(COUNT, R0), align=8)
        return [straight(start), Loop(f"chunk_{name}", count, (straight(items), loop), close)]

    def _chunk(self, name: str, slots: int, offset: int, size: int, *, first: bool) -> list[Part]:
        """Some slots of a point, for all blocks: the first ones start its sums, others go on with them."""
        free, other = self._free
        blocks, block_bytes = self.stripes.blocks, self.points.block_bytes
        items: list[Item] = []
        if self.from_singles:
            items += [
                _get(free, TABLE),
                instruction("vldmia", Pointer(free, True, "table"), Registers(SINGLES[: 2 * size])),
            ]
            items += [_put(free, TABLE)]
        else:
            items += [_get(R12, TABLE)]
        items += [_get(self._reader, POINT), *add_constant(self._reader, SLOT_BYTES * offset, other)]
        away = SLOT_BYTES * (slots - offset)
        unrolled = blocks == 1 or (self.core_name == "cortex-m33" and blocks * size <= UNROLLED_BLOCKS)
        body = self._products(size, away, first=first)
        walked = SLOT_BYTES * size if self.from_singles else 0
        on = add_constant(self._reader, block_bytes - walked, other)
        end: list[Item] = []
        if not self.from_singles:
            end += [*add_constant(R12, 8 * size, R8), _put(R12, TABLE)]
        if unrolled:
            many: list[Item] = [*body]
            for _ in range(blocks - 1):
                many += [*on, *body]
            return [straight(items, many, end)]
        items += [*constant(free, blocks), _put(free, COUNT)]
        loop = Loop(f"block_{name}", blocks, (straight(body, on),), _counted(COUNT, free), align=8)
        return [straight(items), loop, *([straight(end)] if end else [])]

    def _products(self, size: int, away: int, *, first: bool) -> list[Instruction]:
        """One block. away: from the reader to the point's sums."""
        items: list[Instruction] = []
        free, sums = self._free[0], self._sums
        if not first:
            items += [
                *_moved(free, self._reader, away),
                instruction("ldmia.w", Pointer(free, region="sums"), Registers(sums)),
            ]
        for slot in range(size):
            starts = first and slot == 0
            items += self._from_singles(slot, starts) if self.from_singles else self._loaded(slot, starts)
        if not self.from_singles:
            items += _moved(R11, LR, away)
            return [*items, instruction("stmia.w", Pointer(R11, region="sums"), Registers(sums))]
        rest = away - SLOT_BYTES * size
        target = R4
        if rest:
            items += _moved(R0, R4, rest)
            target = R0
        return [*items, instruction("stmia.w", Pointer(target, region="sums"), Registers(sums))]

    def _from_singles(self, slot: int, starts: bool) -> list[Instruction]:
        tiles = (R0, R1, R2, R3)
        items = [instruction("ldmia.w", Pointer(R4, True, "slots"), Registers(tiles))]
        for channel in range(2):
            items.append(instruction("vmov", LR, SINGLES[2 * slot + channel]))
            items += [_multiplied(self._sums[2 * t + channel], tile, LR, starts) for t, tile in enumerate(tiles)]
        return items

    def _loaded(self, slot: int, starts: bool) -> list[Instruction]:
        items = [
            instruction("ldr.w", R8, Address(R12, 8 * slot, region="table")),
            instruction("ldr.w", R9, Address(R12, 8 * slot + 4, region="table")),
        ]
        for half in (0, 2):
            lanes = ((half, R10), (half + 1, R11))
            for lane, register in lanes:
                items.append(instruction("ldr.w", register, Address(LR, SLOT_BYTES * slot + 4 * lane, region="slots")))
            items += [_multiplied(self._sums[2 * lane], register, R8, starts) for lane, register in lanes]
            items += [_multiplied(self._sums[2 * lane + 1], register, R9, starts) for lane, register in lanes]
        return items

    # ---- outputs

    @property
    def _words(self) -> int:
        return constant_words(self.numbers)

    def _outputs(self) -> list[Part]:
        """Tile by tile: lr the tile's sums in a block, the output pointer in the frame or s31."""
        words = 2 * self._words
        data = (R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12)[:words]
        items: list[Item] = [Remark("Sums back to outputs: constants of both channels first.")]
        items += [_get(R0, TABLE), instruction("ldmia.w", Pointer(R0, True, "table"), Registers(data)), _put(R0, TABLE)]
        if self.from_singles:
            items += [instruction("vmov", SINGLES[number], register) for number, register in enumerate(data)]
        else:
            items += [instruction("add", R0, SP, CONSTANTS)]
            items += [instruction("stmia.w", Pointer(R0, region="frame"), Registers(data))]
        parts: list[Part] = [straight(items)]
        count = 2 if self.shape.outputs > 1 else 1
        both = tuple(range(count))
        # A Cortex-M4's cache of 1 KB holds the code of one channel.
        for channels in [(channel,) for channel in both] if self.core_name == "cortex-m4" else [both]:
            parts += self._output_tiles(channels)
        return parts

    def _output_tiles(self, channels: tuple[int, ...]) -> list[Part]:
        """All tiles of the stripe, for one channel of the pair or both."""
        shape, stripes, scratch = self.shape, self.stripes, self.scratch
        number = channels[0]
        items: list[Item] = [*constant(R0, 0), _put(R0, LANE), *constant(R0, stripes.rows), _put(R0, ROWS)]
        items += [_get(LR, SCRATCH), *add_constant(LR, scratch.blocks, R0)]
        down, across = shape.form.tile
        if shape.is_cropped:
            items += [_get(R12, SCRATCH), *add_constant(R12, scratch.outputs, R0)]
        else:
            items += [_get(R12, OUTPUT), _get(R0, TILE_ROW), *constant(R1, down * scratch.output_row)]
            items += [instruction("mla", R12, R0, R1, R12)]
            if stripes.across > 1:
                items += [_get(R0, TILE_COLUMN), *constant(R1, across * shape.outputs)]
                items += [instruction("mla", R12, R0, R1, R12)]
        items += [_get(R0, CHANNEL), instruction("add.w", R12, R12, R0), _put(R12, OUT)]
        tile = self._tile(channels)
        tile += [_get(R12, OUT), *add_constant(R12, across * shape.outputs, R0), _put(R12, OUT)]
        tile += [*add_constant(LR, 8, R0), _get(R0, LANE), instruction("add", R0, 1), _put(R0, LANE)]
        tile += [instruction("tst", R0, LANES - 1)]
        block = self.points.block_bytes - 8 * LANES
        whole = Sometimes(f"same_block_{number}", "ne", 1.0 / LANES, (straight(add_constant(LR, block, R0)),))
        body: list[Part] = [straight([*constant(R0, stripes.columns), _put(R0, TILES)])]
        body.append(Loop(f"output_{number}", stripes.columns, (straight(tile), whole), _counted(TILES, R0)))
        if stripes.rows == 1:
            return [straight(items), *body]
        step = down * scratch.output_row - stripes.columns * across * shape.outputs
        body.append(straight([_get(R12, OUT), *add_constant(R12, step, R0), _put(R12, OUT)]))
        return [straight(items), Loop(f"output_row_{number}", stripes.rows, tuple(body), _counted(ROWS, R0))]

    def _constant(self, register: Register, channel: int, which: int) -> Instruction:
        number = channel * self._words + which
        if self.from_singles:
            return instruction("vmov", register, SINGLES[number])
        return _get(register, CONSTANTS + 4 * number)

    def _tile(self, channels: tuple[int, ...]) -> list[Item]:
        """Some channels of a tile."""
        shape, made = self.shape, self.numbers.requantisation
        down, across = shape.form.tile
        sums, pitch = self.points.sums, self.scratch.output_row
        items: list[Item] = []
        for channel in channels:

            def load(point: int, register: Register, channel: int = channel) -> list[Instruction]:
                found = passes.loaded(register, LR, sums[point] + 4 * channel, "sums")
                if point == self.numbers.start_point and self.numbers.start.any():
                    # r12 holds nothing that matters where this point is looked at.
                    found += [self._constant(R12, channel, 0), instruction("add.w", register, register, R12)]
                return found

            first = passes.FIRST[:down]
            biased = [self._constant(R12, channel, 1), *(instruction("add.w", r, r, R12) for r in first)]
            items += passes.outputs_four(load, biased) if down == 4 else passes.outputs_two(load, biased)
            items += [_get(R12, OUT), self._constant(R8, channel, 2), self._constant(R9, channel, 3)]
            sign = temporary = shift = None
            which = 4
            if made.signs is not None:
                sign, temporary = R10, R11
                items.append(self._constant(R10, channel, which))
                which += 1
            if made.exponent is None:
                shift = LR
                items += [_put(LR, SUMS), self._constant(LR, channel, which)]
            far = (down - 1) * pitch + shape.outputs + 1 > REACH
            for row in range(down):
                for column, side in ((0, passes.FIRST), (1, passes.SECOND))[:across]:
                    items += output_code(side[row], R8, R9, made, sign, temporary, shift)
                    at = (0 if far else row * pitch) + column * shape.outputs + channel
                    items.append(instruction("strb.w", side[row], Address(R12, at, region="output")))
                if far and row < down - 1:
                    items += add_constant(R12, pitch, side[row])
            if made.exponent is None:
                items.append(_get(LR, SUMS))
        return items

    def _crop(self) -> list[Part]:
        """The rows and columns of the output that there are, from the scratch to the output."""
        shape, stripes, scratch = self.shape, self.stripes, self.scratch
        if not shape.is_cropped:
            return []
        down = shape.form.tile[0]
        count = shape.out_width * shape.outputs
        items: list[Item] = [Remark("Outputs without what lies beyond the layer's.")]
        items += [_get(R0, SCRATCH), *add_constant(R0, scratch.outputs, R2), _get(R1, OUTPUT), _get(R8, TILE_ROW)]
        items += [*constant(R2, down), instruction("mul", R8, R8, R2), *constant(R2, count)]
        items += [
            instruction("mla", R1, R8, R2, R1),
            *constant(R10, shape.out_height),
            instruction("sub.w", R10, R10, R8),
        ]
        most = stripes.rows * down
        items += [
            *constant(R2, most),
            instruction("cmp", R10, R2),
            instruction("it", "gt"),
            instruction("movgt.n", R10, R2),
        ]
        rows = shape.out_height / stripes.down
        body = [*copied(R0, R1, count, "crop_bytes", R3), straight(add_constant(R0, scratch.output_row - count, R2))]
        return [straight(items), Loop("crop", rows, tuple(body), (instruction("subs", R10, 1),))]


def _multiplied(total: Register, tile: Register, weight: Register, starts: bool) -> Instruction:
    if starts:
        return instruction("smuad", total, tile, weight)
    return instruction("smlad", total, tile, weight, total)


def _moved(target: Register, source: Register, amount: int) -> list[Instruction]:
    """target = source + amount."""
    if amount <= REACH:
        return [instruction("addw", target, source, amount)]
    return [*constant(target, amount), instruction("add.w", target, target, source)]


def _get(register: Register, place: int) -> Instruction:
    return instruction("ldr.w", register, Address(SP, place, region="frame"))


def _put(register: Register, place: int) -> Instruction:
    return instruction("str.w", register, Address(SP, place, region="frame"))


def _counted(place: int, register: Register) -> tuple[Instruction, ...]:
    """The end of a loop whose counter stands in the frame."""
    return (_get(register, place), instruction("subs", register, 1), _put(register, place))
