"""Products of a pair of halfwords with another one, added up."""

from __future__ import annotations

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Shifted
from approx_plugin.kernels.machine.registers import Register


def multiplied(total: Register, one: Register, other: Register, starts: bool) -> Instruction:
    """Both products added to a sum, or the start of one."""
    if starts:
        return instruction("smuad", total, one, other)
    return instruction("smlad", total, one, other, total)


def taken_apart(first: Register, second: Register, bias: Register, other: Register, shift: int) -> list[Instruction]:
    """Sums of packed products as those of both channels, 2 << shift times as large, with their biases.

    first: the sum of 256 A + B, second: that of B; bias, other: of A and of B. shift: 0 to 7.
    """
    return [
        instruction("sub.w", first, first, second),
        added(second, other, second, "lsl", shift + 1),
        added(first, bias, first, "asr", 7 - shift),
    ]


def added(total: Register, one: Register, other: Register, shift: str, amount: int) -> Instruction:
    """total = one + the other one, shifted."""
    return instruction("add.w", total, one, Shifted(other, shift, amount) if amount else other)
