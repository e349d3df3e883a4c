"""Windows gathered into blocks: rows with their padding first, then pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.gemm.geometry import BLOCK
from approx_plugin.kernels.gemm.task import (
    BLOCKS,
    BORROWED,
    INPUT,
    LEFT,
    ROW,
    SCRATCH,
    Task,
)
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import instruction
from approx_plugin.kernels.machine.registers import (
    LR,
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import get, put
from approx_plugin.kernels.rolled.rows import PaddedRows


@dataclass(frozen=True, eq=False)
class Windows(Task):
    """The first part of a stripe."""

    @property
    def _padded(self) -> PaddedRows:
        geometry, stripes = self.geometry, self.stripes
        return PaddedRows(
            height=geometry.height,
            width=geometry.width * geometry.channels,
            rows=stripes.rows,
            step=geometry.stride[0],
            above=geometry.padding.top,
            left=geometry.left_bytes,
            count=geometry.copied_bytes,
            pitch=geometry.row_bytes,
            inside=stripes.rows_inside / stripes.rows,
            zero_point=self.zero_point,
            input=INPUT,
            row=ROW,
            buffer=SCRATCH,
        )

    def padded_buffer(self) -> list[Part]:
        """Before the first stripe."""
        return self._padded.emptied(self.row_buffer) if self.geometry.is_copied else []

    def gathered(self) -> list[Part]:
        """All blocks of the stripe."""
        rows = self._padded.copied() if self.geometry.is_copied else []
        return [*rows, *self._gather()]

    def _gather(self) -> list[Part]:
        """r0 the window of a pixel, r1 its slots, r2 pixels left in the row, r3 blocks, lr pixels of the block."""
        geometry, stripes = self.geometry, self.stripes
        items: list[Item] = [Remark("Windows into blocks of four pixels.")]
        items += [get(R1, SCRATCH), get(R2, LEFT)]
        if geometry.is_copied:
            # The window's column is the row's pixels that are done.
            items += [*constant(R4, geometry.out_width), instruction("sub.w", R4, R4, R2)]
            items += [*constant(R5, geometry.pixel_bytes), instruction("mla", R0, R4, R5, R1)]
            items += add_constant(R0, geometry.first_byte, R5)
        else:
            items += [get(R0, INPUT)]
        items += [*add_constant(R1, self.slots_at, R4), get(R3, BLOCKS)]
        advance: list[Item] = [*add_constant(R0, geometry.pixel_bytes, R4), instruction("add", R1, 4)]
        lines = 1.0 / geometry.out_width
        newline: list[Item] = [*constant(R2, geometry.out_width)]
        newline += add_constant(R0, geometry.line_bytes - geometry.out_width * geometry.pixel_bytes, R4)
        if geometry.is_copied:
            newline += [get(R4, ROW), instruction("add", R4, 1), put(R4, ROW)]
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
        end: list[Item] = [put(R2, LEFT)]
        if not geometry.is_copied:
            end.append(put(R0, INPUT))
        return [straight(items), block, straight(end)]

    def _borrow(self) -> list[Part]:
        """Before the very last block: back to pixels of the one before it."""
        geometry, stripes = self.geometry, self.stripes
        row, column = stripes.borrowing
        items: list[Item] = [*constant(R2, geometry.out_width - column)]
        if geometry.is_copied:
            first, _ = stripes.starts[-1]
            away = (row - first) * geometry.line_bytes + column * geometry.pixel_bytes + geometry.first_byte
            items += [get(R0, SCRATCH), *add_constant(R0, away, R4)]
        else:
            # Back by as many windows, from where the next one would have been.
            at_row, at_column = divmod((geometry.blocks - 1) * BLOCK, geometry.out_width)
            back = (at_row - row) * geometry.line_bytes + (at_column - column) * geometry.pixel_bytes
            items += add_constant(R0, -back, R4)
        share = stripes.count / geometry.blocks
        inner = Sometimes("whole", "eq", 1.0 / stripes.count, (straight(items),))
        check: list[Item] = [get(R4, BORROWED), instruction("cmp", R4, 0)]
        return [straight([instruction("cmp", R3, 1)]), Sometimes("not_last", "ne", share, (straight(check), inner))]
