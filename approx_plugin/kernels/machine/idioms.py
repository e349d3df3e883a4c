"""Short sequences that every kernel needs: constants, far moves of a pointer, limits, single words as multiples."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from approx_plugin.kernels.machine.encoding import (
    BYTE,
    HALF,
    INVERTED,
    MASK,
    MODIFIED,
    Values,
    constant_form,
    is_modified_immediate,
)  # fmt: skip
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address, Pointer, Registers
from approx_plugin.kernels.machine.registers import CORE, Register

MAX_WIDE_IMMEDIATE = 4095
"""Of ADDW and SUBW."""


def constant(register: Register, value: int) -> list[Instruction]:
    """A 32-bit constant in as few instructions as can be, and as few bytes."""
    value &= MASK
    form = constant_form(value, register.is_low)
    if form == BYTE:
        return [instruction("movs", register, value)]
    if form == HALF:
        return [instruction("movw", register, value)]
    if form == MODIFIED:
        return [instruction("mov", register, value)]
    if form == INVERTED:
        return [instruction("mvn", register, MASK ^ value)]
    return [instruction("movw", register, value & 0xFFFF), instruction("movt", register, value >> 16)]


class ConstantCode(NamedTuple):
    """What `constant` emits for each of some values: instructions and bytes, int64 of their shape."""

    instructions: Values
    bytes: Values


def constant_code(values: Values, low_register: bool) -> ConstantCode:
    """Instructions and bytes of many constants, without writing them. low_register: into one of r0 to r7."""
    form = constant_form(values, low_register)
    table = _constant_table(low_register)
    return ConstantCode(table.instructions[form], table.bytes[form])


@functools.cache
def _constant_table(low_register: bool) -> ConstantCode:
    """Instructions and bytes by form: one constant of each is emitted and looked at."""
    register = CORE[0 if low_register else 8]
    examples = (1, 0x100, 0x10000, 0xFFFFFFFE, 0x12345678)
    codes = [constant(register, value) for value in examples]
    sizes = [sum(one.size for one in code) for code in codes]
    return ConstantCode(np.array([len(code) for code in codes], np.int64), np.array(sizes, np.int64))


def add_constant(register: Register, value: int, temporary: Register) -> list[Instruction]:
    """register += value, any signed 32-bit value; `temporary` may be overwritten."""
    if value == 0:
        return []
    name, amount = ("add", value) if value > 0 else ("sub", -value)
    if amount <= 0xFF and register.is_low:
        return [instruction(f"{name}s", register, amount)]
    if is_modified_immediate(amount):
        return [instruction(f"{name}.w", register, register, amount)]
    if amount <= MAX_WIDE_IMMEDIATE:
        return [instruction(f"{name}w", register, register, amount)]
    return [*constant(temporary, amount), instruction(f"{name}.w", register, register, temporary)]


def compare(register: Register, value: int) -> Instruction:
    """Compare with a small constant of either sign: most negative ones take CMN, whatever GNU as accepts."""
    if is_modified_immediate(value):
        return instruction("cmp.w", register, value & MASK)
    return instruction("cmn.w", register, -value)


def limit(register: Register, value: int, condition: str) -> list[Instruction]:
    """Where the register compares with a small constant by `condition` ("lt", "gt"), make it that constant."""
    name, operand = ("mov", value & MASK) if is_modified_immediate(value) else ("mvn", ~value)
    replaced = instruction(f"{name}{condition}.w", register, operand)
    return [compare(register, value), instruction("it", condition), replaced]


def load_words(pointer: Pointer, registers: Sequence[Register]) -> Instruction:
    """LDM of ascending registers, in 32 bits; a single one needs LDR."""
    return _words("ldmia.w", "ldr.w", pointer, registers)


def store_words(pointer: Pointer, registers: Sequence[Register]) -> Instruction:
    """STM of ascending registers, in 32 bits; a single one needs STR."""
    return _words("stmia.w", "str.w", pointer, registers)


def _words(several: str, single: str, pointer: Pointer, registers: Sequence[Register]) -> Instruction:
    if len(registers) > 1:
        return instruction(several, pointer, Registers(tuple(registers)))
    address = Address(pointer.base, region=pointer.region)
    if pointer.write_back:
        address = address._replace(offset=4, mode=POST)
    return instruction(single, registers[0], address)
