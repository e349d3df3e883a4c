"""Branches, and what changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.proof.decoding import Decoded
from approx_plugin.proof.machine import LR, PC, Handler, Machine
from approx_plugin.proof.semantics.common import (
    as_number,
)


def _branch(machine: Machine, instruction: Decoded) -> None:
    machine.registers[PC] = instruction.operands[0].number


def _branch_with_link(machine: Machine, instruction: Decoded) -> None:
    target = machine.concrete(instruction.operands[0])
    machine.registers[LR] = instruction.address + instruction.size | 1
    machine.registers[PC] = target


def _branch_to(machine: Machine, instruction: Decoded) -> None:
    machine.registers[PC] = machine.concrete(instruction.operands[0])


def _branch_if(zero: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        if (machine.concrete(instruction.operands[0]) == 0) == zero:
            machine.registers[PC] = instruction.operands[1].number

    return handler


def _table_branch(size: int) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        place = instruction.operands[0].place
        assert place is not None
        base = instruction.address + 4 if place.base == PC else as_number(machine.registers[place.base])
        index = as_number(machine.registers[place.offset])
        word = machine.memory
        found = word.byte(base + index) if size == 1 else word.halfword(base + 2 * index)
        assert isinstance(found, int)
        machine.registers[PC] = instruction.address + 4 + 2 * (found & (0xFF if size == 1 else 0xFFFF))

    return handler


def _nothing(machine: Machine, instruction: Decoded) -> None:
    """IT (the instructions behind it know their conditions), hints, barriers."""


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "b": _branch,
        "bl": _branch_with_link,
        "blx": _branch_with_link,
        "bx": _branch_to,
        "cbz": _branch_if(zero=True),
        "cbnz": _branch_if(zero=False),
        "tbb": _table_branch(1),
        "tbh": _table_branch(2),
        **dict.fromkeys(("it", "nop", "hint", "dmb", "dsb", "isb", "pld", "pli"), _nothing),
    }
)
