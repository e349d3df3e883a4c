"""Semihosting calls (BKPT 0xAB) that the emulator's firmware makes: console output and the end of the program."""

from __future__ import annotations

from collections.abc import Callable

SYS_WRITEC, SYS_WRITE0, SYS_EXIT, SYS_EXIT_EXTENDED = 0x03, 0x04, 0x18, 0x20
ADP_STOPPED_APPLICATION_EXIT = 0x20026


class Semihosting:
    """The calls of one run ("Semihosting for AArch32 and AArch64", Arm)."""

    def __init__(self, load: Callable[[int, int], bytes], console: bytearray) -> None:
        """load(address, size) reads the target's memory; `console` takes the output."""
        self._load, self._console = load, console
        self.exit_status: int | None = None

    def call(self, operation: int, argument: int) -> bool:
        """Whether the call is served. `exit_status` is set by the exits."""
        if operation == SYS_WRITEC:
            self._console += self._load(argument, 1)
        elif operation == SYS_WRITE0:
            while (byte := self._load(argument, 1)) != b"\0":
                self._console += byte
                argument += 1
        elif operation == SYS_EXIT:
            self.exit_status = 0 if argument == ADP_STOPPED_APPLICATION_EXIT else 1
        elif operation == SYS_EXIT_EXTENDED:
            reason, status = (int.from_bytes(self._load(argument + 4 * i, 4), "little") for i in range(2))
            self.exit_status = status if reason == ADP_STOPPED_APPLICATION_EXIT else 1
        else:
            return False
        return True
