"""Call frame information for debuggers, derived from the instructions that move the stack pointer.

GDB finds the callers of a function that changes its frame by DWARF's rules (DWARF 5, 6.4): where the caller's stack
pointer was (the canonical frame address), and where each saved register lies below it. Derived from the code they
cannot contradict it. They go into .debug_frame, which is not loaded: .ARM.exidx, the other way, would take flash and
link the unwinder of C++.
"""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.registers import CORE, LR, PC, SP, Register

PRESERVED = frozenset((*CORE[4:12], LR))
"""What a function gives back as it found it (AAPCS32, 6.1.1), and the way back."""


def directives(items: Sequence[object]) -> list[list[str]]:
    """For every item the directives that stand after it; only instructions have any.

    Raises ValueError for a move of the stack pointer by an amount that only running the code would show.
    """
    found: list[list[str]] = [[] for _ in items]
    places = [number for number, item in enumerate(items) if isinstance(item, Instruction)]
    depth = 0
    leaving: tuple[int, int] | None = None
    for number in places:
        item = items[number]
        assert isinstance(item, Instruction)
        moved = _moved(item)
        if moved < 0:
            leaving = None
        elif moved > 0 and leaving is None:
            leaving = (number, depth)
        if _returns(item):
            if number != places[-1] and leaving is not None:
                # What stands after this way out still has the frame.
                first, depth = leaving
                found[first - 1].append(".cfi_remember_state")
                found[number].append(".cfi_restore_state")
            leaving = None
            continue
        depth -= moved
        if moved:
            found[number].append(f".cfi_def_cfa_offset {depth}")
        found[number] += _moves(item, depth)
    return found


def _moved(item: Instruction) -> int:
    """By how many bytes the stack pointer goes up."""
    if SP not in item.defs:
        return 0
    if item.access:
        return item.access.moves
    amount = item.full_operands[-1]
    if item.name in ("add", "sub", "addw", "subw") and isinstance(amount, int) and item.full_operands[1] == SP:
        return amount if item.name.startswith("add") else -amount
    raise ValueError(f"{item.text}: where the frame begins cannot be told after it")


def _returns(item: Instruction) -> bool:
    return PC in item.defs or (item.name == "bx" and item.operands[0] == LR)


def _moves(item: Instruction, depth: int) -> list[str]:
    """Which registers of the caller an instruction has saved or given back."""
    if item.name == "push":
        places: list[tuple[Register, int]] = [(r, 4 * i - depth) for i, r in enumerate(item.groups["data"])]
        return [f".cfi_offset {register.name}, {place}" for register, place in places if register in PRESERVED]
    if item.name == "pop":
        return [f".cfi_restore {register.name}" for register in item.groups["result"] if register in PRESERVED]
    return []
