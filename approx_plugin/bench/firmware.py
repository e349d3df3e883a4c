"""Builds the firmware of one variant: the project that the user gets, with one test vector, by the same steps."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.step_sizes import step_sizes
from approx_plugin.kernels.program import Program
from approx_plugin.library.provider import CmsisNn, resolve
from approx_plugin.pipeline import Designed, Inputs, library_place, lower_design, vectors_of
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import TestVectors


@dataclass(frozen=True, eq=False)
class Firmware:
    """elf: a copy of its own; functions: last layer of a step -> its function's name in the ELF; kept: likewise, MACs
    that are still computed.
    """

    elf: Path
    program: Program
    provider: CmsisNn
    built: BuildResult
    vectors: TestVectors
    functions: Mapping[int, str]
    flash: Mapping[int, int]
    kept: Mapping[int, int]


def make(inputs: Inputs, designed: Designed, place: Path, name: str, workers: int | None) -> Firmware:
    """Lower, write and build one variant below `place`; objects there are shared by all variants of a board.

    name: of the variant.
    Raises CapacityError where the board cannot hold it; otherwise what lowering and building raise.
    """
    vectors = one_vector(inputs, designed)
    program = lower_design(inputs, designed).program
    provider = resolve(program.cmsis_nn_functions, inputs.cmsis_nn, library_place(inputs.request, inputs.spec))
    project = inputs.spec.project.name
    write(collect(program, inputs.board, provider, vectors, project, extra={}), place / name, force=True)
    built = build(place / name, "Release", place / "build", workers)
    elf = place / f"{name}.elf"
    shutil.copyfile(built.elf, elf)
    return Firmware(
        elf,
        program,
        provider,
        built,
        vectors,
        layer_functions(program, built.size.symbols),
        layer_flash(program, built.size.symbols),
        {step.last.index: step.cost.macs for step in program.steps},
    )


def one_vector(inputs: Inputs, designed: Designed) -> TestVectors:
    """A single input and its answers: cycles hardly depend on the data."""
    spec = inputs.spec
    short = replace(spec, verify_images=1, project=replace(spec.project, test_vectors=1))
    return vectors_of(replace(inputs, spec=short), designed.graph).part(0, 1)


def layer_functions(program: Program, symbols: Mapping[str, int]) -> dict[int, str]:
    """The functions of all steps, by the layer with which they end.

    gcc adds a suffix where it has fitted one to its only caller ("approx_layer_03.constprop.0"); a function that is not
    there keeps its plain name, and the simulation says so.
    """
    present = {symbol.split(".")[0]: symbol for symbol in symbols if "." in symbol} | {s: s for s in symbols}
    wanted = {step.last.index: step.symbol for step in program.steps}
    return {index: present.get(name, name) for index, name in wanted.items()}


def layer_flash(program: Program, symbols: Mapping[str, int]) -> dict[int, int]:
    """Last layer of a step -> bytes of code and constants that only this step has."""
    sizes = step_sizes(symbols, [step.symbol for step in program.steps])
    return {step.last.index: sizes[step.symbol] for step in program.steps}
