"""The code that fills the border of the planes, once: what holds input is overwritten again and again, it is not.

Registers: r2 goes along the planes, r3 to r6 hold pairs of zero points, r7 and r8 count.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address, Pointer, Registers
from approx_plugin.kernels.machine.registers import R2, R3, R4, R5, R6, R7, R8
from approx_plugin.kernels.machine.routine import Loop, Part, straight
from approx_plugin.kernels.machine.text import Remark
from approx_plugin.kernels.planes import frame
from approx_plugin.kernels.planes.geometry import WORD, Geometry

PAIRS = (R3, R4, R5, R6)
MOST_COLUMNS = 16
"""Of the border, for it to be filled by itself."""


def fill(layout: Geometry, zero_point: int) -> list[Part]:
    """Fill it. The scratch's place is on the stack."""
    pair = (zero_point & 0xFFFF) * 0x10001
    setting = [*constant(R3, pair), *(instruction("mov", register, R3) for register in PAIRS[1:])]
    parts: list[Part] = [straight(Remark("The border is the zero point."), setting)]
    columns = border_columns(layout)
    rows = border_rows(layout)
    words = len(columns) * layout.rows + layout.columns * sum(count for _, count in rows)
    reached = all(WORD * column < 1 << 12 for column in columns)
    if 2 * words > layout.rows * layout.columns or len(columns) > MOST_COLUMNS or not reached:
        return [*parts, straight(frame.load(R2, frame.SCRATCH)), *_words(layout.scratch_bytes // WORD, "fill")]
    if columns:
        parts += _columns(layout, columns)
    for number, (first, count) in enumerate(rows):
        parts += _rows(layout, first, count, f"border_{number}")
    return parts


def border_columns(layout: Geometry) -> tuple[int, ...]:
    """Those that never hold input."""
    first = layout.slid.before
    return (*range(first), *range(first + layout.filled, layout.columns))


def border_rows(layout: Geometry) -> list[tuple[int, int]]:
    """Rows of words that hold border in one half at least: (the first one, how many) of each run."""
    whole = {run.first + number for run in layout.runs if run.low and run.high for number in range(run.length)}
    found = []
    for is_whole, rows in itertools.groupby(range(layout.rows), whole.__contains__):
        numbers = list(rows)
        found += [] if is_whole else [(numbers[0], len(numbers))]
    return found


def _columns(layout: Geometry, columns: tuple[int, ...]) -> Iterator[Part]:
    """The same columns of every row of every plane: the planes follow one another."""
    count = layout.planes * layout.rows
    stores = [instruction("str", R3, Address(R2, WORD * column, region="planes")) for column in columns]
    yield straight(frame.load(R2, frame.SCRATCH), constant(R7, count))
    yield from _loop("columns", count, [*stores, *add_constant(R2, WORD * layout.columns, R8)])


def _rows(layout: Geometry, first: int, count: int, name: str) -> Iterator[Part]:
    """The same rows of every plane."""
    words = count * layout.columns
    start = [frame.load(R2, frame.SCRATCH), *add_constant(R2, WORD * first * layout.columns, R8)]
    on = straight(add_constant(R2, layout.plane_bytes - WORD * words, R8))
    if layout.planes == 1:
        yield from (straight(start), *_words(words, name))
        return
    yield straight(start, constant(R8, layout.planes), frame.store(R8, frame.PLANES))
    body = (*_words(words, name), on)
    yield Loop(f"{name}_planes", layout.planes, body, frame.count_down(R8, frame.PLANES))


def _words(words: int, name: str) -> Iterator[Part]:
    """Neighbouring words."""
    blocks, rest = divmod(words, len(PAIRS))
    if blocks:
        yield straight(constant(R7, blocks))
        yield from _loop(name, blocks, [instruction("stmia.w", Pointer(R2, True, "planes"), Registers(PAIRS))])
    if rest:
        yield straight([instruction("str", R3, Address(R2, WORD, POST, "planes"))] * rest)


def _loop(name: str, turns: int, body: list[Instruction]) -> Iterator[Part]:
    """r7 counts, and holds the number of turns."""
    if turns == 1:
        yield straight(body)
    else:
        yield Loop(name, turns, (straight(body),), (instruction("subs", R7, 1),))
