"""Puts a built program on a board, with whichever tool is installed. No tool is installed by us, and none bundled.

Every tool runs in the folder of the program and gets its name alone: no path has to be quoted for it.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from approx_plugin.boards.board import Board
from approx_plugin.build.toolchain import last_lines
from approx_plugin.errors import Location, ToolError
from approx_plugin.process import run


@dataclass(frozen=True)
class Programmer:
    """program: its name on the PATH; get: where it comes from; arguments: of a board and the stem of the files."""

    program: str
    get: str
    arguments: Callable[[Board, str], Sequence[str]]


def _cube(_: Board, stem: str) -> Sequence[str]:
    return ("-c", "port=SWD", "mode=UR", "-w", f"{stem}.hex", "-v", "-rst")


def _openocd(board: Board, stem: str) -> Sequence[str]:
    scripts = ("-f", "interface/stlink.cfg", "-f", f"target/{board.series.lower()}x.cfg")
    return (*scripts, "-c", f"program {stem}.elf verify reset exit")


def _st_flash(_: Board, stem: str) -> Sequence[str]:
    return ("--connect-under-reset", "--reset", "--format", "ihex", "write", f"{stem}.hex")


def _pyocd(board: Board, stem: str) -> Sequence[str]:
    return ("flash", "--target", board.mcu.lower(), f"{stem}.hex")


PROGRAMMERS: Mapping[str, Programmer] = MappingProxyType(
    {
        "cube": Programmer("STM32_Programmer_CLI", "STM32CubeProgrammer, from st.com", _cube),
        "openocd": Programmer("openocd", "sudo apt-get install openocd", _openocd),
        "stlink": Programmer("st-flash", "sudo apt-get install stlink-tools", _st_flash),
        "pyocd": Programmer("pyocd", "pip install pyocd; then: pyocd pack install <part>", _pyocd),
    }
)
"""By the name that `probe` has for it, in the order in which they are looked for."""


def find_programmer(wanted: str | None = None) -> Programmer:
    """The one that is asked for, or the first one that is installed. Raises ToolError where there is none."""
    if wanted is not None and wanted not in PROGRAMMERS:
        raise ToolError(
            f"there is no programmer '{wanted}'", where=Location("probe="), hint=f"one of {', '.join(PROGRAMMERS)}"
        )
    chosen = [PROGRAMMERS[wanted]] if wanted else list(PROGRAMMERS.values())
    for programmer in chosen:
        if shutil.which(programmer.program):
            return programmer
    if wanted:
        raise ToolError(f"{chosen[0].program} was not found", why="it is not on the PATH", hint=chosen[0].get)
    raise ToolError(
        "no tool was found that can program a board",
        why=f"none of {', '.join(one.program for one in chosen)} is on the PATH",
        hint="; or ".join(one.get for one in chosen),
    )


def program(files: Path, stem: str, board: Board, wanted: str | None = None, timeout: float = 300.0) -> str:
    """Program a board with `files`/<stem>.elf or .hex; returns the command line that has done it.

    Raises ToolError if there is no tool, or if it fails.
    """
    programmer = find_programmer(wanted)
    command = [programmer.program, *programmer.arguments(board, stem)]
    shown = shlex.join(command)
    try:
        outcome = run(command, cwd=files, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"{programmer.program} did not end within {timeout:g} s", hint=f"{shown}, in {files}"
        ) from error
    if outcome.status:
        raise ToolError(
            f"{programmer.program} failed (status {outcome.status})",
            why=last_lines(outcome.output),
            hint=f"is the board connected, and no debugger running? The command, in {files}: {shown}",
        )
    return shown
