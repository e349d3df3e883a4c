"""Registers by name and number.

The numbers are those of the virtual board's pipeline: r0 to r15, the flags, s0 to s31. Beyond them lie what only orders
instructions (the GE flags, carry and overflow), and the virtual registers that `allocation` replaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LOW = 8
"""Registers below r8 have 16-bit encodings."""

FIRST_SINGLE, FIRST_VIRTUAL = 17, 64


class Register(NamedTuple):
    """A register. name: as in assembly; a virtual one has any name that helps to read a message."""

    number: int
    name: str

    @property
    def is_low(self) -> bool:
        """Whether it is one of r0 to r7."""
        return self.number < LOW

    @property
    def is_single(self) -> bool:
        """Whether it is one of s0 to s31."""
        return FIRST_SINGLE <= self.number < FIRST_SINGLE + 32

    @property
    def is_virtual(self) -> bool:
        """Whether it has still to be allocated."""
        return self.number >= FIRST_VIRTUAL

    @property
    def is_core(self) -> bool:
        """Whether it is one of r0 to r15, or will be."""
        return self.number < 16 or self.is_virtual


CORE = (*(Register(number, f"r{number}") for number in range(13)), Register(13, "sp"), Register(14, "lr"))
"""r0 to r12, sp, lr: by number."""

R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12, SP, LR = CORE
PC = Register(15, "pc")
FLAGS = Register(16, "N and Z")
CARRY = Register(50, "C and V")
"""The flags in two parts: many instructions that set N and Z leave C and V alone. The pipeline knows FLAGS only."""

SINGLES = tuple(Register(FIRST_SINGLE + number, f"s{number}") for number in range(32))
"""s0 to s31, the FPU's single registers: by number."""

GE = Register(49, "the GE flags")
"""What UADD8 and its kin set for each byte, and SEL reads."""

GENERAL = (*CORE[:13], LR)
"""Those that a kernel may use for values: all but sp and pc."""


def virtual(number: int, name: str = "") -> Register:
    """A core register that is still to be chosen; registers of the same number are the same."""
    return Register(FIRST_VIRTUAL + number, name or f"v{number}")


def names(registers: Iterable[Register]) -> str:
    """Their names, runs of three or more of core or single registers as a range: "r4-r11, lr"."""
    runs: list[list[Register]] = []
    for register in registers:
        previous = runs[-1][-1] if runs else None
        if previous and register.number == previous.number + 1 and _in_ranges(previous) and _in_ranges(register):
            runs[-1].append(register)
        else:
            runs.append([register])
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0].name}-{run[-1].name}"] if len(run) > 2 else [register.name for register in run]
    return ", ".join(parts)


def _in_ranges(register: Register) -> bool:
    return register.number < SP.number or register.is_single
