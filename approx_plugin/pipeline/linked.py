"""The program with its test vectors, built until it fits."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace

from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.overflow import OverflowedError
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.dataset import random_inputs
from approx_plugin.documents.wording import counted
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.library.provider import CmsisNn, resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.pipeline.designed import Designed
from approx_plugin.pipeline.inputs import Inputs
from approx_plugin.pipeline.lowered import Lowered, lower_design
from approx_plugin.pipeline.saying import Say
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import TestVectors, make_vectors
from approx_plugin.spec.order import library_place
from approx_plugin.vectors import fitting, give_way
from approx_plugin.workplace import Workplace

_LINKS = 4
"""How often a program is linked at most, until it fits."""


def vectors_of(inputs: Inputs, graph: Graph) -> TestVectors:
    """Inputs for the firmware and what it has to answer: confirmation images, or seeded random inputs without data.

    There may be fewer than the spec asks for: no more than the confirmation set holds.
    """
    count = max(inputs.spec.verify_images, inputs.spec.project.test_vectors)
    chosen: Int8Array
    if inputs.data:
        chosen = inputs.data.confirmation.inputs[:count]
    else:
        chosen = random_inputs(graph.input_shape, count, inputs.spec.search.seed)
    return make_vectors(graph, chosen)


@dataclass(frozen=True, eq=False)
class Linked:
    """What was built; inputs: with what the linker has found to be short taken off; stored: the firmware's vectors."""

    inputs: Inputs
    lowered: Lowered
    stored: TestVectors
    provider: CmsisNn
    built: BuildResult | None

    def files(self, extra: Mapping[str, str]) -> Mapping[str, bytes]:
        """The project's."""
        inputs = self.inputs
        name = inputs.spec.project.name
        return collect(self.lowered.program, inputs.board, self.provider, self.stored, name, extra=extra)


def linked(inputs: Inputs, designed: Designed, vectors: TestVectors, place: Workplace, say: Say) -> Linked:
    """The program, built. Where it overflows a memory, vectors give way to it, and then kernels are chosen again."""
    request, spec, board = inputs.request, inputs.spec, inputs.board
    wanted, kept = min(spec.project.test_vectors, len(vectors)), None
    for number in range(1, _LINKS + 1):
        lowered = lower_design(inputs, designed)
        program = lowered.program
        fits = fitting(program, board, wanted, inputs.overflow.get(FLASH, 0)) if kept is None else kept
        if fits < spec.project.test_vectors <= len(vectors) and kept is None:
            say(f"{counted(fits, 'test vector')} in the firmware: no more fit beside the network")
        provider = resolve(program.cmsis_nn_functions, inputs.cmsis_nn, library_place(request, spec))
        say(f"arena {program.memory.size:,} B; CMSIS-NN: {provider.provider} {provider.version}")
        made = Linked(inputs, lowered, vectors.part(0, fits), provider, None)
        try:
            return replace(made, built=_build(made.files({}), place, request.workers, say))
        except OverflowedError as error:
            if number == _LINKS or not set(error.regions) <= {"FLASH", "RAM"}:
                raise
            say(f"the estimate was too small ({error.what}): choosing again")
            kept, short = give_way(inputs.graph, board, fits, error.regions.get("FLASH", 0))
            found = {FLASH: short, RAM: error.regions.get("RAM", 0)}
            inputs = replace(inputs, overflow={m: inputs.overflow.get(m, 0) + count for m, count in found.items()})
    raise AssertionError("the last attempt returns or raises")


def _build(files: Mapping[str, bytes], place: Workplace, workers: int | None, say: Say) -> BuildResult | None:
    """Build the Release configuration, outside of the output directory: nothing is written there before it links."""
    if shutil.which(COMPILER) is None:
        say(f"{COMPILER} was not found: the project is written, but neither built nor measured")
        return None
    write(files, place.tree, force=True)
    built = build(place.tree, "Release", place.build, workers)
    say(f"Release: {built.size.flash_bytes:,} B flash, {built.size.ram_bytes:,} B RAM ({built.compiler})")
    return built
