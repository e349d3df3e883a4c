"""The firmware of one measurement: our generator with every layer through the library that was measured."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from approx_plugin.boards.loader import load_board
from approx_plugin.dataset import random_inputs
from approx_plugin.errors import Location, ToolError
from approx_plugin.kernels.cmsis_nn.call import CmsisCall
from approx_plugin.kernels.cmsis_nn.kernel import LibraryPlan
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.laboratory.firmware import Firmware, Place
from approx_plugin.laboratory.firmware import make as make_firmware
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.reference.vectors import make_vectors
from approx_plugin.validation.measurements import Stack

NAME = "validation"
PLACE = Location("--library")
SEED = 3

PARTS = ("Include", "Source")
"""Of a library."""

SCRATCH_SLACK = 24 * 1024
"""Bytes more for every layer: early releases of the library ask for more scratch than today's formulas say."""


def with_headers(library: Path, headers: Path | None, folder: Path) -> Path:
    """A library that finds what it includes: releases before 2023 need CMSIS Core's headers beside their own.

    headers: their folder; None if the library needs none. Returns `library` or `folder`, which then holds copies and
    nothing else. Raises ToolError for a library without Include/ and Source/.
    """
    if headers is None:
        return library
    for part in PARTS:
        if not (library / part).is_dir():
            raise ToolError(f"{library} is no CMSIS-NN", where=PLACE, why=f"it has no {part}/")
    shutil.rmtree(folder, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(library / part, folder / part)
    for header in sorted(headers.glob("*.h")):
        if not (folder / "Include" / header.name).exists():
            shutil.copyfile(header, folder / "Include" / header.name)
    return folder


def make(graph: Graph, stack: Stack, board_id: str, library: Path, folder: Path, workers: int) -> Firmware:
    """Build it below `folder`, where objects that did not change are kept.

    Raises ToolError for another version of the library than the stack's; otherwise what building raises.
    """
    board = load_board(board_id)
    platform = Platform.of(board, "assembly")
    plans = [_roomy(plan) for plan in covered_by(graph, KERNELS[BASELINE], platform)]
    program = lower(graph, plans, platform, graph.macs, graph.macs)
    found = resolve(program.cmsis_nn_functions, library, PLACE)
    if found.version != stack.version:
        raise ToolError(
            f"{stack.id} was measured with another version of the library",
            where=library,
            why=f"{found.version}, not {stack.version}",
            hint=f"get {stack.library}",
        )
    vectors = make_vectors(graph, random_inputs(graph.input_shape, 1, SEED))
    place = Place(folder / "tree", folder / "build", folder / f"{graph.name}.elf")
    return make_firmware(program, board, found, vectors, place, project=NAME, workers=workers, fast=stack.optimization)


@dataclass(frozen=True, eq=False)
class _Roomy(LibraryPlan):
    """A call with more scratch, or with some where today's library needs none."""

    @cached_property
    def call(self) -> CmsisCall:
        made = super().call
        asks = made.context_size != "0"
        return replace(made, context_bytes=made.context_bytes + SCRATCH_SLACK) if asks else made


def _roomy(plan: Plan) -> Plan:
    return _Roomy(plan.operator) if isinstance(plan, LibraryPlan) else plan


def parse_libraries(texts: Sequence[str], stacks: Collection[str]) -> Mapping[str, tuple[Path, Path | None]]:
    """`STACK=DIR` or `STACK=DIR,HEADERS` -> stack: (library, headers). Raises ToolError for anything else.

    stacks: the ids that there are.
    """
    found: dict[str, tuple[Path, Path | None]] = {}
    for text in texts:
        stack, equals, rest = text.partition("=")
        library, _, headers = rest.partition(",")
        if not equals or not stack or not library:
            raise ToolError(f"--library '{text}' is not STACK=DIR or STACK=DIR,HEADERS")
        if stack not in stacks or stack in found:
            what = "is given twice" if stack in found else "was not measured"
            raise ToolError(f"'{stack}' {what}", where=PLACE, hint=f"one each of: {', '.join(stacks)}")
        for folder in (library, headers):
            if folder and not Path(folder).is_dir():
                raise ToolError(f"there is no directory {folder}", where=PLACE)
        found[stack] = (Path(library), Path(headers) if headers else None)
    return found
