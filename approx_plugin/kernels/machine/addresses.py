"""Where a straight line of instructions loads from and stores to, as far as that can be told before it runs.

Constants and pointer arithmetic are followed, and words that wait on the stack. A pointer of which nothing is known is
taken for one into SRAM at a multiple of 8. On two cores that decides whether two accesses get in each other's way
(cores/: `banks`, `one_block`), and an odd address costs cycles everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, Optional

from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.operands import Half, Operand, Shifted
from approx_plugin.kernels.machine.registers import SP, Register

ASSUMED = 0x2000_0000
"""What an unknown pointer is taken for: the start of SRAM in the architecture's memory map."""

STACK = 0x2001_0000
MASK = 0xFFFFFFFF

Known = Optional[int]


class Tracker:
    """Follows the values of registers along a straight line; one for each line."""

    def __init__(self, values: Mapping[Register, int] | None = None) -> None:
        """values: what registers hold on entry."""
        self._values: dict[Register, int] = {SP: STACK, **(values or {})}
        self._stacked: dict[int, int] = {}

    def step(self, instruction: Instruction) -> int:
        """Go on by one instruction; the lowest address that it accesses, 0 if it accesses none."""
        access = instruction.access
        if access is None:
            self._compute(instruction)
            return 0
        base = self._values.setdefault(access.base, ASSUMED)
        index = self._values.get(access.index_register, 0) if access.index_register else 0
        address = (base + (index << access.shift) + access.displacement) & MASK
        single = access.size == 4 and access.pieces == 1
        if access.stores:
            self._store(instruction, address, single)
        else:
            self._forget(instruction)
            if single and address in self._stacked:
                self._values[instruction.groups["result"][0]] = self._stacked[address]
        if access.moves:
            self._values[access.base] = (base + access.moves) & MASK
        return address

    def _store(self, instruction: Instruction, address: int, single: bool) -> None:
        """Remember a word on the stack: kernels keep their pointers there."""
        access = instruction.access
        assert access is not None
        if access.base != SP:
            return
        for word in range(access.pieces):
            self._stacked.pop(address + word * access.size & ~3, None)
        if single:
            value = self._values.get(instruction.groups["data"][0])
            if value is not None:
                self._stacked[address] = value

    def _forget(self, instruction: Instruction) -> None:
        for register in instruction.defs:
            if register not in instruction.groups.get("base", ()):
                self._values.pop(register, None)

    def _compute(self, instruction: Instruction) -> None:
        made = None
        operation = _OPERATIONS.get(instruction.name)
        if operation and not instruction.condition:
            known = [self._value(operand) for operand in instruction.full_operands]
            made = operation(known)
        target = instruction.full_operands[0] if instruction.operands else None
        self._forget(instruction)
        if made is not None and isinstance(target, Register):
            self._values[target] = made & MASK

    def _value(self, operand: Operand) -> Known:
        if isinstance(operand, int):
            return operand
        if isinstance(operand, Register):
            return self._values.get(operand)
        if isinstance(operand, Shifted) and operand.shift == "lsl":
            value = self._values.get(operand.register)
            return None if value is None else value << operand.amount
        if isinstance(operand, Half):
            # Symbols are aligned as pointers are.
            return 0 if operand.part == "lower16" else ASSUMED >> 16
        return None


def _of_last(operation: Callable[[int], int]) -> Callable[[list[Known]], Known]:
    return lambda known: None if known[-1] is None else operation(known[-1])


def _of_two(operation: Callable[[int, int], int]) -> Callable[[list[Known]], Known]:
    def applied(known: list[Known]) -> Known:
        first, second = known[-2:]
        return None if first is None or second is None else operation(first, second)

    return applied


_OPERATIONS: Mapping[str, Callable[[list[Known]], Known]] = {
    **dict.fromkeys(("mov", "movw"), _of_last(lambda value: value)),
    "mvn": _of_last(lambda value: ~value),
    "movt": _of_two(lambda before, value: before & 0xFFFF | value << 16),
    **dict.fromkeys(("add", "addw"), _of_two(lambda first, second: first + second)),
    **dict.fromkeys(("sub", "subw"), _of_two(lambda first, second: first - second)),
    "lsl": _of_two(lambda first, second: first << (second & 0xFF) if second & 0xFF < 32 else 0),
}
