"""What stands after a mnemonic, as values that print themselves in the assembler's syntax."""

from __future__ import annotations

from typing import NamedTuple, Union

from approx_plugin.kernels.machine.registers import Register, names

OFFSET, PRE, POST = "offset", "pre", "post"
"""How an address uses its offset: for this access, before it with write-back, after it with write-back."""


class Shifted(NamedTuple):
    """A register operand that is shifted or rotated on its way: shift is "lsl", "lsr", "asr" or "ror"."""

    register: Register
    shift: str
    amount: int

    def __str__(self) -> str:
        """In the assembler's syntax."""
        return f"{self.register.name}, {self.shift} #{self.amount}"


class Address(NamedTuple):
    """Where a load or store goes.

    offset: bytes, or an index register, which may be shifted left by 0 to 3.
    mode:   OFFSET, PRE or POST.
    region: a name for what is accessed. Accesses of different regions never touch the same memory; "" may touch any.
    """

    base: Register
    offset: int | Register | Shifted = 0
    mode: str = OFFSET
    region: str = ""

    @property
    def index_register(self) -> Register | None:
        """The register that is added to the base, if there is one."""
        if isinstance(self.offset, int):
            return None
        return self.offset.register if isinstance(self.offset, Shifted) else self.offset

    @property
    def writes_back(self) -> bool:
        """Whether the base register changes."""
        return self.mode != OFFSET

    def __str__(self) -> str:
        """In the assembler's syntax."""
        if isinstance(self.offset, int):
            offset = f"#{self.offset}"
        else:
            offset = str(self.offset) if isinstance(self.offset, Shifted) else self.offset.name
        if self.mode == POST:
            return f"[{self.base.name}], {offset}"
        return f"[{self.base.name}, {offset}]" + ("!" if self.mode == PRE else "")


class Pointer(NamedTuple):
    """The base register of a load or store multiple. write_back: it moves by the words; region: see `Address`."""

    base: Register
    write_back: bool = False
    region: str = ""

    def __str__(self) -> str:
        """In the assembler's syntax."""
        return self.base.name + ("!" if self.write_back else "")


class Registers(NamedTuple):
    """The list of a load or store multiple, in the order of the words in memory: ascending once it is allocated."""

    members: tuple[Register, ...]

    def __str__(self) -> str:
        """In the assembler's syntax."""
        return f"{{{names(self.members)}}}"


class Half(NamedTuple):
    """Half of a symbol's address, for MOVW ("lower16") and MOVT ("upper16")."""

    symbol: str
    part: str

    def __str__(self) -> str:
        """In the assembler's syntax."""
        return f"#:{self.part}:{self.symbol}"


Operand = Union[Register, int, Shifted, Address, Pointer, Registers, Half, str]
"""A string is a label, or the condition of an IT."""


def text_of(operand: Operand) -> str:
    """An operand in the assembler's syntax. Large constants are hexadecimal: they are patterns rather than numbers."""
    if isinstance(operand, Register):
        return operand.name
    if isinstance(operand, int):
        return f"#{operand:#x}" if operand > 0xFFFF else f"#{operand}"
    return str(operand)
