"""The code of one channel group: loops over the blocks of the output, straight-line code inside.

Registers: r0 walks the widened input; r1 holds the constant; r2 and up the operand window; the accumulators follow.
Requantisation reuses the constant's and the window's registers. On the stack: the output pointer, the blocks left in
the row, the rows left, and where the sums of the phases are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import BYTES, Geometry, Slots
from approx_plugin.kernels.unpacked.requantise import ChannelConstants
from approx_plugin.kernels.unpacked.thumb import MAX_LOAD_OFFSET, NAMES, Code
from approx_plugin.kernels.unpacked.window import Use, allocate

BASE, CONSTANT, WINDOW = 0, 1, 2
OUTPUT_SLOT, COLUMNS_SLOT, ROWS_SLOT, SUMS_SLOT = 0, 4, 8, 12
FRAME = 16


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
    """text: the function; size: bytes of code; pass_cycles: ideal Cortex-M4 cycles of one block."""

    text: str
    size: int
    pass_cycles: int


def _accumulator(block: Block, channel: int, pixel: int) -> int:
    return WINDOW + block.window + channel * block.pixels + pixel


class Body:
    """The straight-line part under construction: keeps track of where the base register points."""

    def __init__(self, code: Code) -> None:
        """code: what the instructions are added to."""
        self.code = code
        self.moved = 0

    def reach(self, addresses: Sequence[int]) -> None:
        """Move the base so that every one of the addresses (bytes from the block's start) is in LDR's reach."""
        lowest, highest = min(addresses), max(addresses)
        if lowest >= self.moved and highest - self.moved <= MAX_LOAD_OFFSET:
            return
        if highest - lowest <= MAX_LOAD_OFFSET:
            self.move_to(lowest)

    def move_to(self, address: int) -> None:
        """Move the base to an address."""
        self.code.add(BASE, address - self.moved, CONSTANT)
        self.moved = address

    def load(self, register: int, address: int) -> None:
        """Load a word, wherever it is."""
        if not 0 <= address - self.moved <= MAX_LOAD_OFFSET:
            self.move_to(address)
        self.code.load(register, BASE, address - self.moved)


def _spread_bias(code: Code, block: Block, channel: int) -> None:
    """A channel without a single product: every accumulator is the bias."""
    last = NAMES[_accumulator(block, channel, block.pixels - 1)]
    for pixel in range(block.pixels - 1):
        code.emit(f"mov {NAMES[_accumulator(block, channel, pixel)]}, {last}", 2)


def _products(code: Code, block: Block, group: Group, use: Use, fresh: set[int]) -> None:
    """All products of one slot: for each channel that keeps it, the constant, then one instruction a pixel."""
    for channel in range(len(group.channels)):
        low, high = int(group.low[channel, use.slot]), int(group.high[channel, use.slot])
        if low and high:
            operation = "smlad"
            code.constant(CONSTANT, high << 16 | low & 0xFFFF)
        elif low or high:
            operation = "smlabb" if low else "smlatb"
            code.half_constant(CONSTANT, low or high)
        else:
            continue
        last = _accumulator(block, channel, block.pixels - 1)
        for pixel, register in enumerate(use.operands):
            target = _accumulator(block, channel, pixel)
            # The first product of a channel takes the bias from the last pixel's accumulator: no moves needed.
            source = last if channel in fresh else target
            code.emit(f"{operation} {NAMES[target]}, {NAMES[WINDOW + register]}, {NAMES[CONSTANT]}, {NAMES[source]}", 4)
        fresh.discard(channel)


def _requantise(code: Code, layout: Geometry, block: Block, group: Group, constants: ChannelConstants) -> None:
    output, mantissa, rounding, temporary = range(CONSTANT, CONSTANT + 4)
    code.load_stack(output, OUTPUT_SLOT)
    offsets = block.output_offsets(layout)
    moved = 0
    for position, channel in enumerate(group.channels):
        shift = int(constants.shift[channel])
        code.constant(mantissa, int(constants.mantissa[channel]))
        code.constant(rounding, int(constants.rounding[channel]))
        for pixel in range(block.pixels):
            accumulator = _accumulator(block, position, pixel)
            total = NAMES[accumulator]
            addend = NAMES[rounding]
            if shift:
                code.emit(f"add {NAMES[temporary]}, {addend}, {total}, asr #31", 4)
                addend = NAMES[temporary]
            code.emit(f"smmlar {total}, {total}, {NAMES[mantissa]}, {addend}", 4)
            code.emit(f"ssat {total}, #8, {total}" + (f", asr #{shift}" if shift else ""), 4)
            code.clamp(accumulator, constants.minimum, constants.maximum)
            address = offsets[pixel] + position
            if not 0 <= address - moved <= MAX_LOAD_OFFSET:
                code.add(output, address - moved, temporary)
                moved = address
            code.store_byte(accumulator, output, address - moved)


@dataclass(frozen=True)
class _Step:
    """How far a loop's turn moves the input (bytes, widened) and the output pointer (bytes)."""

    input: int
    output: int

    def __sub__(self, other: _Step) -> _Step:
        return _Step(self.input - other.input, self.output - other.output)


def _close_loop(code: Code, start: str, counter: int, step: _Step, last_step: _Step, moved: _Step) -> None:
    """The end of a loop's turn: count down, and go on by `step`, to the last turn by `last_step`.

    moved: how far the pointers have run inside the turn. Behind the loop they are left where the last turn left them.
    """
    left, output, temporary = WINDOW, CONSTANT, WINDOW + 1
    code.load_stack(left, counter)
    code.load_stack(output, OUTPUT_SLOT)
    code.emit(f"subs {NAMES[left]}, #1", 2)
    code.store_stack(left, counter)
    code.emit(f"beq {start}_end", 2)
    forward = step - moved
    code.add(BASE, forward.input, temporary)
    code.add(output, forward.output, temporary)
    if last_step != step:
        code.emit(f"cmp {NAMES[left]}, #1", 2)
        code.emit(f"bne {start}_go", 2)
        code.add(BASE, last_step.input - step.input, temporary)
        code.add(output, last_step.output - step.output, temporary)
        code.label(f"{start}_go")
    code.store_stack(output, OUTPUT_SLOT)
    code.emit(f"b.w {start}", 4, 3)
    code.label(f"{start}_end")


def _steps(layout: Geometry, rows: int, columns: int) -> _Step:
    """The way over so many output rows and columns."""
    return _Step(layout.pixel(rows, columns) * BYTES, layout.out_pixel(rows, columns))


def _products_of_all(code: Code, layout: Geometry, slots: Slots, phase: Phase, block: Block, group: Group) -> int:
    """The phase's products of a block, into loaded accumulators; returns how far the base has moved, in bytes."""
    turns = allocate(phase.slots, slots.offset.tolist(), block.pixel_offsets(layout), block.window)
    body = Body(code)
    fresh = set(range(len(group.channels))) if phase.first else set()
    for use in turns:
        if use.loads:
            body.reach([word * BYTES for _, word in use.loads])
            for register, word in use.loads:
                body.load(WINDOW + register, word * BYTES)
        _products(code, block, group, use, fresh)
    for position in sorted(fresh):
        _spread_bias(code, block, position)
    return body.moved


def _move_sums(code: Code, block: Block, group: Group, operation: str, advance: bool) -> None:
    """Load ("ldm") or store ("stm") a block's sums; `advance` leaves the pointer behind them."""
    first = _accumulator(block, 0, 0)
    count = len(group.channels) * block.pixels
    pointer = NAMES[CONSTANT]
    code.load_stack(CONSTANT, SUMS_SLOT)
    code.multiple(operation, CONSTANT, range(first, first + count), advance)
    if advance:
        code.emit(f"str {pointer}, [sp, #{SUMS_SLOT}]", 2)


def group_code(
    name: str,
    layout: Geometry,
    slots: Slots,
    phase: Phase,
    block: Block,
    group: Group,
    constants: ChannelConstants,
) -> GroupCode:
    """The function `void name(const int16_t *input, int8_t *output, int32_t *sums)`.

    input: the widened copy; output: the layer's output at the group's first channel; sums: block after block, the
    accumulators between two phases (not touched by a phase that is first and last).
    """
    code = Code()
    columns, rows = -(-layout.out_width // block.width), -(-layout.out_height // block.height)
    last_column, last_row = layout.out_width - block.width, layout.out_height - block.height
    code.emit("push {r4-r11, lr}", 4, 10)
    code.emit(f"sub sp, #{FRAME}", 2)
    code.store_stack(1, OUTPUT_SLOT)
    if not (phase.first and phase.last):
        code.store_stack(2, SUMS_SLOT)
    if rows > 1:
        code.constant(1, rows)
        code.store_stack(1, ROWS_SLOT)
        code.label(f".L{name}_row")
    if columns > 1:
        code.constant(1, columns)
        code.store_stack(1, COLUMNS_SLOT)
        code.label(f".L{name}_block")
    outside = code.cycles
    if phase.first:
        for position, channel in enumerate(group.channels):
            code.constant(_accumulator(block, position, block.pixels - 1), int(constants.bias[channel]))
    else:
        _move_sums(code, block, group, "ldm", advance=phase.last)
    moved = _Step(_products_of_all(code, layout, slots, phase, block, group), 0)
    if phase.last:
        _requantise(code, layout, block, group, constants)
    else:
        _move_sums(code, block, group, "stm", advance=True)
    if columns > 1:
        short = _steps(layout, 0, last_column - (columns - 2) * block.width)
        _close_loop(code, f".L{name}_block", COLUMNS_SLOT, _steps(layout, 0, block.width), short, moved)
    pass_cycles = code.cycles - outside
    if rows > 1:
        run = _steps(layout, 0, last_column)
        short = _steps(layout, last_row - (rows - 2) * block.height, 0)
        moved = _Step(moved.input + run.input, run.output)
        _close_loop(code, f".L{name}_row", ROWS_SLOT, _steps(layout, block.height, 0), short, moved)
    code.emit(f"add sp, #{FRAME}", 2)
    code.emit("pop {r4-r11, pc}", 4, 12)
    return GroupCode(_function(name, code), code.size, pass_cycles)


def _function(name: str, code: Code) -> str:
    """The code as a global function in a section of its own, on a flash line's border."""
    head = [
        f'\t.section .text.{name}, "ax", %progbits',
        "\t.p2align 4",
        f"\t.global {name}",
        f"\t.type {name}, %function",
        f"{name}:",
    ]
    return "\n".join([*head, *code.lines, f"\t.size {name}, . - {name}", ""])
