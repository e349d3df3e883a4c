"""An instruction as an immutable value: what it reads and writes, how large it is, how it is timed, how it is written.

    instruction("smlad", R6, R2, R1, R6)
    instruction("ldr", R2, Address(R0, 8, region="input"))
    instruction("movlt.w", R5, 0)                      after an IT
    instruction("add", R4, R3, Shifted(R6, "asr", 31))

Everything follows from the instruction's row in `forms` and from its operands; nothing is given by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from approx_plugin.kernels.machine.checking import check
from approx_plugin.kernels.machine.encoding import is_rotated
from approx_plugin.kernels.machine.forms import (
    ACCESSES,
    AMOUNT,
    ARITHMETIC,
    BOTH_FLAGS_READ,
    CONDITIONS,
    FORMS,
    Form,
)
from approx_plugin.kernels.machine.narrow import is_narrow
from approx_plugin.kernels.machine.operands import POST, Address, Operand, Pointer, Registers, Shifted, text_of
from approx_plugin.kernels.machine.registers import CARRY, FLAGS, GE, LR, PC, SP, Register

Group = tuple[Register, ...]


class Access(NamedTuple):
    """What a load or store touches: `pieces` of `size` bytes side by side from base + (index register << shift) +
    displacement on. moves: by how many bytes the base register changes.
    """

    base: Register
    index_register: Register | None
    shift: int
    displacement: int
    size: int
    pieces: int
    stores: bool
    region: str
    moves: int


@dataclass(frozen=True)
class Instruction:
    """name: of the row in `forms`; condition: "" or e.g. "lt" (in an IT block, or a branch's); width: "", ".n" or
    ".w", as the assembler is told. operands: as they are written. comment: after it in the text.
    """

    name: str
    operands: tuple[Operand, ...]
    sets_flags: bool = False
    condition: str = ""
    width: str = ""
    comment: str = ""

    def __repr__(self) -> str:
        """As it is written: blocks of them are read in messages of failed tests."""
        return f"<{self.text}>"

    @property
    def form(self) -> Form:
        """Its row."""
        return FORMS[self.name]

    @cached_property
    def full_operands(self) -> tuple[Operand, ...]:
        """The operands with none left out: add r0, #5 is add r0, r0, #5."""
        short = self.form.short and len(self.operands) < len(self.form.slots)
        return (self.operands[0], *self.operands) if short else self.operands

    @cached_property
    def size(self) -> int:
        """Bytes. A branch whose width was left open counts as a wide one: `text.layout` closes it."""
        if self.width:
            return 2 if self.width == ".n" else 4
        return 2 if self.has_narrow and self.name != "b" else 4

    @cached_property
    def has_narrow(self) -> bool:
        """Whether there is a 16-bit encoding."""
        return is_narrow(self.name, self.full_operands, self.sets_flags, bool(self.condition))

    @cached_property
    def kind(self) -> str:
        """The row of a core's table."""
        kind = self.form.kind
        last = self.full_operands[-1] if self.operands else None
        if kind in ("add", "logic") and self.form.slots[-1].takes == "flexible":
            rotated = isinstance(last, int) and self.size == 4 and is_rotated(last)
            return "shift" if rotated or isinstance(last, Shifted) else kind
        if kind == "multiply" and self.size == 2:
            return "multiply_flags"
        if kind == "store" and isinstance(last, Address) and last.index_register:
            return "store_register"
        return kind

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """Registers by what is done with them: source, early, accumulate, address, data, result, base.

        Without the flags and without what only orders instructions: this is what costs time.
        """
        found: dict[str, list[Register]] = {}
        for slot, operand in zip(self.form.slots, self.full_operands):
            roles: tuple[str, ...] = slot.roles
            registers: Group = ()
            if isinstance(operand, Register):
                registers, roles = (operand,), roles or ("source",)
            elif isinstance(operand, Shifted):
                registers, roles = (operand.register,), roles or ("early",)
            elif isinstance(operand, Registers):
                registers = operand.members
            elif isinstance(operand, Address):
                registers, roles = (
                    (operand.base, *((operand.index_register,) if operand.index_register else ())),
                    ("address",),
                )
                found.setdefault("base", []).extend((operand.base,) if operand.writes_back else ())
            elif isinstance(operand, Pointer):
                registers, roles = (operand.base,), ("address",)
                found.setdefault("base", []).extend((operand.base,) if operand.write_back else ())
            for role in roles:
                found.setdefault(role, []).extend(registers)
        if self.name in ("push", "pop"):
            found["address"] = found["base"] = [SP]
        if self.name in ("bl", "blx"):
            found["result"] = [LR]
        return {role: tuple(dict.fromkeys(registers)) for role, registers in found.items() if registers}

    @cached_property
    def access(self) -> Access | None:
        """What it loads or stores; None if it does neither."""
        stores = self.form.kind.startswith("store")
        last = self.operands[-1] if self.operands else None
        if isinstance(last, Address):
            size, count = ACCESSES[self.name]
            shift = last.offset.amount if isinstance(last.offset, Shifted) else 0
            offset = last.offset if isinstance(last.offset, int) else 0
            before = 0 if last.mode == POST else offset
            moves = offset if last.writes_back else 0
            return Access(last.base, last.index_register, shift, before, size, count, stores, last.region, moves)
        if not isinstance(last, Registers):
            return None
        words = len(last.members)
        first = self.operands[0]
        if isinstance(first, Pointer):
            moves = 4 * words if first.write_back else 0
            return Access(first.base, None, 0, 0, 4, words, stores, first.region, moves)
        down = -4 * words if stores else 0
        return Access(SP, None, 0, down, 4, words, stores, "stack", down or 4 * words)

    @cached_property
    def defs(self) -> frozenset[Register]:
        """Every register that it writes, flags included."""
        written = {*self.groups.get("result", ()), *self.groups.get("base", ())}
        if self.sets_flags:
            written |= {FLAGS, CARRY} if self.name in ARITHMETIC or self._shifts_out else {FLAGS}
        return frozenset(written | ({GE} if self.form.greater_equal == "result" else set()))

    @cached_property
    def uses(self) -> frozenset[Register]:
        """Every register whose former value matters, flags included."""
        read = {r for role, group in self.groups.items() if role not in ("result", "base") for r in group}
        condition = str(self.operands[0]) if self.form.kind == "it" else self.condition
        if condition:
            read |= {FLAGS, CARRY} if condition in BOTH_FLAGS_READ else {FLAGS}
        if self.condition:
            # Where the condition fails, what it would have written stays.
            read |= self.defs
        if self.name in ("adc", "sbc") or (self.sets_flags and self.name not in ARITHMETIC and self._shifts_out):
            read.add(CARRY)
        return frozenset(read | ({GE} if self.form.greater_equal == "source" else set()))

    @property
    def _shifts_out(self) -> bool:
        """Whether the carry becomes a bit that is shifted or rotated out."""
        return self.kind == "shift" or self.form.slots[-1:] == (AMOUNT,)

    @cached_property
    def branches(self) -> bool:
        """Whether something else than the next instruction may follow."""
        return self.form.kind.startswith("branch") or PC in self.defs

    @cached_property
    def mnemonic(self) -> str:
        """As it is written."""
        always = self.form.flags == "always"
        return self.name + ("s" if self.sets_flags and not always else "") + self.condition + self.width

    @cached_property
    def text(self) -> str:
        """As it is written, without the comment."""
        return f"{self.mnemonic} {', '.join(map(text_of, self.operands))}".rstrip()

    def noted(self, comment: str) -> Instruction:
        """The same with a comment."""
        return replace(self, comment=comment)

    def wide(self) -> Instruction:
        """The same in 32 bits."""
        return replace(self, width=".w")

    def renamed(self, names: Mapping[Register, Register]) -> Instruction:
        """The same with other registers. Raises ValueError if it does not take them."""
        made = replace(self, operands=tuple(_renamed(operand, names) for operand in self.operands))
        check(made)
        return made


def _renamed(operand: Operand, names: Mapping[Register, Register]) -> Operand:
    if isinstance(operand, Register):
        return names.get(operand, operand)
    if isinstance(operand, Shifted):
        return operand._replace(register=names.get(operand.register, operand.register))
    if isinstance(operand, Address):
        offset = operand.offset
        if not isinstance(offset, int):
            renamed = _renamed(offset, names)
            assert isinstance(renamed, (Register, Shifted))
            offset = renamed
        return operand._replace(base=names.get(operand.base, operand.base), offset=offset)
    if isinstance(operand, Pointer):
        return operand._replace(base=names.get(operand.base, operand.base))
    if isinstance(operand, Registers):
        return Registers(tuple(names.get(member, member) for member in operand.members))
    return operand


@functools.lru_cache(maxsize=1 << 16, typed=True)
def instruction(mnemonic: str, *operands: Operand) -> Instruction:
    """The instruction of a mnemonic, with its s, condition and width where it has them.

    Remembered, for a kernel consists of the same instructions over and over. Raises ValueError for an unknown mnemonic
    and for operands that it does not take.
    """
    name, sets_flags, condition, width = _parts(mnemonic)
    made = Instruction(name, operands, sets_flags, condition, width)
    check(made)
    return made


@functools.lru_cache(maxsize=1024)
def _parts(mnemonic: str) -> tuple[str, bool, str, str]:
    """Name, whether it sets the flags, condition and width of a mnemonic as it is written."""
    head, dot, tail = mnemonic.partition(".")
    width = dot + tail
    candidates = [(head, "")]
    if head[-2:] in CONDITIONS:
        candidates.append((head[:-2], head[-2:]))
    for name, condition in candidates:
        if name in FORMS:
            return name, FORMS[name].flags == "always", condition, width
        if name[-1:] == "s" and name[:-1] in FORMS and FORMS[name[:-1]].flags == "optional":
            return name[:-1], True, condition, width
    raise ValueError(f"there is no instruction '{mnemonic}' among those that kernels use")
