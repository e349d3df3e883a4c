"""The peripherals of a virtual board: plain memory, status bits that read as ready, a console, a cycle counter."""

from __future__ import annotations

from collections.abc import Callable

from approx_plugin.boards.board import Board
from approx_plugin.errors import BoardError

RANGES = ((0x40000000, 0x20000000), (0xE0000000, 0x00100000))
"""Peripherals and the private peripheral bus (Armv7-M, Armv8-M): origin and length."""


class Registers:
    """The registers of one run. Word-wise memory behind byte-wise access.

    console: what was written to the board's transmit data register.
    """

    def __init__(self, board: Board, cycles: Callable[[], int]) -> None:
        """cycles: the cycle that the core is in. Raises BoardError for a Board without console or cycle counter."""
        if board.console is None or board.cycle_counter is None:
            raise BoardError(f"{board.name} has no console or no cycle counter", where=board.folder)
        self._console, self._counter = board.console.write_address, board.cycle_counter
        self._cycles = cycles
        self._words: dict[int, int] = {}
        self._ready = {flag.address: flag for flag in board.ready_flags}
        self._counter_offset = 0
        self.console = bytearray()

    def read(self, address: int, size: int) -> int:
        """`size` bytes at `address`."""
        base = address & ~3
        if base == self._counter:
            word = (self._cycles() + self._counter_offset) & 0xFFFFFFFF
        else:
            word = self._words.get(base, 0)
            flag = self._ready.get(base)
            if flag:
                word = word & ~flag.mask | flag.value & flag.mask
        return word >> 8 * (address & 3) & (1 << 8 * size) - 1

    def write(self, address: int, size: int, value: int) -> None:
        """Store `size` bytes of `value` at `address`."""
        if address == self._console:
            self.console.append(value & 0xFF)
            return
        base, shift = address & ~3, 8 * (address & 3)
        mask = (1 << 8 * size) - 1 << shift
        if base == self._counter:
            self._counter_offset = value - self._cycles()
        else:
            self._words[base] = self._words.get(base, 0) & ~mask | value << shift & mask
