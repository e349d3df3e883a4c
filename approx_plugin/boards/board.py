"""A board: its microcontroller, its memories, and the emulator that can run its core."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional


@dataclass(frozen=True)
class Memory:
    """A memory region of the microcontroller.

    name: as in the linker script ("FLASH", "RAM"); kind: "flash" or "ram"; origin: address; length: bytes.
    """

    name: str
    kind: str
    origin: int
    length: int


@dataclass(frozen=True)
class Emulator:
    """The QEMU machine that runs the board's core (not the board): its name and where code and data may lie there."""

    machine: str
    code: Memory
    data: Memory


@dataclass(frozen=True)
class Board:
    """One folder below `board/`, validated against `schemas/board.schema.json`.

    id:         the folder's name, which approx.yaml uses, e.g. "nucleo-u575zi-q".
    name:       as printed on the board, e.g. "NUCLEO-U575ZI-Q".
    mcu:        as STM32CubeIDE spells it, e.g. "STM32U575ZITxQ".
    series:     "STM32U5".
    define:     the device macro, "STM32U575xx".
    core:       gcc's -mcpu, "cortex-m33".
    fpu:        gcc's -mfpu, "fpv5-sp-d16"; float_abi: "hard".
    dsp:        whether the core has the DSP extension (SMLAD).
    clock_hz:   the core clock that the generated code sets up.
    memories:   the first of kind "flash" holds code, the first of kind "ram" data and stack.
    emulator:   None where QEMU has no machine with this core.
    folder:     where the board's own files lie (C sources, linker extras).
    """

    id: str
    name: str
    mcu: str
    series: str
    define: str
    core: str
    fpu: str
    float_abi: str
    dsp: bool
    clock_hz: int
    memories: tuple[Memory, ...]
    emulator: Optional[Emulator]
    folder: Path

    @property
    def flash(self) -> Memory:
        """The memory that holds the program."""
        return next(m for m in self.memories if m.kind == "flash")

    @property
    def ram(self) -> Memory:
        """The memory that holds data, arena and stack."""
        return next(m for m in self.memories if m.kind == "ram")
