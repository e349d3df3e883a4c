"""The code that computes the outputs of the planes that are there, filter by filter.

Registers: r12 points to the words, lr to the outputs of a group of rows; constants are pinned from r0 on, everything
else is the allocator's. r11 counts between the lines, where it holds nothing.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from approx_plugin.kernels.machine.idioms import add_constant, constant, load_words, store_words
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Pointer, Registers
from approx_plugin.kernels.machine.registers import GENERAL, R8, R9, R11, SINGLES, SP, Register
from approx_plugin.kernels.machine.routine import Loop, Part, straight
from approx_plugin.kernels.machine.text import Remark
from approx_plugin.kernels.planes import frame
from approx_plugin.kernels.planes.body import BASE, OUT, Allocator, Line, NoRegisterError, Value
from approx_plugin.kernels.planes.frame import Frame
from approx_plugin.kernels.planes.geometry import WORD, Geometry

POOL = GENERAL[:12]
COUNTER = R11
BLOCKS = (1, 2, 3)
LOAD_COST = 1.3
"""Of a load in instructions: on a Cortex-M4 a single one takes two cycles, several in a row one each."""


@dataclass(frozen=True)
class Shape:
    """How the lines of a layer are made. block, zigzag: see `Line.operations`; pinned: constants in registers.

    wide: columns of outputs in a line.
    """

    block: int
    zigzag: bool
    pinned: tuple[Register, ...]
    order: tuple[int, ...]
    wide: int

    @property
    def values(self) -> dict[Value, Register]:
        """What the pinned registers hold."""
        return {Value("constant", number): register for number, register in zip(self.order, self.pinned)}


@functools.lru_cache(maxsize=256)
def line(base: Line, outputs: int, columns: int, shape: Shape) -> tuple[Instruction, ...]:
    """The instructions for some outputs; remembered, for plans share them. Raises NoRegisterError."""
    operations = base.operations(outputs, columns, shape.block, shape.zigzag)
    return tuple(Allocator(operations, POOL, shape.values, base.kept.load, WORD * base.layout.columns).run())


@functools.lru_cache(maxsize=256)
def best_shape(base: Line, most: int) -> Shape:
    """The shape with the cheapest line of at most about `most` instructions."""
    columns = base.layout.slid.outputs
    each = len(base.arranged.products[-1]) * 1.4 + 7 * base.layout.group
    wide = _wide(columns, max(1, int(most / each)))
    found: tuple[float, Shape] | None = None
    size = base.places.words
    order = (*range(size), base.places.multiplier, base.places.addend, base.places.bias)
    for block in BLOCKS[: min(len(BLOCKS), wide)]:
        for zigzag in (False, True) if wide > block else (False,):
            for count in range(0, min(len(order), 7) + 1):
                shape = Shape(block, zigzag, POOL[:count], order[:count], wide)
                try:
                    code = line(base, base.layout.group, wide, shape)
                except NoRegisterError:
                    continue
                loads = sum(LOAD_COST if one.name == "ldr" else 1.0 for one in code)
                cost = loads * (columns // wide) * base.layout.groups + count
                if found is None or cost < found[0]:
                    found = cost, shape
    if found is None:
        raise NoRegisterError
    return found[1]


def _wide(columns: int, most: int) -> int:
    """Columns a line: all of them, or a divisor of them, or what leaves something over."""
    if columns <= most:
        return columns
    return max(range(1, most + 1), key=lambda wide: (columns % wide == 0 and 2 * wide > most, wide))


def filters(base: Line, shape: Shape, layout: Geometry) -> list[Part]:
    """All filters of the planes that are there."""
    start = [frame.load(R8, frame.SCRATCH), frame.store(R8, frame.PLANE)]
    if layout.planes > 1:
        start += [*constant(R8, layout.planes), frame.store(R8, frame.PLANES)]
    several = layout.multiplier > 1
    if several:
        start_filters = [*constant(R8, layout.multiplier), frame.store(R8, frame.FILTERS)]
    inner: list[Part] = _filter(base, shape)
    if several:
        inner = [
            straight(start_filters),
            Loop("filter", layout.multiplier, tuple(inner), frame.count_down(COUNTER, frame.FILTERS)),
        ]
    if layout.planes == 1:
        return [straight(start), *inner]
    moved = [frame.load(R8, frame.PLANE), *add_constant(R8, layout.plane_bytes, R9), frame.store(R8, frame.PLANE)]
    body = (*inner, straight(moved))
    return [straight(start), Loop("plane", layout.planes, body, frame.count_down(COUNTER, frame.PLANES))]


def _filter(base: Line, shape: Shape) -> list[Part]:
    layout = base.layout
    code: list[Instruction] = [frame.load(R9, frame.TABLE)]
    code += _constants(base.kept)
    code += [
        frame.store(R9, frame.TABLE),
        frame.load(OUT, frame.OUTPUT),
        instruction("add", R8, OUT, 1),
        frame.store(R8, frame.OUTPUT),
        frame.load(BASE, frame.PLANE),
    ]
    code += [base.kept.load(register, number) for number, register in zip(shape.order, shape.pinned)]
    parts: list[Part] = [straight(Remark("A filter: its constants."), code)]
    if layout.groups > 1:
        parts.append(straight(constant(COUNTER, layout.groups), frame.store(COUNTER, frame.ROWS)))
        body = _rows(base, shape, layout.group, "pair")
        parts.append(Loop("rows", layout.groups, tuple(body), frame.count_down(COUNTER, frame.ROWS)))
    elif layout.groups:
        parts += _rows(base, shape, layout.group, "pair", last=not layout.left_over)
    if layout.left_over:
        parts += _rows(base, shape, layout.left_over, "last", last=True)
    return parts


def _constants(kept: Frame) -> list[Instruction]:
    """From the table to where they are kept; r9 goes along the table."""
    code: list[Instruction] = []
    if kept.singles:
        code.append(instruction("vldmia", Pointer(R9, True, "table"), Registers(SINGLES[: kept.singles])))
    rest = kept.constants - kept.singles
    if rest:
        code.append(instruction("add", R8, SP, frame.FIRST_CONSTANT))
    for first in range(0, rest, 8):
        values = GENERAL[: min(8, rest - first)]
        code.append(load_words(Pointer(R9, True, "table"), values))
        code.append(store_words(Pointer(R8, True, "frame"), values))
    return code


def _rows(base: Line, shape: Shape, outputs: int, name: str, last: bool = False) -> list[Part]:
    """Some rows of outputs from one end to the other; then, unless they are the last ones, on to the next."""
    layout = base.layout
    slid = layout.slid
    turns, left = divmod(slid.outputs, shape.wide)
    parts: list[Part] = []
    moves = turns > 1 or left > 0
    words, bytes_out = WORD * slid.stride * shape.wide, slid.output_pitch * shape.wide
    whole = list(line(base, outputs, shape.wide, shape))
    if moves:
        whole += add_constant(BASE, words, COUNTER)
        whole += add_constant(OUT, bytes_out, COUNTER) if base.near else []
    if turns > 1:
        parts.append(straight(constant(COUNTER, turns), frame.store(COUNTER, frame.COLUMNS)))
        parts.append(Loop(f"{name}_columns", turns, (straight(whole),), frame.count_down(COUNTER, frame.COLUMNS)))
    else:
        parts.append(straight(whole))
    if left:
        parts.append(straight(line(base, outputs, left, shape)))
    if last:
        return parts
    moved = turns * moves
    gone = slid.output_pitch * slid.outputs if not base.near else moved * bytes_out
    on = add_constant(BASE, WORD * layout.step * layout.columns - moved * words, COUNTER)
    on += add_constant(OUT, layout.group * layout.paired.output_pitch - gone, COUNTER)
    return [*parts, straight(on)]
