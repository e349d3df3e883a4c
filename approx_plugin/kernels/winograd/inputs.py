"""Inputs transformed: rows with their padding, downwards into lines, across into blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import (
    LR,
    R0,
    R1,
    R8,
    R9,
    R10,
    R11,
    R12,
    Register,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import counted, get, put
from approx_plugin.kernels.rolled.rows import PaddedRows
from approx_plugin.kernels.winograd import passes
from approx_plugin.kernels.winograd.shape import LANES, SLOT_BYTES, point_bytes
from approx_plugin.kernels.winograd.task import (
    BLOCK,
    COUNT,
    INPUT,
    LANE,
    REACH,
    ROW,
    ROWS,
    SCRATCH,
    SUMS,
    TILE_COLUMN,
    TILE_ROW,
    TILES,
    Task,
)


@dataclass(frozen=True, eq=False)
class Inputs(Task):
    """The first part of a stripe."""

    @property
    def _padded(self) -> PaddedRows:
        shape = self.shape
        down, rows = shape.form.step[0], shape.form.patch[0]
        inside = sum(
            0 <= tile * down - shape.padding.top + row < shape.height
            for tile in range(shape.tile_rows)
            for row in range(rows)
        )
        return PaddedRows(
            height=shape.height,
            width=shape.width * shape.channels,
            rows=rows,
            step=down,
            above=shape.padding.top,
            left=shape.padding.left * shape.channels,
            count=shape.copied_bytes,
            pitch=shape.row_bytes,
            inside=inside / (shape.tile_rows * rows),
            zero_point=self.zero_point,
            input=INPUT,
            row=ROW,
            buffer=SCRATCH,
        )

    def padded_buffer(self) -> list[Part]:
        """Before the first stripe."""
        return self._padded.emptied(self.scratch.row_buffer)

    def copied_once(self) -> list[Part]:
        """The rows under a single row of tiles, for all of its parts."""
        if self.stripes.rows > 1:
            return []
        return [straight([get(R0, TILE_ROW), put(R0, ROW)]), *self._padded.copied()]

    def transformed(self) -> list[Part]:
        """Rows of tiles one after the other: copied if there are several, transformed downwards, then across."""
        stripes = self.stripes
        start: list[Item] = [get(R0, SCRATCH), *add_constant(R0, self.scratch.blocks, R1), put(R0, BLOCK)]
        start += [*constant(R0, 0), put(R0, LANE)]
        if stripes.rows > 1:
            start += [get(R0, TILE_ROW), put(R0, ROW), *constant(R0, stripes.rows), put(R0, ROWS)]
        body = [*self._vertical(), *self._horizontal()]
        if stripes.rows == 1:
            return [straight(start), *body]
        body = [*self._padded.copied(), *body]
        body.append(straight([get(R0, ROW), instruction("add", R0, 1), put(R0, ROW)]))
        return [straight(start), Loop("tiles", stripes.rows, tuple(body), counted(ROWS, R0))]

    def _vertical(self) -> list[Part]:
        """r12 reads rows, r11 those further down; lr writes lines, r10 those further down; the frame counts words."""
        shape, stripes = self.shape, self.stripes
        rows, pitch, line = shape.form.patch[0], shape.row_bytes, stripes.line_bytes
        half = rows // 2
        far_rows, far_lines = (rows - 1) * pitch > REACH, (rows - 1) * line + 4 > REACH
        items: list[Item] = [Remark("Downwards: each column of four channels."), get(R12, SCRATCH)]
        if stripes.across > 1:
            column = shape.form.step[1] * shape.channels
            items += [get(R0, TILE_COLUMN), *constant(R1, column), instruction("mla", R12, R0, R1, R12)]
        items += [get(LR, SCRATCH), *add_constant(LR, self.scratch.lines, R0)]
        count = stripes.line_columns * shape.channels // 4
        items += [*constant(R0, count), put(R0, COUNT)]
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
            body += passes.VERTICAL[rows](store)
        body += [instruction("add", R12, 4), instruction("add", LR, 8)]
        body += [instruction("add", R11, 4)] if far_rows else []
        body += [instruction("add", R10, 8)] if far_lines else []
        return [straight(items), Loop("column", count, (straight(body),), counted(COUNT, R0), align=8)]

    def _horizontal(self) -> list[Part]:
        """Tile by tile into its lane of a block."""
        if not self.numbers.keeps_all:
            return self._horizontal_kept()
        return self._horizontal_alike() if self.points.is_uniform else self._horizontal_rows()

    def _tiles(self, name: str, body: Sequence[Part], again: bool = False) -> list[Part]:
        """A loop over the tiles of a row: r11 the line's column, r12 the block's lane. again: from the row's start."""
        shape, stripes = self.shape, self.stripes
        first = [get(R12, BLOCK), get(R11, SCRATCH), *add_constant(R11, self.scratch.lines, R0)]
        first += [*constant(R0, stripes.columns), put(R0, TILES)]
        if again:
            first += [get(R0, LANE), put(R0, SUMS)]
        place = SUMS if again else LANE
        step = 2 * shape.form.step[1] * shape.channels
        close: list[Item] = [*add_constant(R11, step, R0), *add_constant(R12, 4, R0)]
        close += [get(R0, place), instruction("add", R0, 1), put(R0, place), instruction("tst", R0, LANES - 1)]
        block = self.points.block_bytes - 4 * LANES
        whole = Sometimes(f"{name}_same", "ne", 1.0 / LANES, (straight(add_constant(R12, block, R0)),))
        loop = Loop(name, stripes.columns, (*body, straight(close), whole), counted(TILES, R0))
        return [straight(first), loop]

    def _row_end(self) -> list[Item]:
        """Where the next row of tiles begins: r12 has come to it."""
        return [put(R12, BLOCK)]

    def _horizontal_alike(self) -> list[Part]:
        """All points have all slots: loops over rows of points and over slots. r8 and r9 count them."""
        shape, stripes = self.shape, self.stripes
        rows, channels, slots = shape.form.patch[0], shape.channels, shape.slots
        pitch = point_bytes(slots)
        body: list[Instruction] = []
        for slot in range(2):
            for column, register in enumerate(passes.COLUMNS[: shape.form.patch[1]]):
                address = Address(R11, column * 2 * channels + 4 * slot, region="lines")
                body.append(instruction("ldr.w", register, address))
            for column, made in enumerate(passes.HORIZONTAL[4]):
                body += made.code
                address = Address(R12, column * pitch + SLOT_BYTES * slot, region="blocks")
                body.append(instruction("str.w", made.register, address))
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

    def _horizontal_rows(self) -> list[Part]:
        """All points have all slots, but sums have different ones: a loop over slots for each row of points.

        r12, r10 and r9 write a row's first, second and last sum; r8 counts pairs of slots.
        """
        shape, stripes, points = self.shape, self.stripes, self.points
        channels, slots = shape.channels, shape.slots
        bases, made = (R12, R10, R9), passes.HORIZONTAL[5]
        rows: list[Part] = []
        for row in range(shape.form.grid[0]):
            places = [self._place(row * len(made) + column) for column in range(len(made))]
            sums = sorted({number for number, _ in places})
            starts = [points.offsets[number] + min(at for n, at in places if n == number) for number in sums]
            head: list[Item] = [instruction("mov", base, R12) for base in bases[1:]]
            for base, at in zip(bases, starts):
                head += add_constant(base, at, R0)
            body: list[Instruction] = []
            for slot in range(2):
                for column, register in enumerate(passes.COLUMNS):
                    address = Address(R11, column * 2 * channels + 4 * slot, region="lines")
                    body.append(instruction("ldr.w", register, address))
                for (number, at), point in zip(places, made):
                    base, start = bases[sums.index(number)], starts[sums.index(number)]
                    offset = points.offsets[number] + at - start + SLOT_BYTES * slot
                    body += point.code
                    body.append(instruction("str.w", point.register, Address(base, offset, region="blocks")))
            body += [instruction("add", R11, 8), *(instruction("add", base, 2 * SLOT_BYTES) for base in bases)]
            close = add_constant(R12, -starts[0] - SLOT_BYTES * slots, R0)
            close += add_constant(R11, stripes.line_bytes - 4 * slots, R0)
            loop = Loop(f"slots_{row}", slots // 2, (straight(body),), (instruction("subs", R8, 1),))
            rows += [straight(constant(R8, slots // 2), head), loop, straight(close)]
        rows.append(straight(add_constant(R11, -shape.form.grid[0] * stripes.line_bytes, R0)))
        head_ = [Remark("Across, tile by tile, into the blocks.")]
        return [straight(head_), *self._tiles("tile", rows), straight(self._row_end())]

    def _place(self, point: int) -> tuple[int, int]:
        """The sum to which a point belongs, and where the point's slots begin in it, in bytes: all are kept."""
        for number, points in enumerate(self.shape.form.sums):
            if point in points:
                return number, SLOT_BYTES * self.shape.slots * points.index(point)
        raise AssertionError(point)

    def _horizontal_kept(self) -> list[Part]:
        """Points keep slots of their own: some slots in a straight line for all tiles, then the next ones."""
        slots = self.shape.slots
        parts: list[Part] = [straight([Remark("Across, tile by tile, what is kept of each point.")])]
        for first in range(0, slots, self.slot_group):
            last = min(first + self.slot_group, slots)
            body = self._kept_slots(first, last)
            parts += self._tiles(f"tile_{first}", [straight(body)], again=True)
        end: list[Item] = [get(R0, SUMS), put(R0, LANE), *self._row_end()]
        return [*parts, straight(end)]

    @cached_property
    def _kept_places(self) -> dict[tuple[int, int], int]:
        """(point, slot) -> where it stands in a block."""
        found = {}
        for number, kept in enumerate(self.numbers.kept):
            for index, one in enumerate(kept):
                found[one] = self.points.offsets[number] + SLOT_BYTES * index
        return found

    def _kept_slots(self, first: int, last: int) -> list[Item]:
        """One tile. r10 stands in for r12 where offsets are large, r9 for r11."""
        shape, stripes = self.shape, self.stripes
        rows, columns = shape.form.grid
        made = passes.HORIZONTAL[columns]
        items: list[Item] = []
        base_line = base_block = 0
        line, block = R11, R12
        for row in range(rows):
            for slot in range(first, last):
                keeping = [c for c in range(columns) if (columns * row + c, slot) in self._kept_places]
                if not keeping:
                    continue
                at = row * stripes.line_bytes + 4 * slot
                reach = at + (shape.form.patch[1] - 1) * 2 * shape.channels
                if reach - base_line > REACH:
                    items += [instruction("mov", R9, R11), *add_constant(R9, at, R8)]
                    line, base_line = R9, at
                for column in sorted({column for c in keeping for column in made[c].columns}):
                    register = passes.COLUMNS[column]
                    address = Address(line, at - base_line + column * 2 * shape.channels, region="lines")
                    items.append(instruction("ldr.w", register, address))
                for column in keeping:
                    place = self._kept_places[columns * row + column, slot]
                    if not 0 <= place - base_block <= REACH:
                        items += [instruction("mov", R10, R12), *add_constant(R10, place, R8)]
                        block, base_block = R10, place
                    items += made[column].code
                    address = Address(block, place - base_block, region="blocks")
                    items.append(instruction("str.w", made[column].register, address))
        return items
