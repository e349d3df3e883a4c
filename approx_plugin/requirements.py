"""What a verb needs beside Python packages that are always there: told before any work begins, all at once."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from approx_plugin.boards.board import Board
from approx_plugin.build.emulator import QEMU
from approx_plugin.build.flashing import find_programmer
from approx_plugin.build.headless import find_cubeide
from approx_plugin.build.toolchain import COMPILER, find_program
from approx_plugin.errors import ApproxError, BoardError, ToolError, raise_all

PROGRAMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "run": (COMPILER, QEMU),
        "verify": (COMPILER, QEMU),
        "size": (COMPILER,),
        "check": (COMPILER,),
        "prove": (COMPILER,),
        "bench": (COMPILER,),
        "program": (COMPILER,),
    }
)
"""Verb -> programs."""

MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType({"prove": ("capstone",), "bench": ("unicorn", "capstone")})
"""Verb -> Python packages of the extra virtual-board."""


def require(verb: str, board: Board, probe: str | None = None) -> None:
    """Raise ToolError, or BoardError, or an ErrorGroup, for what the verb will need and will not find."""
    raise_all(_missing(verb, board, probe))


def _missing(verb: str, board: Board, probe: str | None) -> Iterator[ApproxError]:
    for name in PROGRAMS.get(verb, ()):
        if shutil.which(name) is None:
            yield _error_of(name)
    for module in MODULES.get(verb, ()):
        if importlib.util.find_spec(module) is None:
            yield ToolError(
                f"the Python package {module} is missing: {verb} cannot do without",
                hint="pip install 'approx-plugin[virtual-board]'",
            )
    if verb in ("run", "verify") and board.emulator is None:
        yield BoardError(f"QEMU has no machine with the core of {board.name}", hint="choose another board")
    if verb == "program":
        try:
            find_programmer(probe)
        except ToolError as error:
            yield error
    if verb == "cubeide" and find_cubeide() is None:
        yield ToolError(
            "STM32CubeIDE was not found",
            why="it is not on the PATH",
            hint="put its directory on the PATH, or set STM32CUBEIDE to its program",
        )


def _error_of(name: str) -> ApproxError:
    try:
        find_program(name)
    except ToolError as error:
        return error
    raise AssertionError(name)
