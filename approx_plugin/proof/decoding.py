"""Instructions as the proof executes them, decoded by capstone."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import capstone
from capstone import arm

from approx_plugin.proof.words import NotProvedError

ALWAYS = "al"
_CONDITIONS = {
    arm.ARM_CC_EQ: "eq",
    arm.ARM_CC_NE: "ne",
    arm.ARM_CC_HS: "hs",
    arm.ARM_CC_LO: "lo",
    arm.ARM_CC_MI: "mi",
    arm.ARM_CC_PL: "pl",
    arm.ARM_CC_VS: "vs",
    arm.ARM_CC_VC: "vc",
    arm.ARM_CC_HI: "hi",
    arm.ARM_CC_LS: "ls",
    arm.ARM_CC_GE: "ge",
    arm.ARM_CC_LT: "lt",
    arm.ARM_CC_GT: "gt",
    arm.ARM_CC_LE: "le",
    arm.ARM_CC_AL: ALWAYS,
}
_SHIFTS = {arm.ARM_SFT_LSL: "lsl", arm.ARM_SFT_LSR: "lsr", arm.ARM_SFT_ASR: "asr", arm.ARM_SFT_ROR: "ror"}
_ENDS = frozenset(("b", "bx", "bl", "blx", "cbz", "cbnz", "tbb", "tbh", "pop", "ldm"))
RUN = 256
"""Bytes that are decoded at a time: IT blocks have to be seen from their beginning."""


class Place(NamedTuple):
    """An address: base + (offset << shift) + displacement; registers by number, -1 for no offset."""

    base: int
    offset: int
    shift: int
    displacement: int


@dataclass(frozen=True)
class Operand:
    """register: 0 to 15, 16 + n for s<n>, -1 for none; number: an immediate; place: of a load or store.

    shift, amount: of a register operand.
    """

    register: int = -1
    number: int = 0
    place: Place | None = None
    shift: str = ""
    amount: int = 0


@dataclass(frozen=True)
class Decoded:
    """name: without condition, width and s."""

    address: int
    size: int
    name: str
    condition: str
    sets_flags: bool
    writes_back: bool
    post_indexed: bool
    operands: tuple[Operand, ...]
    text: str


@functools.lru_cache(maxsize=1)
def _disassembler() -> Any:
    made = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    made.detail = True
    return made


@functools.lru_cache(maxsize=1)
def _registers() -> dict[int, int]:
    """Capstone's number -> ours."""
    found = {getattr(arm, f"ARM_REG_R{number}"): number for number in range(13)}
    found.update({arm.ARM_REG_SP: 13, arm.ARM_REG_LR: 14, arm.ARM_REG_PC: 15})
    found.update({getattr(arm, f"ARM_REG_S{number}"): 16 + number for number in range(32)})
    return found


def decode(content: bytes, address: int) -> list[Decoded]:
    """The instructions from `address` on, up to one after which something else may follow.

    Raises NotProvedError for one that capstone does not know.
    """
    found: list[Decoded] = []
    for one in _disassembler().disasm(content[:RUN], address):
        made = _decoded(one)
        found.append(made)
        if made.name in _ENDS or any(o.register == 15 for o in made.operands[:1]):
            return found
    if not found:
        raise NotProvedError(f"there is no instruction at {address:#x}")
    return found


def _decoded(one: Any) -> Decoded:
    registers = _registers()
    operands = []
    for operand in one.operands:
        if operand.type == arm.ARM_OP_REG:
            if operand.reg not in registers:
                raise NotProvedError(f"'{one.mnemonic} {one.op_str}' uses a register that the proof does not know")
            shift = _SHIFTS.get(operand.shift.type, "") if operand.shift.value else ""
            if operand.shift.type and not shift and operand.shift.value:
                shift = "by register"
            operands.append(Operand(registers[operand.reg], shift=shift, amount=operand.shift.value))
        elif operand.type == arm.ARM_OP_IMM:
            operands.append(Operand(number=operand.imm))
        elif operand.type == arm.ARM_OP_MEM:
            memory = operand.mem
            index = registers[memory.index] if memory.index else -1
            shift = operand.shift.value if operand.shift.type else memory.lshift
            sign = -1 if operand.subtracted and memory.disp > 0 else 1
            operands.append(Operand(place=Place(registers[memory.base], index, shift, sign * memory.disp)))
        else:
            raise NotProvedError(f"'{one.mnemonic} {one.op_str}' has an operand that the proof does not know")
    return Decoded(
        address=one.address,
        size=one.size,
        name=one.insn_name(),
        condition=_CONDITIONS.get(one.cc, ALWAYS),
        sets_flags=bool(one.update_flags),
        writes_back=bool(one.writeback),
        post_indexed=bool(getattr(one, "post_index", False)),
        operands=tuple(operands),
        text=f"{one.mnemonic} {one.op_str}",
    )
