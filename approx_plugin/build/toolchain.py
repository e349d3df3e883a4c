"""Finds the programs that are not Python, compiler and emulator, and says what they print."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from approx_plugin.errors import ToolError
from approx_plugin.process import run

COMPILER = "arm-none-eabi-gcc"

PACKAGES = {
    COMPILER: "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}
"""Program -> Debian packages that provide it and what it needs."""


VERSION_SECONDS = 60.0


def find_program(name: str) -> Path:
    """The program on the PATH. Raises ToolError that names the Debian package if it is not there."""
    found = shutil.which(name)
    if found is None:
        raise ToolError(
            f"{name} was not found",
            why="it is not in any directory of PATH",
            hint=f"install it: sudo apt-get install {PACKAGES.get(name, name)}",
        )
    return Path(found)


@functools.cache
def compiler_version(compiler: Path) -> str:
    """The version of a gcc ("12.2.1")."""
    try:
        outcome = run([str(compiler), "-dumpfullversion"], timeout=VERSION_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"{compiler} has not said its version after {VERSION_SECONDS} seconds",
            why="-dumpfullversion should answer at once",
            hint="look what stands in the compiler's place on the PATH",
        ) from error
    if outcome.status:
        raise ToolError(f"{compiler} does not say its version", why=first_lines(outcome.output))
    return outcome.output.strip()


def first_lines(text: str, count: int = 8) -> str:
    """The beginning of a program's output, for a message: further lines are indented below the first."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    more = [f"... ({len(lines) - count} more lines)"] if len(lines) > count else []
    return "\n         ".join([*lines[:count], *more]) or "it printed nothing"


def last_lines(text: str, count: int = 8) -> str:
    """The end of a program's output, for a message."""
    return first_lines("\n".join([line for line in text.splitlines() if line.strip()][-count:]), count)
