"""Looks over a firmware's shoulder: stops it where a function begins and where it returns, without costing a cycle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

RUNS_ON, ENDS_HERE = 0, -1
"""`slot.watch` of native/trace.h for an instruction that means nothing, and for one that stops the emulator."""


class Core(Protocol):
    """The core while it stands still."""

    def register(self, name: str) -> int:
        """A register's 32 bits, unsigned: "r0" to "r12", "sp", "lr", "pc", "s0" to "s31"."""
        ...

    def set_register(self, name: str, value: int) -> None:
        """Give it other bits."""
        ...

    def load(self, address: int, size: int) -> bytes:
        """Memory. Raises ToolError where there is none."""
        ...

    def store(self, address: int, content: bytes) -> None:
        """Change memory. Raises ToolError where there is none."""
        ...


class Spy(ABC):
    """Is told about the calls of one function. What it does to the core takes no simulated time."""

    @abstractmethod
    def enter(self, core: Core) -> None:
        """Before the function's first instruction."""

    @abstractmethod
    def leave(self, core: Core) -> None:
        """Before the first instruction after the call."""


class Visits:
    """The places where the emulator has to stop for the spies. Calls of a function from within itself are not told."""

    def __init__(self, library: Any, trace: Any, spies: Mapping[int, Spy], marks: Mapping[int, int]) -> None:
        """spies: by the address of their function; marks: `slot.watch` that such an address had before."""
        self._library, self._trace, self._spies, self._marks = library, trace, spies, marks
        self._returns: dict[int, list[int]] = {}
        for address in spies:
            library.trace_mark(trace, address, ENDS_HERE)

    def visit(self, address: int, core: Core) -> bool:
        """Serve the spies of the place where the emulator has stopped; False if it is no such place."""
        begun = self._returns.pop(address, [])
        for function in reversed(begun):
            self._spies[function].leave(core)
            self._library.trace_mark(self._trace, function, ENDS_HERE)
        spy = self._spies.get(address)
        if begun:
            self._library.trace_mark(self._trace, address, RUNS_ON if spy is None else ENDS_HERE)
        elif spy is not None:
            back = core.register("lr") & ~1
            spy.enter(core)
            self._library.trace_mark(self._trace, address, self._marks.get(address, RUNS_ON))
            self._returns.setdefault(back, []).append(address)
            self._library.trace_mark(self._trace, back, ENDS_HERE)
        return bool(begun) or spy is not None
