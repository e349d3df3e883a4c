"""The code of one channel group: loops over the blocks of the output, straight-line code inside.

Registers: r0 walks the widened input; r1 holds the constant; r2 and up the operand window; the accumulators follow.
Requantisation reuses the constant's and the window's registers. On the stack: the output pointer, the blocks left in
the row, the rows left, and where the sums of the phases are. `legend` says the same in the generated files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.machine import text as written
from approx_plugin.kernels.machine.checking import MAX_OFFSET
from approx_plugin.kernels.machine.idioms import add_constant, constant, limit, load_words, store_words
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Pointer, Registers, Shifted
from approx_plugin.kernels.machine.registers import CORE, GENERAL, LR, PC, R1, R2, R3, SP, Register
from approx_plugin.kernels.machine.scheduling import schedule_items
from approx_plugin.kernels.machine.text import Item, Label, Remark
from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import BYTES, Geometry, Slots, describe_slot
from approx_plugin.kernels.unpacked.requantise import ChannelConstants
from approx_plugin.kernels.unpacked.window import Use, allocate

BASE, CONSTANT, WINDOW = 0, 1, 2
"""Places in `GENERAL` of the base pointer, the constant and the first of the window's registers."""

OUTPUT_SLOT, COLUMNS_SLOT, ROWS_SLOT, SUMS_SLOT = 0, 4, 8, 12
FRAME = 16
SAVED = CORE[4:12]


@dataclass(frozen=True, eq=False)
class Group:
    """One channel group's share of a layer.

    channels: the output channels; low, high: int64 [channels, slots], the scaled weights.
    """

    channels: tuple[int, ...]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """bool [slots]: the slots of which any channel keeps anything."""
        kept: npt.NDArray[np.bool_] = ((self.low != 0) | (self.high != 0)).any(axis=0)
        return kept


def groups(slots: Slots, constants: ChannelConstants, block: Block) -> list[Group]:
    """The layer's channel groups, `block.channels` each; the last one may be smaller."""
    low, high = slots.pairs(constants.weights)
    count = len(low)
    return [
        Group(
            tuple(range(first, min(first + block.channels, count))),
            low[first : first + block.channels],
            high[first : first + block.channels],
        )
        for first in range(0, count, block.channels)
    ]


@dataclass(frozen=True)
class Phase:
    """One of a group's functions. slots: what it adds, in this order; first: it begins with the bias; last: it
    requantises. Sums go from one phase to the next through memory.
    """

    slots: tuple[int, ...]
    first: bool = True
    last: bool = True


@dataclass(frozen=True)
class GroupCode:
    """A function. items: its instructions, labels and remarks in their order; text: the same for an assembler."""

    name: str
    items: tuple[Item, ...]

    @property
    def text(self) -> str:
        """Lines that end with an empty one."""
        return "\n".join(written.function(self.name, self.items))

    @property
    def size(self) -> int:
        """Bytes of code."""
        return written.size_of(self.items)


def accumulator(block: Block, channel: int, pixel: int) -> Register:
    """Where the sum of a channel of the group and a pixel of the block is."""
    return GENERAL[WINDOW + block.window + channel * block.pixels + pixel]


class Walk:
    """Where the base register points while the words of a block are loaded. moved: bytes from the block's start."""

    def __init__(self) -> None:
        """At the block's start."""
        self.moved = 0

    def loads(self, use: Use) -> list[Instruction]:
        """The instructions that load the words of a slot's turn, and move the base where one is out of reach."""
        addresses = [word * BYTES for _, word in use.loads]
        code: list[Instruction] = []
        if addresses:
            lowest, highest = min(addresses), max(addresses)
            if not self._reaches(lowest, highest) and highest - lowest <= MAX_OFFSET:
                code += self._move_to(lowest)
        for (register, _), address in zip(use.loads, addresses):
            if not self._reaches(address, address):
                code += self._move_to(address)
            place = Address(GENERAL[BASE], address - self.moved, region="input")
            code.append(instruction("ldr", GENERAL[WINDOW + register], place))
        return code

    def _reaches(self, lowest: int, highest: int) -> bool:
        return lowest >= self.moved and highest - self.moved <= MAX_OFFSET

    def _move_to(self, address: int) -> list[Instruction]:
        way, self.moved = address - self.moved, address
        return add_constant(GENERAL[BASE], way, GENERAL[CONSTANT])


def _frame(offset: int) -> Address:
    return Address(SP, offset, region="frame")


def spread_bias(block: Block, channel: int) -> list[Instruction]:
    """A channel without a single product: every accumulator is the bias."""
    last = accumulator(block, channel, block.pixels - 1)
    return [instruction("mov", accumulator(block, channel, pixel), last) for pixel in range(block.pixels - 1)]


def _products(block: Block, group: Group, use: Use, fresh: set[int]) -> list[Instruction]:
    """All products of one slot: for each channel that keeps it, the constant, then one instruction a pixel."""
    code: list[Instruction] = []
    weight = GENERAL[CONSTANT]
    for channel in range(len(group.channels)):
        low, high = int(group.low[channel, use.slot]), int(group.high[channel, use.slot])
        if low and high:
            operation = "smlad"
            code += constant(weight, high << 16 | low & 0xFFFF)
        elif low or high:
            operation = "smlabb" if low else "smlatb"
            code += constant(weight, (low or high) & 0xFFFF)
        else:
            continue
        last = accumulator(block, channel, block.pixels - 1)
        for pixel, word in enumerate(use.operands):
            target = accumulator(block, channel, pixel)
            # The first product of a channel takes the bias from the last pixel's accumulator: no moves needed.
            source = last if channel in fresh else target
            code.append(instruction(operation, target, GENERAL[WINDOW + word], weight, source))
        fresh.discard(channel)
    return code


def output_code(
    total: Register, registers: Sequence[Register], shift: int, minimum: int, maximum: int
) -> list[Instruction]:
    """Requantise a sum in place, up to its store. registers: mantissa, rounding constant, temporary."""
    mantissa, rounding, temporary = registers
    code: list[Instruction] = []
    addend = rounding
    if shift:
        code.append(instruction("add", temporary, rounding, Shifted(total, "asr", 31)))
        addend = temporary
    code.append(instruction("smmlar", total, total, mantissa, addend))
    code.append(instruction("ssat", total, 8, Shifted(total, "asr", shift) if shift else total))
    code += limit(total, minimum, "lt") if minimum > -128 else []
    return code + (limit(total, maximum, "gt") if maximum < 127 else [])


def output_pointer() -> list[Instruction]:
    """Load the pointer to the block's outputs."""
    return [instruction("ldr", GENERAL[CONSTANT], _frame(OUTPUT_SLOT))]


def _requantise(layout: Geometry, block: Block, group: Group, constants: ChannelConstants) -> list[Item]:
    output, mantissa, rounding, temporary = GENERAL[CONSTANT : CONSTANT + 4]
    code: list[Item] = [Remark("Requantise."), *output_pointer()]
    offsets = block.output_offsets(layout)
    moved = 0
    for position, channel in enumerate(group.channels):
        shift = int(constants.shift[channel])
        code.append(Remark(f"Output channel {channel}."))
        code += constant(mantissa, int(constants.mantissa[channel]))
        code += constant(rounding, int(constants.rounding[channel]))
        for pixel in range(block.pixels):
            total = accumulator(block, position, pixel)
            code += output_code(total, (mantissa, rounding, temporary), shift, constants.minimum, constants.maximum)
            address = offsets[pixel] + position
            if not 0 <= address - moved <= MAX_OFFSET:
                code += add_constant(output, address - moved, temporary)
                moved = address
            code.append(instruction("strb", total, Address(output, address - moved, region="output")))
    return code


@dataclass(frozen=True)
class LoopStep:
    """How far a loop's turn moves the input (bytes, widened) and the output pointer (bytes)."""

    input: int
    output: int

    def __sub__(self, other: LoopStep) -> LoopStep:
        """What is left of this way after the other."""
        return LoopStep(self.input - other.input, self.output - other.output)


def open_loop(start: str, counter: int, turns: int) -> list[Item]:
    """What stands before a loop's first turn. counter: its place on the stack."""
    if turns <= 1:
        return []
    return [*constant(R1, turns), instruction("str", R1, _frame(counter)), Label(start)]


def close_loop(start: str, counter: int, step: LoopStep, last_step: LoopStep) -> list[Item]:
    """The end of a loop's turn: count down, and go on by `step`, to the last turn by `last_step`.

    Behind the loop the pointers are left where the last turn left them.
    """
    left, output, temporary = R2, R1, R3
    code: list[Item] = [
        instruction("ldr", left, _frame(counter)),
        instruction("ldr", output, _frame(OUTPUT_SLOT)),
        instruction("subs", left, 1),
        instruction("str", left, _frame(counter)),
        instruction("beq", f"{start}_end"),
        *add_constant(GENERAL[BASE], step.input, temporary),
        *add_constant(output, step.output, temporary),
    ]
    if last_step != step:
        less = last_step - step
        code += [
            Remark("The last turn is moved back to the edge."),
            instruction("cmp", left, 1),
            instruction("bne", f"{start}_go"),
            *add_constant(GENERAL[BASE], less.input, temporary),
            *add_constant(output, less.output, temporary),
            Label(f"{start}_go"),
        ]
    code += [instruction("str", output, _frame(OUTPUT_SLOT)), instruction("b.w", start), Label(f"{start}_end")]
    return code


def _steps(layout: Geometry, rows: int, columns: int) -> LoopStep:
    """The way over so many output rows and columns."""
    return LoopStep(layout.pixel(rows, columns) * BYTES, layout.out_pixel(rows, columns))


def _products_of_all(
    layout: Geometry, slots: Slots, phase: Phase, block: Block, group: Group
) -> tuple[list[Item], int]:
    """The phase's products of a block, into loaded accumulators; and how far the base has moved, in bytes."""
    turns = allocate(phase.slots, slots.offset.tolist(), block.pixel_offsets(layout), block.window)
    walk = Walk()
    code: list[Item] = []
    fresh = set(range(len(group.channels))) if phase.first else set()
    for use in turns:
        code.append(Remark(describe_slot(layout, slots, use.slot)))
        code += walk.loads(use)
        code += _products(block, group, use, fresh)
    for position in sorted(fresh):
        code += spread_bias(block, position)
    return code, walk.moved


def load_sums(block: Block, channels: int, advance: bool) -> list[Instruction]:
    """Load a block's sums; `advance` leaves the pointer after them."""
    pointer = Pointer(GENERAL[CONSTANT], advance, "sums")
    return _with_sums_pointer(load_words(pointer, _sums(block, channels)), advance)


def store_sums(block: Block, channels: int) -> list[Instruction]:
    """Store a block's sums, and leave the pointer after them."""
    return _with_sums_pointer(store_words(Pointer(GENERAL[CONSTANT], True, "sums"), _sums(block, channels)), True)


def _sums(block: Block, channels: int) -> Sequence[Register]:
    first = WINDOW + block.window
    return GENERAL[first : first + channels * block.pixels]


def _with_sums_pointer(transfer: Instruction, advance: bool) -> list[Instruction]:
    pointer = GENERAL[CONSTANT]
    back = [instruction("str", pointer, _frame(SUMS_SLOT))] if advance else []
    return [instruction("ldr", pointer, _frame(SUMS_SLOT)), transfer, *back]


def enter(several_phases: bool) -> list[Item]:
    """The start of a group's function."""
    code: list[Item] = [
        instruction("push", Registers((*SAVED, LR))),
        instruction("sub", SP, FRAME),
        instruction("str", R1, _frame(OUTPUT_SLOT)),
    ]
    return [*code, instruction("str", R2, _frame(SUMS_SLOT))] if several_phases else code


def leave() -> list[Item]:
    """The end of a group's function."""
    return [instruction("add", SP, FRAME), instruction("pop", Registers((*SAVED, PC)))]


def group_code(
    name: str,
    layout: Geometry,
    slots: Slots,
    phase: Phase,
    block: Block,
    group: Group,
    constants: ChannelConstants,
    core: CoreTiming | None = None,
) -> GroupCode:
    """The function `void name(const int16_t *input, int8_t *output, int32_t *sums)`.

    input: the widened copy; output: the layer's output at the group's first channel; sums: block after block, the
    accumulators between two phases (not touched by a phase that is first and last). core: schedule for it; None: in
    the order of the slots.
    """
    columns, rows = -(-layout.out_width // block.width), -(-layout.out_height // block.height)
    last_column, last_row = layout.out_width - block.width, layout.out_height - block.height
    next_row, next_block = f".L{name}_row", f".L{name}_block"
    code: list[Item] = [
        Remark(f"Output channels {', '.join(map(str, group.channels))}."),
        *enter(several_phases=not (phase.first and phase.last)),
        *open_loop(next_row, ROWS_SLOT, rows),
        *open_loop(next_block, COLUMNS_SLOT, columns),
    ]
    channels = len(group.channels)
    if phase.first:
        code.append(Remark("The bias, in the last accumulator of each channel."))
        for position, channel in enumerate(group.channels):
            code += constant(accumulator(block, position, block.pixels - 1), int(constants.bias[channel]))
    else:
        code += [Remark("The sums of the phase before."), *load_sums(block, channels, advance=phase.last)]
    products, far = _products_of_all(layout, slots, phase, block, group)
    code += products
    if phase.last:
        code += _requantise(layout, block, group, constants)
    else:
        code += [Remark("The sums for the next phase."), *store_sums(block, channels)]
    moved = LoopStep(far, 0)
    if columns > 1:
        short = _steps(layout, 0, last_column - (columns - 2) * block.width)
        code.append(Remark("The next block of the row."))
        code += close_loop(next_block, COLUMNS_SLOT, _steps(layout, 0, block.width) - moved, short - moved)
    if rows > 1:
        run = _steps(layout, 0, last_column)
        moved = LoopStep(moved.input + run.input, run.output)
        short = _steps(layout, last_row - (rows - 2) * block.height, 0)
        code.append(Remark("The next row of blocks."))
        code += close_loop(next_row, ROWS_SLOT, _steps(layout, block.height, 0) - moved, short - moved)
    code += leave()
    return GroupCode(name, written.layout(code if core is None else schedule_items(code, core)))
