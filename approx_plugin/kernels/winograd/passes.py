"""The transforms as instructions: of inputs, packed two channels a word, and of the sums of a tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
from approx_plugin.kernels.machine.registers import (
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
    Register,
)

Load = Callable[[int, Register], Sequence[Instruction]]
"""(row or point, register) -> what loads it."""

Store = Callable[[Register, int], Sequence[Instruction]]
"""(register, row) -> what stores it."""


def _sum(to: Register, one: Register, other: Register) -> Instruction:
    return instruction("sadd16", to, one, other)


def _difference(to: Register, one: Register, other: Register) -> Instruction:
    return instruction("ssub16", to, one, other)


def widened(rows: int, load: Load, odd: bool) -> list[Instruction]:
    """Rows r0, r1, ... of four bytes: bytes 0 and 2, or 1 and 3, as the halves of each word."""
    data = (R0, R1, R2, R3, R4, R5)[:rows]
    items = [one for row, register in enumerate(data) for one in load(row, register)]
    return items + [instruction("sxtb16", r, Shifted(r, "ror", 8) if odd else r) for r in data]


def vertical_four(store: Store) -> list[Instruction]:
    """B^T of F(4, 3) on r0 to r5: 20 operations on pairs. r0 to r9 are overwritten."""
    return [
        _difference(R6, R4, R2),  # d4 - d2
        _difference(R0, R0, R2),
        _sum(R0, R0, R0),
        _sum(R0, R0, R0),
        _sum(R0, R0, R6),  # 4 d0 - 5 d2 + d4
        *store(R0, 0),
        _difference(R7, R3, R1),
        _sum(R7, R7, R7),  # 2 (d3 - d1)
        _sum(R8, R6, R7),
        *store(R8, 3),
        _difference(R9, R6, R7),
        *store(R9, 4),
        _difference(R5, R5, R3),
        _sum(R7, R7, R7),
        _difference(R5, R5, R7),  # 4 d1 - 5 d3 + d5
        *store(R5, 5),
        _sum(R2, R2, R2),
        _sum(R2, R2, R2),
        _difference(R2, R4, R2),  # d4 - 4 d2
        _sum(R1, R1, R1),
        _sum(R1, R1, R1),
        _difference(R1, R3, R1),  # d3 - 4 d1
        _sum(R0, R2, R1),
        *store(R0, 1),
        _difference(R2, R2, R1),
        *store(R2, 2),
    ]


def vertical_two(store: Store) -> list[Instruction]:
    """B^T of F(2, 3) on r0 to r3. r0 to r5 are overwritten."""
    return [
        _difference(R0, R0, R2),
        *store(R0, 0),
        _sum(R4, R1, R2),
        *store(R4, 1),
        _difference(R5, R2, R1),
        *store(R5, 2),
        _difference(R1, R1, R3),
        *store(R1, 3),
    ]


def vertical_strided(store: Store) -> list[Instruction]:
    """B^T for stride 2 on r0 to r4. r0 and r4 are overwritten."""
    return [
        *store(R1, 1),
        *store(R3, 4),
        *store(R2, 2),
        _difference(R0, R0, R2),
        *store(R0, 0),
        _difference(R4, R2, R4),
        *store(R4, 3),
    ]


VERTICAL = {6: vertical_four, 4: vertical_two, 5: vertical_strided}
"""By rows of a patch."""

COLUMNS = (R0, R1, R2, R3, R4)
"""Of a patch, from the left."""


@dataclass(frozen=True)
class Column:
    """A column of points: the register that holds it after `code`, and the columns of the patch that it needs."""

    register: Register
    code: tuple[Instruction, ...]
    columns: tuple[int, ...]


def _made(register: Register, operation: str, one: int, other: int) -> Column:
    code = instruction(operation, register, COLUMNS[one], COLUMNS[other])
    return Column(register, (code,), (one, other))


HORIZONTAL = {
    4: (_made(R4, "ssub16", 0, 2), _made(R5, "sadd16", 1, 2), _made(R6, "ssub16", 2, 1), _made(R7, "ssub16", 1, 3)),
    5: (
        _made(R5, "ssub16", 0, 2),
        Column(R1, (), (1,)),
        Column(R2, (), (2,)),
        _made(R6, "ssub16", 2, 4),
        Column(R3, (), (3,)),
    ),
}
"""By columns of points: B^T of F(2, 3) on r0 to r3, and that for stride 2 on r0 to r4."""


def _add(to: Register, one: Register, other: Register, shift: int = 0) -> Instruction:
    return instruction("add.w", to, one, Shifted(other, "lsl", shift) if shift else other)


def _subtract(to: Register, one: Register, other: Register) -> Instruction:
    return instruction("sub.w", to, one, other)


FIRST, SECOND = (R0, R1, R2, R3), (R4, R5, R6, R7)
"""Outputs of a tile: its first column and its second one, from the top."""


def outputs_four(load: Load, biased: Sequence[Instruction]) -> list[Instruction]:
    """A^T of F(4, 3) down and of F(2, 3) across: 8 outputs in FIRST and SECOND. load: a point's sum by its number.

    biased: adds r12 to every register of FIRST, loading it first. r8 to r12 are overwritten.
    """
    items: list[Instruction] = []
    for column in (1, 2, 0, 3):

        def point(row: int, register: Register, column: int = column) -> Sequence[Instruction]:
            return load(4 * row + column, register)

        items += [*point(1, R8), *point(2, R9), *point(3, R10), *point(4, R11)]
        # r9 = m1 + m2, r8 = m1 - m2, r11 = m3 + m4, r10 = m3 - m4
        items += [_add(R9, R8, R9), instruction("rsb.w", R8, R9, Shifted(R8, "lsl", 1))]
        items += [_add(R11, R10, R11), instruction("rsb.w", R10, R11, Shifted(R10, "lsl", 1))]
        if column == 1:
            items += [*point(0, R0), _add(R0, R0, R9), _add(R0, R0, R11)]
            items += [_add(R2, R9, R11, 2), _add(R1, R8, R10, 1)]
            items += [*point(5, R3), _add(R3, R3, R8), _add(R3, R3, R10, 3), *biased]
        elif column == 2:
            items += [*point(0, R12), _add(R12, R12, R9), _add(R12, R12, R11)]
            items += _both(R0, R4)
            items += [_add(R12, R9, R11, 2), *_both(R2, R6), _add(R12, R8, R10, 1), *_both(R1, R5)]
            items += [*point(5, R12), _add(R12, R12, R8), _add(R12, R12, R10, 3), *_both(R3, R7)]
        else:
            side, into = (FIRST, _add) if column == 0 else (SECOND, _subtract)
            items += [*point(0, R12), _add(R12, R12, R9), _add(R12, R12, R11), into(side[0], side[0], R12)]
            items += [_add(R9, R9, R11, 2), into(side[2], side[2], R9)]
            items += [_add(R12, R8, R10, 1), into(side[1], side[1], R12)]
            items += [*point(5, R11), _add(R8, R8, R11), _add(R8, R8, R10, 3), into(side[3], side[3], R8)]
    return items


def _both(first: Register, second: Register) -> list[Instruction]:
    """second = first - r12, first = first + r12."""
    return [_subtract(second, first, R12), _add(first, first, R12)]


def outputs_two(load: Load, biased: Sequence[Instruction]) -> list[Instruction]:
    """A^T of F(2, 3) both ways: the upper two of FIRST and SECOND. Otherwise as `outputs_four`."""
    items: list[Instruction] = []
    for column in (1, 2, 0, 3):

        def point(row: int, register: Register, column: int = column) -> Sequence[Instruction]:
            return load(4 * row + column, register)

        items += [*point(1, R9), *point(2, R10)]
        if column == 1:
            items += [*point(0, R0), _add(R0, R0, R9), _add(R0, R0, R10)]
            items += [*point(3, R11), _subtract(R1, R9, R10), _subtract(R1, R1, R11), *biased]
            continue
        items += [*point(0, R12), _add(R12, R12, R9), _add(R12, R12, R10)]
        items += [*point(3, R11), _subtract(R9, R9, R10), _subtract(R9, R9, R11)]
        if column == 2:
            items += [*_both(R0, R4), _subtract(R5, R1, R9), _add(R1, R1, R9)]
        else:
            side, into = (FIRST, _add) if column == 0 else (SECOND, _subtract)
            items += [into(side[0], side[0], R12), into(side[1], side[1], R9)]
    return items


def outputs_strided(load: Load, biased: Sequence[Instruction]) -> list[Instruction]:
    """A^T for stride 2 both ways, of nine sums: the upper two of FIRST and SECOND. Otherwise as `outputs_four`."""
    items: list[Instruction] = []
    for column in (1, 2, 0):

        def sums(row: int, register: Register, column: int = column) -> Sequence[Instruction]:
            return load(3 * row + column, register)

        upper, lower = (R0, R1) if column == 1 else (R8, R10)
        items += [*sums(0, upper), *sums(1, R9), *sums(2, lower)]
        items += [_add(upper, upper, R9), _subtract(lower, R9, lower)]
        if column == 1:
            items += biased
        elif column == 2:
            items += [_subtract(R4, R0, upper), _subtract(R5, R1, lower)]
        else:
            items += [_add(R0, R0, upper), _add(R1, R1, lower)]
    return items


OUTPUTS = {6: outputs_four, 4: outputs_two, 5: outputs_strided}
"""By rows of a patch."""


def loaded(register: Register, base: Register, offset: int, region: str) -> list[Instruction]:
    """A word at any offset from a base: beyond what an offset reaches the register itself holds it first."""
    if offset <= 4095:
        return [instruction("ldr.w", register, Address(base, offset, region=region))]
    return [
        instruction("movw", register, offset),
        instruction("ldr.w", register, Address(base, register, region=region)),
    ]
