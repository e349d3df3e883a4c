"""Thumb-2 instructions as text with their size and their cycles.

Sizes follow the ARMv7-M encodings that the assembler chooses; cycles are those of the Cortex-M4 with zero wait states
(Cortex-M4 r0p1 Technical Reference Manual, 3.3.1): 1 for data processing and the DSP multiplies, 2 for a load, 1 for a
load right behind another load, one more for an unaligned one, 1 + 2 for a taken branch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LOW = 8
"""Registers below r8 have 16-bit encodings."""

NAMES = ("r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr")
"""The registers that kernels use, by number."""

MAX_LOAD_OFFSET = 4095
"""LDR (immediate, T3): 12 bits, positive."""


def is_modified_immediate(value: int) -> bool:
    """Whether a 32-bit constant fits a Thumb-2 modified immediate (ARMv7-M ARM, A5.3.2)."""
    value &= 0xFFFFFFFF
    low = value & 0xFF
    second = value >> 8 & 0xFF
    if value in (low, low << 16 | low, second << 24 | second << 8, low * 0x01010101):
        return True
    # An 8-bit value with its top bit set, rotated right by 8 to 31: one run of at most 8 bits that does not wrap.
    trailing = (value & -value).bit_length() - 1
    return value >> trailing <= 0xFF


@dataclass
class Code:
    """Lines of one function, and what they cost. The one mutable thing here: a text under construction.

    lines: assembly text; size: bytes; cycles: of the straight path.
    """

    lines: list[str] = field(default_factory=list)
    size: int = 0
    cycles: int = 0
    _after_load: bool = False

    def emit(self, text: str, size: int, cycles: int = 1) -> None:
        """One instruction that is not a load."""
        self.lines.append("\t" + text)
        self.size += size
        self.cycles += cycles
        self._after_load = False

    def load(self, register: int, base: int, offset: int) -> None:
        """LDR of a word."""
        narrow = register < LOW and base < LOW and 0 <= offset <= 124 and offset % 4 == 0
        self.lines.append(f"\tldr {NAMES[register]}, [{NAMES[base]}, #{offset}]")
        self.size += 2 if narrow else 4
        self.cycles += (1 if self._after_load else 2) + (offset % 4 != 0)
        self._after_load = True

    def label(self, name: str) -> None:
        """A label."""
        self.lines.append(f"{name}:")

    def constant(self, register: int, value: int) -> None:
        """A 32-bit constant in as few instructions as can be."""
        value &= 0xFFFFFFFF
        name = NAMES[register]
        if value <= 0xFF and register < LOW:
            self.emit(f"movs {name}, #{value}", 2)
        elif value <= 0xFFFF:
            self.emit(f"movw {name}, #{value}", 4)
        elif is_modified_immediate(value):
            self.emit(f"mov {name}, #{value:#x}", 4)
        elif is_modified_immediate(~value):
            self.emit(f"mvn {name}, #{~value & 0xFFFFFFFF:#x}", 4)
        else:
            self.emit(f"movw {name}, #{value & 0xFFFF}", 4)
            self.emit(f"movt {name}, #{value >> 16}", 4)

    def half_constant(self, register: int, value: int) -> None:
        """A constant of which only the lower 16 bits will be used."""
        self.constant(register, value & 0xFFFF)

    def add(self, register: int, value: int, temporary: int) -> None:
        """register += value, any signed 32-bit value; `temporary` may be overwritten."""
        if value == 0:
            return
        name = NAMES[register]
        operation, amount = ("add", value) if value > 0 else ("sub", -value)
        if amount <= 0xFF and register < LOW:
            self.emit(f"{operation}s {name}, #{amount}", 2)
        elif is_modified_immediate(amount):
            self.emit(f"{operation}.w {name}, {name}, #{amount}", 4)
        elif amount <= 0xFFF:
            self.emit(f"{operation}w {name}, {name}, #{amount}", 4)
        else:
            self.constant(temporary, amount)
            self.emit(f"{operation}.w {name}, {name}, {NAMES[temporary]}", 4)

    def load_stack(self, register: int, offset: int) -> None:
        """LDR from the frame, a low register."""
        self.emit(f"ldr {NAMES[register]}, [sp, #{offset}]", 2, 2)

    def store_stack(self, register: int, offset: int) -> None:
        """STR to the frame, a low register."""
        self.emit(f"str {NAMES[register]}, [sp, #{offset}]", 2)

    def multiple(self, operation: str, base: int, registers: range, write_back: bool) -> None:
        """LDM ("ldm") or STM ("stm") of ascending registers; a single one needs LDR or STR."""
        mark = "!" if write_back else ""
        names = [NAMES[register] for register in registers]
        if len(names) == 1:
            single = {"ldm": "ldr.w", "stm": "str.w"}[operation]
            address = f"[{NAMES[base]}], #4" if write_back else f"[{NAMES[base]}]"
            self.emit(f"{single} {names[0]}, {address}", 4, 2)
        else:
            self.emit(f"{operation}ia.w {NAMES[base]}{mark}, {{{', '.join(names)}}}", 4, 1 + len(names))

    def store_byte(self, register: int, base: int, offset: int) -> None:
        """STRB, 0 <= offset <= 4095."""
        narrow = register < LOW and base < LOW and offset <= 31
        self.emit(f"strb {NAMES[register]}, [{NAMES[base]}, #{offset}]", 2 if narrow else 4)

    def clamp(self, register: int, minimum: int, maximum: int) -> None:
        """Limit a value within [-128, 127] further; nothing where the limits are those."""
        name = NAMES[register]
        for limit, condition, needed in ((minimum, "lt", minimum > -128), (maximum, "gt", maximum < 127)):
            if needed:
                self.emit(f"cmp.w {name}, #{limit}", 4)
                self.emit(f"it {condition}", 2)
                self.emit(f"mov{condition}.w {name}, #{limit}", 4)
