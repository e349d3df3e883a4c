"""Loads and stores."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.proof.decoding import Decoded, Operand
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import fits
from approx_plugin.proof.machine import SP, Handler, Machine
from approx_plugin.proof.semantics.common import (
    byte_word,
    put,
)
from approx_plugin.proof.words import (
    MASK,
    Bytes,
    Halves,
    NotProvedError,
    form_of,
    from_bytes,
    from_form,
    half,
    signed,
)


def _load(machine: Machine, instruction: Decoded) -> None:
    address = machine.address(instruction, instruction.operands[1])
    put(machine, instruction, machine.memory.word(address))


def _load_halfword(is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        value = machine.memory.halfword(machine.address(instruction, instruction.operands[1]))
        if isinstance(value, int):
            put(machine, instruction, signed(value, 16) & MASK if is_signed else value)
        elif is_signed:
            put(machine, instruction, from_form(half(value, False)))
        else:
            # Only the lower half of it may be used.
            put(machine, instruction, value)

    return handler


def _load_byte(is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        byte = machine.memory.byte(machine.address(instruction, instruction.operands[1]))
        if is_signed:
            put(machine, instruction, byte_word(byte))
        elif isinstance(byte, int):
            put(machine, instruction, byte & 0xFF)
        else:
            # As an unsigned number it is not linear; to be moved, its byte counts.
            put(machine, instruction, from_bytes((byte, None, None, None)))

    return handler


def _load_pair(machine: Machine, instruction: Decoded) -> None:
    address = machine.address(instruction, instruction.operands[2])
    for number in range(2):
        machine.registers[instruction.operands[number].register] = machine.memory.word(address + 4 * number)


def _store(machine: Machine, instruction: Decoded) -> None:
    value = machine.value(instruction.operands[0])
    machine.memory.store_word(machine.address(instruction, instruction.operands[1]), value)


def _store_halfword(machine: Machine, instruction: Decoded) -> None:
    value = machine.value(instruction.operands[0])
    form = signed(value, 16) if isinstance(value, int) else half(value, False)
    machine.memory.store_half(machine.address(instruction, instruction.operands[1]), form)


def _store_byte(machine: Machine, instruction: Decoded) -> None:
    value = machine.value(instruction.operands[0])
    address = machine.address(instruction, instruction.operands[1])
    if isinstance(value, int):
        machine.memory.store_byte(address, signed(value, 8))
    elif isinstance(value, Bytes):
        machine.memory.store_byte(address, value.parts[0])
    elif isinstance(value, Expression):
        machine.memory.store_byte(address, value)
    else:
        form = half(value, False) if isinstance(value, Halves) else form_of(value)
        if not fits(form, 8):
            raise NotProvedError("it stores the lowest byte of a sum")
        machine.memory.store_byte(address, form)


def _store_pair(machine: Machine, instruction: Decoded) -> None:
    values = [machine.value(operand) for operand in instruction.operands[:2]]
    address = machine.address(instruction, instruction.operands[2])
    for number, value in enumerate(values):
        machine.memory.store_word(address + 4 * number, value)


def _multiple(loads: bool, down: bool) -> Handler:
    """LDM and STM of core or single registers, upwards or downwards from the base."""

    def handler(machine: Machine, instruction: Decoded) -> None:
        base, *listed = instruction.operands
        _transfer(machine, base.register, listed, loads, down, instruction.writes_back)

    return handler


def _stacked(loads: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        _transfer(machine, SP, instruction.operands, loads, not loads, True)

    return handler


def _transfer(
    machine: Machine, base: int, listed: tuple[Operand, ...] | list[Operand], loads: bool, down: bool, moves: bool
) -> None:
    start = machine.registers[base]
    if not isinstance(start, int):
        raise NotProvedError("an address depends on the data")
    size = 4 * len(listed)
    address = start - size if down else start
    for number, operand in enumerate(listed):
        if loads:
            machine.registers[operand.register] = machine.memory.word(address + 4 * number)
        else:
            machine.memory.store_word(address + 4 * number, machine.registers[operand.register])
    if moves and not (loads and any(operand.register == base for operand in listed)):
        machine.registers[base] = start - size if down else start + size


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **dict.fromkeys(("ldr", "vldr"), _load),
        **dict.fromkeys(("str", "vstr"), _store),
        "ldrd": _load_pair,
        "strd": _store_pair,
        "ldrh": _load_halfword(is_signed=False),
        "ldrsh": _load_halfword(is_signed=True),
        "ldrb": _load_byte(is_signed=False),
        "ldrsb": _load_byte(is_signed=True),
        "strh": _store_halfword,
        "strb": _store_byte,
        **dict.fromkeys(("push", "vpush"), _stacked(loads=False)),
        **dict.fromkeys(("pop", "vpop"), _stacked(loads=True)),
        **{name: _multiple("ld" in name, down=False) for name in ("ldm", "ldmia", "vldmia", "stm", "stmia", "vstmia")},
        **{name: _multiple("ld" in name, down=True) for name in ("ldmdb", "vldmdb", "stmdb", "vstmdb")},
    }
)
