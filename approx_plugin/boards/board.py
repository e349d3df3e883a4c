"""A board: its microcontroller, its memories, and the emulator that can run its core."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from approx_plugin.boards.memory import Memory
from approx_plugin.boards.timing import BoardTiming


@dataclass(frozen=True)
class Emulator:
    """The QEMU machine that runs the board's core (not the board): its name and where code and data may lie there."""

    machine: str
    code: Memory
    data: Memory


@dataclass(frozen=True)
class Console:
    """The UART that the ST-LINK forwards to the PC.

    peripheral: "USART1"; pins: "PA9/PA10" (TX/RX); baud: 8N1; write_address: of its transmit data register.
    """

    peripheral: str
    pins: str
    baud: int
    write_address: int


@dataclass(frozen=True)
class ReadyFlag:
    """Status bits that board.c waits for: at `address` the bits of `mask` have to read `value`.

    An emulator that puts plain memory in place of the peripherals answers a read with
    (memory & ~mask) | value, and board.c goes its whole way.
    """

    address: int
    mask: int
    value: int
    note: str


@dataclass(frozen=True)
class Board:
    """One folder below `board/`, validated against `schemas/board.schema.json`.

    id:         the folder's name, which approx.yaml uses, e.g. "nucleo-u575zi-q".
    name:       as printed on the board, e.g. "NUCLEO-U575ZI-Q"; with `based_on`, the id in upper case.
    mcu:        as STM32CubeIDE spells it, e.g. "STM32U575ZITxQ".
    series:     "STM32U5".
    define:     the device macro, "STM32U575xx".
    core:       gcc's -mcpu, "cortex-m33".
    fpu:        gcc's -mfpu, "fpv5-sp-d16", "" for none; float_abi: "hard", "soft" without FPU.
    dsp:        whether the core has the DSP extension (SMLAD).
    clock_hz:   the core clock that the generated code sets up.
    memories:   the first of kind "flash" holds code, the first of kind "ram" data and stack.
    emulator:   None where QEMU has no machine with this core.
    folder:     where the board's own files lie (board.yaml, costs.yaml); see also `source_folder`.
    console:    None only for a Board that does not come from a board.yaml, as for `cycle_counter`; a generic board's is
                the core's trace port.
    cycle_counter: address of a 32-bit counter of core clock cycles (DWT_CYCCNT).
    ready_flags: what board.c waits for.
    interrupts: one entry per position of the vector table behind the 16 of the core: the handler's name without
                "_IRQHandler", None for a reserved position.
    timing:     how the memories answer, for the virtual board; None for a board that does not say so.
    based_on:   the id of the board of which this one is another setting (of its option bytes, say); "" for none.
    preparation: what the user has to do to the board once, one paragraph; "" for nothing.
    generic:    a part alone, made of its pack's description: nobody knows what is around it.
    reset_hz:   the core clock after a reset, for a generic board; 0 where nobody knows.
    costs_from: the id of the board whose calibrated costs this one has; "" for its own.
    notes:      what every report on this board has to say, a sentence or two each.
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
    emulator: Emulator | None
    folder: Path
    console: Console | None = None
    cycle_counter: int | None = None
    ready_flags: tuple[ReadyFlag, ...] = ()
    interrupts: tuple[str | None, ...] = ()
    timing: BoardTiming | None = field(default=None, hash=False)
    based_on: str = ""
    preparation: str = ""
    generic: bool = False
    reset_hz: int = 0
    costs_from: str = ""
    notes: tuple[str, ...] = ()

    @property
    def printed_name(self) -> str:
        """The name that is printed on the board, which firmware and IDE use: "NUCLEO-L4R5ZI" in all its settings.

        For a part alone: what the IDE calls a board that it does not know.
        """
        return "genericBoard" if self.generic else self.based_on.upper() or self.name

    @property
    def source_folder(self) -> Path:
        """Where board.c lies: a board that is based on another has that one's."""
        return self.folder.parent / self.based_on if self.based_on else self.folder

    @property
    def flash(self) -> Memory:
        """The memory that holds the program."""
        return next(m for m in self.memories if m.kind == "flash")

    @property
    def dtcm(self) -> Memory | None:
        """The core's own data memory, None where it has none or where it is a part of `ram`."""
        return next((m for m in self.memories if m.kind == "dtcm"), None)

    @property
    def ram(self) -> Memory:
        """The memory that holds data, arena and stack."""
        return next(m for m in self.memories if m.kind == "ram")
