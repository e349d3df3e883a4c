"""Finds and runs the programs that are not Python: compiler and emulator."""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.errors import ToolError

COMPILER = "arm-none-eabi-gcc"

PACKAGES = {
    COMPILER: "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}
"""Program -> Debian packages that provide it and what it needs."""


@dataclass(frozen=True)
class Outcome:
    """What a program said. `output` is standard output with standard error in it, in the order of writing; standard
    error alone where the other one went to a file.
    """

    status: int
    output: str


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


def run(
    command: Sequence[str], cwd: Path | None = None, timeout: float | None = None, printed: Path | None = None
) -> Outcome:
    """Run a command without a shell and without input. printed: the file that takes its standard output.

    Raises ToolError if the program cannot be started, and subprocess.TimeoutExpired, whose `output` holds what was
    written until then.
    """
    with contextlib.ExitStack() as files:
        out = files.enter_context(printed.open("wb")) if printed else subprocess.PIPE
        try:
            done = subprocess.run(
                list(command),
                cwd=cwd,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE if printed else subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise ToolError(f"{command[0]} cannot be started", why=str(error)) from error
    return Outcome(done.returncode, (done.stderr if printed else done.stdout).decode(errors="replace"))


@functools.cache
def compiler_version(compiler: Path) -> str:
    """The version of a gcc ("12.2.1")."""
    outcome = run([str(compiler), "-dumpfullversion"], timeout=60)
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
