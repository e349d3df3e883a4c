"""The code that makes planes of bytes that lie channel by channel.

The border stays as it was filled at the start: only what holds input is written, channel group after channel group.
Registers: r0, r1 walk along the rows of the input that share words, r2 to r5 along the planes; r6 counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
from approx_plugin.kernels.machine.registers import GENERAL, R0, R1, R6, Register
from approx_plugin.kernels.machine.routine import Loop, Part, straight
from approx_plugin.kernels.machine.text import Remark
from approx_plugin.kernels.planes import frame
from approx_plugin.kernels.planes.geometry import WORD, Geometry, Run

COUNTER = R6
TEMPORARIES = GENERAL[7:]
LOW, HIGH = R0, R1
PLANES = GENERAL[2:6]

MOST_COLUMNS, REACH = 6, 4095
"""Columns in one turn of a loop, and bytes that an offset reaches."""


def make_planes(layout: Geometry) -> list[Part]:
    """The planes of the next channels; their place in the input moves on."""
    first, second = GENERAL[:2]
    start = [frame.load(first, frame.SCRATCH), frame.store(first, frame.PLANE)]
    batches = layout.planes // layout.batch
    parts: list[Part] = []
    for number, run in enumerate(layout.runs):
        parts += _run(layout, run, f"make_{number}")
    moved = [frame.load(first, frame.INPUT), instruction("add", first, first, layout.batch)]
    moved.append(frame.store(first, frame.INPUT))
    if batches == 1:
        return [straight(start), *parts, straight(moved)]
    start += [*constant(first, batches), frame.store(first, frame.PLANES)]
    moved += [frame.load(first, frame.PLANE), *add_constant(first, layout.batch * layout.plane_bytes, second)]
    moved.append(frame.store(first, frame.PLANE))
    body = (*parts, straight(moved))
    return [straight(start), Loop("batch", batches, body, frame.count_down(first, frame.PLANES))]


def _run(layout: Geometry, run: Run, name: str) -> Iterator[Part]:
    """Some rows of words of one kind."""
    paired, slid = layout.paired, layout.slid
    both = run.low and run.high
    first = layout.first_input(run.first)
    pointers = [LOW, HIGH] if both else [LOW]
    temporary = TEMPORARIES[0]
    start: list[Instruction] = [frame.load(LOW, frame.INPUT)]
    start += add_constant(LOW, (first if run.low else first + layout.apart) * paired.input_pitch, temporary)
    if both:
        start.append(instruction("mov", HIGH, LOW))
        start += add_constant(HIGH, layout.apart * paired.input_pitch, temporary)
    start.append(frame.load(PLANES[0], frame.PLANE))
    start += add_constant(PLANES[0], WORD * (run.first * layout.columns + slid.before), temporary)
    planes = PLANES[: layout.batch]
    for before, plane in zip(planes, planes[1:]):
        start.append(instruction("mov", plane, before))
        start += add_constant(plane, layout.plane_bytes, temporary)
    halves = "whole words" if both else "lower halves" if run.low else "upper halves"
    yield straight(Remark(f"Planes, rows {run.first} to {run.first + run.length - 1} of words: {halves}."), start)
    again = run.length > 1
    if again:
        yield straight(constant(temporary, run.length), frame.store(temporary, frame.ROWS))
    wide = _wide(layout, both)
    turns, left = divmod(layout.filled, wide)
    body: list[Part] = []

    def moved(columns: int) -> list[Instruction]:
        code = [one for p in pointers for one in add_constant(p, columns * slid.input_pitch, temporary)]
        return code + [one for plane in planes for one in add_constant(plane, WORD * columns, temporary)]

    columns = straight(*(_column(layout, run, number) for number in range(wide)), moved(wide))
    if turns > 1:
        body.append(straight(constant(COUNTER, turns)))
        body.append(Loop(f"{name}_column", turns, (columns,), (instruction("subs", COUNTER, 1),)))
    elif turns:
        body.append(columns)
    rest = straight(*(_column(layout, run, number) for number in range(left)))
    # What was moved along the row is taken back.
    way = turns * wide
    back = [
        one
        for p in pointers
        for one in add_constant(p, layout.every * paired.input_pitch - way * slid.input_pitch, temporary)
    ]
    back += [one for p in planes for one in add_constant(p, WORD * (layout.columns - way), temporary)]
    if not again:
        yield from (*body, rest)
        return
    body.append(straight(rest.items, back))
    yield Loop(f"{name}_row", run.length, tuple(body), frame.count_down(temporary, frame.ROWS))


def _wide(layout: Geometry, both: bool) -> int:
    """Columns a turn: a divisor of the row, or what leaves little over."""
    most = min(MOST_COLUMNS if both else 4, layout.filled, max(1, (REACH - 3) // layout.slid.input_pitch + 1))
    return max(range(1, most + 1), key=lambda wide: (layout.filled % wide == 0 and 2 * wide >= most, wide))


def _column(layout: Geometry, run: Run, column: int) -> list[Instruction]:
    """One word of each plane."""
    offset, place = column * layout.slid.input_pitch, WORD * column
    planes = PLANES[: layout.batch]
    ring = [TEMPORARIES[(5 * column + number) % len(TEMPORARIES)] for number in range(len(TEMPORARIES))]
    if not (run.low and run.high):
        half = 0 if run.low else 2
        code = []
        for number, plane in enumerate(planes):
            code.append(instruction("ldrsb", ring[number], Address(LOW, offset + number, region="input")))
            code.append(instruction("strh", ring[number], Address(plane, place + half, region="planes")))
        return code
    if layout.channels % 4 or layout.batch != 4:
        return [one for number, plane in enumerate(planes) for one in _bytes(number, plane, offset, place, ring)]
    first, second, third, fourth, fifth = ring[:5]
    stores = [Address(plane, place, region="planes") for plane in planes]
    return [
        instruction("ldr", first, Address(LOW, offset, region="input")),
        instruction("ldr", second, Address(HIGH, offset, region="input")),
        instruction("sxtb16", third, Shifted(first, "ror", 8)),
        instruction("sxtb16", first, first),
        instruction("sxtb16", fourth, Shifted(second, "ror", 8)),
        instruction("sxtb16", second, second),
        instruction("pkhbt", fifth, first, Shifted(second, "lsl", 16)),
        instruction("str", fifth, stores[0]),
        instruction("pkhtb", second, second, Shifted(first, "asr", 16)),
        instruction("str", second, stores[2]),
        instruction("pkhbt", first, third, Shifted(fourth, "lsl", 16)),
        instruction("str", first, stores[1]),
        instruction("pkhtb", fourth, fourth, Shifted(third, "asr", 16)),
        instruction("str", fourth, stores[3]),
    ]


def _bytes(number: int, plane: Register, offset: int, place: int, ring: list[Register]) -> list[Instruction]:
    """A word of one plane, byte by byte."""
    low, high = ring[2 * number % len(ring)], ring[(2 * number + 1) % len(ring)]
    return [
        instruction("ldrsb", low, Address(LOW, offset + number, region="input")),
        instruction("ldrsb", high, Address(HIGH, offset + number, region="input")),
        instruction("pkhbt", low, low, Shifted(high, "lsl", 16)),
        instruction("str", low, Address(plane, place, region="planes")),
    ]
