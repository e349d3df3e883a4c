"""Whether an instruction takes its operands. A kernel that asks for what there is not has a defect: ValueError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from approx_plugin.kernels.machine.encoding import is_modified_immediate
from approx_plugin.kernels.machine.forms import ACCESSES, Slot
from approx_plugin.kernels.machine.narrow import is_narrow
from approx_plugin.kernels.machine.operands import OFFSET, Address, Half, Pointer, Registers, Shifted
from approx_plugin.kernels.machine.registers import PC, SP, Register

if TYPE_CHECKING:
    from approx_plugin.kernels.machine.instruction import Instruction

MAX_OFFSET, MIN_OFFSET = 4095, -255
"""Of LDR, STR and their kin: 12 bits upwards, 8 bits downwards."""

MAX_PAIR_OFFSET = 1020
"""Of LDRD and STRD, either way; a multiple of 4."""

MAX_MOVE = 255
"""By which LDR and its kin can move their base."""


SHIFTS: Mapping[str, Mapping[str, Sequence[int]]] = {
    "flexible": {"lsl": range(1, 32), "lsr": range(1, 33), "asr": range(1, 33), "ror": range(1, 32)},
    "rotated": {"ror": (8, 16, 24)},
    "lsl": {"lsl": range(1, 32)},
    "asr": {"asr": range(1, 33)},
    "shift": {"lsl": range(1, 32), "asr": range(1, 32)},
}
"""By what a slot takes (`forms.Slot`): the shifts, and their amounts."""


def check(made: Instruction) -> None:
    """Raise ValueError for operands that the instruction does not take."""
    why = _why_not(made)
    if why:
        raise ValueError(f"{made.text}: {why}")


def _why_not(made: Instruction) -> str:
    """What is wrong with an instruction; "" if nothing is."""
    name, form, operands = made.name, made.form, made.full_operands
    if len(operands) != len(form.slots):
        return f"takes {len(form.slots)} operands"
    for slot, operand in zip(form.slots, operands):
        why = _mistake(name, slot, operand)
        if why:
            return why
    if len(made.operands) < len(operands) and isinstance(operands[-1], Shifted):
        return "needs all operands written where one is shifted"
    if made.condition and made.sets_flags and form.flags != "always":
        return "an instruction in an IT block that sets the flags is not supported"
    if made.width not in ("", ".n", ".w"):
        return f"'{made.width}' is no width"
    if made.width == ".n" and not made.has_narrow:
        return "has no 16-bit encoding"
    return _mistake_together(name, operands, made.sets_flags)


def _mistake(name: str, slot: Slot, operand: Any) -> str:
    """What is wrong with one operand; "" if it fits."""
    takes = slot.takes
    if takes in ("core", "any"):
        fits = isinstance(operand, Register) and (operand.is_core or (takes == "any" and operand.is_single))
        return "" if fits else f"{operand} is no {'register' if takes == 'any' else 'core register'}"
    if takes == "number":
        fits = isinstance(operand, int) and slot.low <= operand <= slot.high
        return "" if fits else f"{operand} is not within {slot.low} and {slot.high}"
    if takes == "half":
        fits = isinstance(operand, Half) or (isinstance(operand, int) and 0 <= operand <= 0xFFFF)
        return "" if fits else f"{operand} is no half of a word"
    if takes == "address":
        return _address_mistake(name, operand)
    if takes in ("registers", "singles"):
        return _list_mistake(takes, operand)
    if takes == "pointer":
        return "" if isinstance(operand, Pointer) and operand.base.is_core else f"{operand} is no pointer"
    if takes in ("label", "condition"):
        return "" if isinstance(operand, str) else f"{operand} is no {takes}"
    return _flexible_mistake(name, takes, operand)


def _flexible_mistake(name: str, takes: str, operand: Any) -> str:
    """Of the second operand of data processing, and of operands that some instructions shift or rotate."""
    if isinstance(operand, Register):
        return "" if operand.is_core else f"{operand.name} is no core register"
    if isinstance(operand, int):
        if takes == "flexible":
            fits = 0 <= operand <= 0xFFFFFFFF and is_modified_immediate(operand)
            return "" if fits else f"{operand:#x} is no modified immediate"
        low, high = {"lsl": (0, 31), "ror": (1, 31)}.get(name, (1, 32))
        fits = takes == "amount" and low <= operand <= high
        return "" if fits else f"{operand} is no amount between {low} and {high}"
    if not isinstance(operand, Shifted) or not operand.register.is_core or takes == "amount":
        return f"{operand} is no operand for it"
    if takes == "flexible" and name == "mov":
        return "a shifted move is LSL, LSR, ASR or ROR"
    fits = operand.amount in SHIFTS[takes].get(operand.shift, ())
    return "" if fits else f"cannot be shifted by '{operand.shift} #{operand.amount}'"


def _address_mistake(name: str, operand: Any) -> str:
    if not isinstance(operand, Address) or not operand.base.is_core or operand.base == PC:
        return f"{operand} is no address"
    offset = operand.offset
    pair = ACCESSES[name][1] == 2
    if isinstance(offset, int):
        if pair:
            fits = abs(offset) <= MAX_PAIR_OFFSET and offset % 4 == 0
        elif operand.mode == OFFSET:
            fits = MIN_OFFSET <= offset <= MAX_OFFSET
        else:
            fits = abs(offset) <= MAX_MOVE
        return "" if fits else f"the offset {offset} is out of reach"
    if pair or operand.mode != OFFSET:
        return "an index register is neither for pairs nor for write-back"
    if isinstance(offset, Shifted) and (offset.shift != "lsl" or not 0 <= offset.amount <= 3):
        return "an index is shifted left by 0 to 3"
    index = operand.index_register
    return "" if index and index.is_core and index not in (SP, PC) else "is indexed by nothing"


def _list_mistake(takes: str, operand: Any) -> str:
    if not isinstance(operand, Registers) or not operand.members:
        return f"{operand} is no list of registers"
    members = operand.members
    if takes == "singles":
        numbers = [member.number for member in members]
        fits = all(m.is_single for m in members) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        return "" if fits else f"{operand} are not neighbouring single registers"
    if not all(member.is_core and member != SP for member in members):
        return f"{operand} holds something else than core registers"
    numbers = [member.number for member in members if not member.is_virtual]
    return "" if numbers == sorted(set(numbers)) else f"{operand} does not ascend"


def _mistake_together(name: str, operands: Sequence[Any], sets_flags: bool) -> str:
    """What is wrong with operands that fit one by one."""
    if name in ("ldmia", "stmia"):
        pointer, moved = operands
        if len(moved.members) < 2:
            return "a single register needs LDR or STR"
        if pointer.write_back and (pointer.base == SP or pointer.base in moved.members):
            return "cannot write back to this base; use PUSH and POP for the stack"
    if name in ("push", "pop") and len(operands[0].members) < 2 and not operands[0].members[0].is_low:
        return "a single high register needs STR or LDR"
    last = operands[-1] if operands else None
    if isinstance(last, Address) and last.writes_back and last.base in operands[:-1]:
        return "writes back to a register that it loads or stores"
    if name == "ldrd" and operands[0] == operands[1]:
        return "loads one register twice"
    if name in ("smull", "umull", "smlal", "umlal", "smlald", "smlaldx") and operands[0] == operands[1]:
        return "writes one register twice"
    if name in ("ubfx", "sbfx") and operands[2] + operands[3] > 32:
        return "takes bits that the register does not have"
    if name == "mul" and sets_flags and not is_narrow(name, operands, True, False):
        return "sets the flags in its 16-bit encoding only"
    if name == "vmov" and operands[0].is_single == operands[1].is_single:
        return "moves between a core and a single register"
    return ""
