"""The one maker of firmware: a program, a board, a library and test vectors in, an ELF with named steps out.

The project is the one that users get (`project.tree.collect`): same start-up, clock, flags and linker script.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult, build
from approx_plugin.cubeide.settings import FAST_OPTIMIZATION
from approx_plugin.kernels.program import Program
from approx_plugin.library.provider import CmsisNn
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import TestVectors

CONFIGURATION = "Release"


@dataclass(frozen=True, eq=False)
class Firmware:
    """elf: the program; functions: index of a step's last operator -> the name of the step's function in the ELF."""

    elf: Path
    board: Board
    program: Program
    provider: CmsisNn
    vectors: TestVectors
    built: BuildResult
    functions: Mapping[int, str]


@dataclass(frozen=True)
class Place:
    """Where a firmware is made.

    tree:    the project's folder.
    objects: of what did not change they are taken again, whoever made them.
    elf:     a copy of its own; None: the next firmware with these objects takes its place.
    """

    tree: Path
    objects: Path
    elf: Path | None = None


def make(
    program: Program,
    board: Board,
    provider: CmsisNn,
    vectors: TestVectors,
    place: Place,
    *,
    project: str,
    workers: int | None,
    fast: str = FAST_OPTIMIZATION,
) -> Firmware:
    """Write the project and build it.

    project: its name. workers: compilers at a time, None for one a processor. fast: optimization of kernels and
    library, see `Settings`.
    Raises CapacityError where the board cannot hold it, ToolError if a program is missing or fails.
    """
    write(collect(program, board, provider, vectors, project, extra={}, fast=fast), place.tree, force=True)
    built = build(place.tree, CONFIGURATION, place.objects, workers)
    elf = built.elf
    if place.elf is not None:
        elf = place.elf
        shutil.copyfile(built.elf, elf)
    return Firmware(elf, board, program, provider, vectors, built, step_functions(program, built.size.symbols))


def step_functions(program: Program, symbols: Mapping[str, int]) -> dict[int, str]:
    """The functions of all steps, by the layer with which they end.

    gcc adds a suffix where it has fitted one to its only caller ("approx_layer_03.constprop.0"); a function that is not
    there keeps its plain name, and the simulation says so.
    """
    present = {symbol.split(".")[0]: symbol for symbol in symbols if "." in symbol} | {s: s for s in symbols}
    return {step.last.index: present.get(step.symbol, step.symbol) for step in program.steps}
