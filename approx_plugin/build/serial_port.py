"""The board's virtual COM port, read with what Python and the operating system have: no package is needed."""

from __future__ import annotations

import contextlib
import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from approx_plugin.errors import ToolError

END = re.compile(r"^approx: (?:PASS|FAIL) ")
"""The firmware's last line."""

PLACES = ("/dev/serial/by-id/*ST-LINK*", "/dev/serial/by-id/*STLINK*", "/dev/ttyACM*", "/dev/cu.usbmodem*")
"""Where an ST-LINK's port appears, the surest first."""


def find_port(wanted: str | None) -> Path:
    """The port that is asked for, or the only one that looks like a board's. Raises ToolError if there is none."""
    if wanted is not None:
        return Path(wanted)
    for place in PLACES:
        folder, _, pattern = place.rpartition("/")
        found = sorted(Path(folder).glob(pattern)) if Path(folder).is_dir() else []
        if len(found) == 1:
            return found[0]
        if found:
            named = ", ".join(map(str, found))
            raise ToolError("there are several serial ports", why=named, hint=f"name one: port={found[0]}")
    raise ToolError(
        "no serial port of a board was found",
        why="an ST-LINK shows up as /dev/ttyACM0 or /dev/cu.usbmodem...",
        hint="connect the board, or name the port: port=/dev/ttyACM0",
    )


def read_run(
    port: Path,
    baud: int,
    tell: Callable[[str], None],
    seconds: float = 60.0,
    *,
    ready: threading.Event | None = None,
    given_up: threading.Event | None = None,
) -> str:
    """All that a firmware prints until its last line, from its first one on: reset the board when this has begun.

    tell: told each line as it comes. seconds: how long nothing may come. ready: set as soon as no line can be lost.
    given_up: nobody waits for the result any more.

    Raises ToolError if the port cannot be opened, or if the firmware falls silent before its end.
    """
    lines: list[str] = []
    for line in _lines(port, baud, seconds, ready or threading.Event(), given_up or threading.Event()):
        if line.startswith("approx: network "):
            lines.clear()  # what came before belongs to an earlier run
        tell(line)
        lines.append(line)
        if END.match(line):
            return "\n".join([*lines, ""])
    raise ToolError(
        f"nothing has come from {port} for {seconds:g} s",
        why=f"the last line was: {lines[-1]}" if lines else "the board has printed nothing",
        hint="press the board's reset button while this waits; is the project's own main() on it?",
    )


def _lines(port: Path, baud: int, seconds: float, ready: threading.Event, given_up: threading.Event) -> Iterator[str]:
    with _opened(port, baud) as handle:
        ready.set()
        rest = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not given_up.is_set():
            if not select.select([handle], [], [], 0.2)[0]:
                continue
            try:
                got = os.read(handle, 4096)
            except OSError as error:
                raise ToolError(
                    f"{port} has gone", why=error.strerror or str(error), hint="connect it again"
                ) from error
            *whole, rest = (rest + got).split(b"\n")
            for line in whole:
                end = time.monotonic() + seconds
                yield line.decode(errors="replace").rstrip("\r")


@contextlib.contextmanager
def _opened(port: Path, baud: int) -> Iterator[int]:
    """A file descriptor, 8N1, raw."""
    try:
        import termios
    except ModuleNotFoundError:
        raise ToolError(
            "the serial port cannot be read on this system", hint="open it in a terminal program instead"
        ) from None
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise ToolError(f"this system knows no serial speed of {baud} baud")
    try:
        handle = os.open(port, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        hint = "connect the board; on Linux, be a member of the group dialout"
        raise ToolError("the serial port cannot be opened", where=port, why=str(error.strerror), hint=hint) from error
    try:
        if os.isatty(handle):
            mode = termios.tcgetattr(handle)
            mode[0], mode[1], mode[3] = 0, 0, 0
            mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            mode[4] = mode[5] = speed
            termios.tcsetattr(handle, termios.TCSANOW, mode)
        yield handle
    finally:
        os.close(handle)
