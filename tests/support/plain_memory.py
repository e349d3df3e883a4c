"""Runs a board's very ELF in unicorn. Its peripherals are plain memory; only the ready flags of board.yaml answer."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import unicorn
from elf import symbols
from elftools.elf.elffile import ELFFile
from unicorn import arm_const
from unicorn.unicorn_py3.unicorn import Uc

from approx_plugin.boards.board import Board, ReadyFlag

MODELS = {
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}
PERIPHERALS = ((0x40000000, 0x20000000), (0xE0000000, 0x00100000))


class PlainMemoryBoard:
    """One run.

    console: the bytes that went to the UART's data register.
    writes:  (address, value) of every write to a peripheral, in order.
    cycles_per_reading: how far the cycle counter moves whenever it is read.
    """

    def __init__(self, board: Board, elf: Path, flags: Iterable[ReadyFlag], cycles_per_reading: int = 1) -> None:
        self.board, self.step, self.counter = board, cycles_per_reading, 0
        self.console = bytearray()
        self.writes: list[tuple[int, int]] = []
        self.uc = Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(MODELS[board.core])
        for memory in board.memories:
            self.uc.mem_map(memory.origin, -(-memory.length // 4096) * 4096)
        for origin, length in PERIPHERALS:
            self.uc.mem_map(origin, length)
            self.uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._written, begin=origin, end=origin + length - 1)
        for flag in flags:
            self.uc.hook_add(unicorn.UC_HOOK_MEM_READ, self._flag, flag, flag.address, flag.address)
        counter = board.cycle_counter
        assert counter is not None
        self.uc.hook_add(unicorn.UC_HOOK_MEM_READ, self._count, None, counter, counter)
        with elf.open("rb") as file:
            image = ELFFile(file)
            for segment in image.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self.uc.mem_write(segment["p_paddr"], segment.data())
            self.exit_address = symbols(image)["board_exit"]

    def run(self, instructions: int = 200_000_000) -> int:
        """From the vector table to board_exit(); its argument. AssertionError if it is not reached."""
        stack, reset = struct.unpack("<II", self.uc.mem_read(self.board.flash.origin, 8))
        self.uc.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self.uc.emu_start(reset, self.exit_address & ~1, count=instructions)
        assert self.uc.reg_read(arm_const.UC_ARM_REG_PC) == self.exit_address & ~1, "board_exit() was not reached"
        return int(self.uc.reg_read(arm_const.UC_ARM_REG_R0))

    def finish(self, instructions: int = 10_000) -> None:
        """Behind run(): into board_exit(), which does not end."""
        self.uc.emu_start(self.exit_address | 1, 0, count=instructions)

    def word(self, address: int) -> int:
        """What a register holds."""
        return int.from_bytes(self.uc.mem_read(address, 4), "little")

    def lines(self) -> list[str]:
        """The console's lines."""
        assert self.console.count(b"\n") == self.console.count(b"\r\n")
        return self.console.decode("ascii").splitlines()

    # unicorn calls its memory hooks with: engine, kind of access, address, size, value written, the hook's own data.

    def _written(self, *event: Any) -> None:
        _, _, address, _, value, _ = event
        assert self.board.console
        self.writes.append((address, value & 0xFFFFFFFF))
        if address == self.board.console.write_address:
            self.console.append(value & 0xFF)

    def _flag(self, *event: Any) -> None:
        uc, _, address, _, _, flag = event
        uc.mem_write(address, struct.pack("<I", (self.word(address) & ~flag.mask) | flag.value))

    def _count(self, *event: Any) -> None:
        uc, _, address, *_ = event
        self.counter = (self.counter + self.step) & 0xFFFFFFFF
        uc.mem_write(address, struct.pack("<I", self.counter))
