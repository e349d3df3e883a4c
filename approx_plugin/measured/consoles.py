"""Where a console's text comes from: a file, standard input, or a serial port."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from approx_plugin.errors import ProjectError, ToolError
from approx_plugin.files import read_bytes

STANDARD_INPUT = "-"
LAST_LINE = re.compile(rb"^approx: (?:PASS|FAIL) \d+/\d+\r?$", re.MULTILINE)
"""With it, firmware has said all that it has to say."""

SILENCE = 120.0
"""Seconds without a character after which nothing more is expected: longer than any inference takes."""

LARGEST = 4 * 1024 * 1024
"""Bytes of a console's text; a file of more is something else."""


def from_file(path: Path) -> str:
    """The text of a recorded console; `-` is standard input. Raises ProjectError if it cannot be read, or is none."""
    try:
        content = sys.stdin.buffer.read(LARGEST) if str(path) == STANDARD_INPUT else read_bytes(path, LARGEST)
    except OSError as error:
        raise ProjectError(f"the console cannot be read: {error.strerror or error}", where=path) from error
    return text_of(content)


def from_port(port: str, baud: int, say: Callable[[str], None], silence: float = SILENCE) -> str:
    """What a board sends on a serial port (8N1) until its last line; told to `say` line by line.

    silence: seconds without a character that end the waiting. Raises ToolError without pyserial, for a port that cannot
    be opened or that is taken away, and if the last line does not come.
    """
    serial = _pyserial()
    received = bytearray()
    told = 0
    try:
        with serial.Serial(port, baud, timeout=silence) as line:
            say(f"{port}, {baud} baud: waiting for the firmware (reset the board)")
            while not LAST_LINE.search(received):
                content = line.readline()
                if not content:
                    raise ToolError(
                        f"the board said nothing for {silence:.0f} s",
                        where=port,
                        why=_last(received),
                        hint="reset the board while this waits; is it the right port, is the firmware on the board?",
                    )
                # Whatever came before a reset is another run's.
                if content.startswith((b'approx: network "', b"approx: self-test ")):
                    received.clear()
                    told = 0
                received += content
                if received.endswith(b"\n"):
                    say(text_of(bytes(received[told:])).rstrip())
                    told = len(received)
    except (OSError, ValueError) as error:
        # pyserial's own errors are OSErrors.
        raise ToolError(
            f"the serial port cannot be used: {error}",
            where=port,
            hint="on Linux the ST-LINK is /dev/ttyACM0, and your user has to be in the group dialout; on Windows COM3",
        ) from error
    return text_of(bytes(received))


def text_of(content: bytes) -> str:
    """Text with the line feeds of this house; bytes that are none stay visible."""
    return content.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")


def _last(received: bytes | bytearray) -> str:
    lines = text_of(bytes(received)).strip().splitlines()
    return f"its last line: {lines[-1]}" if lines else "not one character came"


def _pyserial() -> Any:
    try:
        return importlib.import_module("serial")
    except ImportError as error:
        raise ToolError(
            "a serial port needs the Python package pyserial",
            why=str(error),
            hint="pip install 'approx-plugin[serial]', or record the console with a terminal and give the file: "
            "console=FILE",
        ) from error
