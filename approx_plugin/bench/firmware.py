"""The firmware of one variant: the project that the user gets, with one test vector, by the same steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from approx_plugin.build.step_sizes import step_sizes
from approx_plugin.kernels.names import UNNAMED
from approx_plugin.kernels.program import Program
from approx_plugin.laboratory import firmware
from approx_plugin.laboratory.firmware import Firmware, Place
from approx_plugin.library.provider import resolve
from approx_plugin.pipeline.designed import Designed
from approx_plugin.pipeline.inputs import Inputs
from approx_plugin.pipeline.linked import vectors_of
from approx_plugin.pipeline.lowered import lower_design
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.spec.order import library_place


def make(inputs: Inputs, designed: Designed, place: Path, name: str, workers: int | None) -> Firmware:
    """Lower, write and build one variant below `place`; objects there are shared by all variants of a board.

    name: of the variant. The network's own C name is left out: nothing is called by it, and no cycle depends on it.
    Raises CapacityError where the board cannot hold it; otherwise what lowering and building raise.
    """
    plain = replace(inputs, spec=replace(inputs.spec, name=UNNAMED.network, api=()))
    program = lower_design(plain, designed).program
    vectors = one_vector(inputs, designed)
    provider = resolve(program.cmsis_nn_functions, inputs.cmsis_nn, library_place(inputs.request, inputs.spec))
    where = Place(place / name, place / "build", place / f"{name}.elf")
    project = inputs.spec.project.name
    return firmware.make(program, inputs.board, provider, vectors, where, project=project, workers=workers)


def one_vector(inputs: Inputs, designed: Designed) -> TestVectors:
    """A single input and its answers: cycles hardly depend on the data."""
    spec = inputs.spec
    short = replace(spec, verify_images=1, project=replace(spec.project, test_vectors=1))
    return vectors_of(replace(inputs, spec=short), designed.graph).part(0, 1)


def layer_flash(program: Program, symbols: Mapping[str, int]) -> dict[int, int]:
    """Last layer of a step -> bytes of code and constants that only this step has."""
    sizes = step_sizes(symbols, [step.symbol for step in program.steps])
    return {step.last.index: sizes[step.symbol] for step in program.steps}
