"""Where the function keeps what does not stay in registers: the stack, and the FPU's registers where they are used."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import SINGLES, SP, Register

INPUT, OUTPUT, TABLE, PLANE, SCRATCH, GROUPS, PLANES, FILTERS, ROWS, COLUMNS = range(0, 40, 4)
"""Places on the stack."""

FIRST_CONSTANT = 40
CALLER_SAVED = 16
"""s0 to s15 are free; the others are given back as they were found (AAPCS32, 6.1.2.1)."""


@dataclass(frozen=True)
class Frame:
    """constants: how many words of a channel are kept. singles: how many of them are in the FPU's registers."""

    constants: int
    singles: int

    @property
    def saves(self) -> int:
        """Words of the FPU's registers that are the caller's."""
        return len(SINGLES) - CALLER_SAVED if self.singles > CALLER_SAVED else 0

    @property
    def size(self) -> int:
        """Bytes on the stack; with the nine saved registers a multiple of 8."""
        words = FIRST_CONSTANT // 4 + self.constants - self.singles + self.saves
        return 4 * (words + (words + 1) % 2)

    @property
    def saved_at(self) -> int:
        """Where the caller's registers are."""
        return FIRST_CONSTANT + 4 * (self.constants - self.singles)

    def load(self, register: Register, number: int) -> Instruction:
        """A constant of the channel."""
        if number < self.singles:
            return instruction("vmov", register, SINGLES[number])
        return instruction("ldr", register, self.place(number))

    def place(self, number: int) -> Address:
        """Of a constant on the stack."""
        return Address(SP, FIRST_CONSTANT + 4 * (number - self.singles), region="frame")


def load(register: Register, place: int) -> Instruction:
    """From the stack."""
    return instruction("ldr", register, Address(SP, place, region="frame"))


def store(register: Register, place: int) -> Instruction:
    """To the stack."""
    return instruction("str", register, Address(SP, place, region="frame"))


def count_down(register: Register, place: int) -> tuple[Instruction, ...]:
    """The end of a loop whose counter is on the stack: what sets the flags goes first."""
    return load(register, place), instruction("subs", register, 1), store(register, place)
