"""What a routine keeps on the stack, and what it gives back as it found it."""

from __future__ import annotations

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Pointer, Registers
from approx_plugin.kernels.machine.registers import CORE, LR, PC, R3, SINGLES, SP, Register

SAVED = Registers((*CORE[4:12], LR))
"""What a routine that uses every register pushes first."""

RESTORED = Registers((*CORE[4:12], PC))
"""What it pops last."""

CALLEE_SAVED_SINGLES = Registers(SINGLES[16:])
"""Of the FPU's registers (AAPCS32, 6.1.2.1)."""


def get(register: Register, place: int) -> Instruction:
    """A word of the frame, `place` bytes above its end."""
    return instruction("ldr.w", register, Address(SP, place, region="frame"))


def put(register: Register, place: int) -> Instruction:
    """A word into the frame."""
    return instruction("str.w", register, Address(SP, place, region="frame"))


def counted(place: int, register: Register) -> tuple[Instruction, ...]:
    """The end of a loop whose counter stands in the frame."""
    return (get(register, place), instruction("subs", register, 1), put(register, place))


def enter(size: int, singles_at: int | None = None) -> list[Instruction]:
    """A frame of so many bytes.

    singles_at: where the caller's s16 to s31 are kept, for which r3 is overwritten; None for nowhere.
    """
    return [instruction("push.w", SAVED), instruction("sub", SP, SP, size), *_singles("vstmia", singles_at)]


def leave(size: int, singles_at: int | None = None) -> list[Instruction]:
    """Back to the caller; arguments as for `enter`."""
    return [*_singles("vldmia", singles_at), instruction("add", SP, SP, size), instruction("pop.w", RESTORED)]


def _singles(name: str, place: int | None) -> list[Instruction]:
    if place is None:
        return []
    return [instruction("add", R3, SP, place), instruction(name, Pointer(R3), CALLEE_SAVED_SINGLES)]
