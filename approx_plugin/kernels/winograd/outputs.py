"""Sums transformed back, requantised and stored; what lies beyond the output is cut off."""

from __future__ import annotations

from dataclasses import dataclass

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
from approx_plugin.kernels.rolled.requantise import output_code
from approx_plugin.kernels.rolled.rows import copied
from approx_plugin.kernels.winograd import passes
from approx_plugin.kernels.winograd.shape import LANES
from approx_plugin.kernels.winograd.table import constant_words
from approx_plugin.kernels.winograd.task import (
    CHANNEL,
    CONSTANTS,
    LANE,
    OUT,
    OUTPUT,
    REACH,
    ROWS,
    SCRATCH,
    SUMS,
    TABLE,
    TILE_COLUMN,
    TILE_ROW,
    TILES,
    Task,
)


@dataclass(frozen=True, eq=False)
class Outputs(Task):
    """The last part of a stripe."""

    @property
    def _words(self) -> int:
        return constant_words(self.numbers)

    def transformed_back(self) -> list[Part]:
        """Tile by tile: lr the tile's sums in a block, the output pointer in the frame or s31."""
        words = 2 * self._words
        data = (R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12)[:words]
        items: list[Item] = [Remark("Sums back to outputs: constants of both channels first.")]
        items += [get(R0, TABLE), instruction("ldmia.w", Pointer(R0, True, "table"), Registers(data)), put(R0, TABLE)]
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
        items: list[Item] = [*constant(R0, 0), put(R0, LANE), *constant(R0, stripes.rows), put(R0, ROWS)]
        items += [get(LR, SCRATCH), *add_constant(LR, scratch.blocks, R0)]
        down, across = shape.form.tile
        if shape.is_cropped:
            items += [get(R12, SCRATCH), *add_constant(R12, scratch.outputs, R0)]
        else:
            items += [get(R12, OUTPUT), get(R0, TILE_ROW), *constant(R1, down * scratch.output_row)]
            items += [instruction("mla", R12, R0, R1, R12)]
            if stripes.across > 1:
                items += [get(R0, TILE_COLUMN), *constant(R1, across * shape.outputs)]
                items += [instruction("mla", R12, R0, R1, R12)]
        items += [get(R0, CHANNEL), instruction("add.w", R12, R12, R0), put(R12, OUT)]
        tile = self._tile(channels)
        tile += [get(R12, OUT), *add_constant(R12, across * shape.outputs, R0), put(R12, OUT)]
        tile += [*add_constant(LR, 8, R0), get(R0, LANE), instruction("add", R0, 1), put(R0, LANE)]
        tile += [instruction("tst", R0, LANES - 1)]
        block = self.points.block_bytes - 8 * LANES
        whole = Sometimes(f"same_block_{number}", "ne", 1.0 / LANES, (straight(add_constant(LR, block, R0)),))
        body: list[Part] = [straight([*constant(R0, stripes.columns), put(R0, TILES)])]
        body.append(Loop(f"output_{number}", stripes.columns, (straight(tile), whole), counted(TILES, R0)))
        if stripes.rows == 1:
            return [straight(items), *body]
        step = down * scratch.output_row - stripes.columns * across * shape.outputs
        body.append(straight([get(R12, OUT), *add_constant(R12, step, R0), put(R12, OUT)]))
        return [straight(items), Loop(f"output_row_{number}", stripes.rows, tuple(body), counted(ROWS, R0))]

    def _constant(self, register: Register, channel: int, which: int) -> Instruction:
        number = channel * self._words + which
        if self.from_singles:
            return instruction("vmov", register, SINGLES[number])
        return get(register, CONSTANTS + 4 * number)

    def _tile(self, channels: tuple[int, ...]) -> list[Item]:
        """Some channels of a tile."""
        shape, made = self.shape, self.numbers.requantisation
        down, across = shape.form.tile
        sums, pitch = self.points.sums, self.scratch.output_row
        items: list[Item] = []
        for channel in channels:

            def load(point: int, register: Register, channel: int = channel) -> list[Instruction]:
                return passes.loaded(register, LR, sums[point] + 4 * channel, "sums")

            first = passes.FIRST[:down]
            biased = [self._constant(R12, channel, 0), *(instruction("add.w", r, r, R12) for r in first)]
            items += passes.OUTPUTS[shape.form.patch[0]](load, biased)
            items += [get(R12, OUT), self._constant(R8, channel, 1), self._constant(R9, channel, 2)]
            sign = temporary = shift = None
            which = 3
            if made.signs is not None:
                sign, temporary = R10, R11
                items.append(self._constant(R10, channel, which))
                which += 1
            if made.exponent is None:
                shift = LR
                items += [put(LR, SUMS), self._constant(LR, channel, which)]
            far = (down - 1) * pitch + shape.outputs + 1 > REACH
            for row in range(down):
                for column, side in ((0, passes.FIRST), (1, passes.SECOND))[:across]:
                    items += output_code(side[row], R8, R9, made, sign, temporary, shift)
                    at = (0 if far else row * pitch) + column * shape.outputs + channel
                    items.append(instruction("strb.w", side[row], Address(R12, at, region="output")))
                if far and row < down - 1:
                    items += add_constant(R12, pitch, side[row])
            if made.exponent is None:
                items.append(get(LR, SUMS))
        return items

    def cropped(self) -> list[Part]:
        """The rows and columns of the output that there are, from the scratch to the output."""
        shape, stripes, scratch = self.shape, self.stripes, self.scratch
        if not shape.is_cropped:
            return []
        down = shape.form.tile[0]
        count = shape.out_width * shape.outputs
        items: list[Item] = [Remark("Outputs without what lies beyond the layer's.")]
        items += [get(R0, SCRATCH), *add_constant(R0, scratch.outputs, R2), get(R1, OUTPUT), get(R8, TILE_ROW)]
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
