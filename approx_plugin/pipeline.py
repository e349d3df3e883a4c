"""The whole way: approx.yaml and a .tflite in, a verified STM32CubeIDE project and its report out.

read      Spec, Board, Graph, Datasets: everything that the user gave, checked before any work begins
design    the approximated network, by search on one set and confirmation on another
lower     a kernel for every layer, the memory plan, the sources
generate  all of it, built where a compiler is found, reported, and written to the output directory
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from approx_plugin import digest
from approx_plugin.approximation.candidate import apply
from approx_plugin.approximation.grouping import Grouping, single
from approx_plugin.approximation.options import by_significance
from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.dataset import Datasets, load_datasets, random_inputs
from approx_plugin.errors import ApproxError, ProjectError, ToolError, attempt, raise_all
from approx_plugin.exploration.choice import Choice, notes
from approx_plugin.exploration.comparison import Comparison, compare
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.offers import Market, Offers, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.exploration.search import Exploration, explore
from approx_plugin.exploration.workers import executor
from approx_plugin.kernels.capacity import budgets, shortages
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import Bytes
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import WriteResult, write
from approx_plugin.project.writer import check as check_output
from approx_plugin.reference.vectors import TestVectors, make_vectors
from approx_plugin.report.compose import Subject, compose
from approx_plugin.report.data import Report, as_json
from approx_plugin.report.text import render
from approx_plugin.request import Request
from approx_plugin.selection import selected_layers
from approx_plugin.spec.order import Order, board_place, library_place
from approx_plugin.spec.spec import Spec
from approx_plugin.tflite.reader import read_graph
from approx_plugin.workplace import Workplace

AUTO = "auto"
"""In the place of a kernel's name: whichever is best."""

Say = Callable[[str], None]
"""Told one line for each step."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that the user gave, and what kernels cost on the board (None: as on an ideal one with its core).

    data: None where the spec names none. layers: that may be approximated.
    """

    request: Request
    spec: Spec
    board: Board
    costs: CostModel | None
    graph: Graph
    data: Datasets | None
    layers: tuple[int, ...]
    directory: Path
    cmsis_nn: Path | None

    @property
    def platform(self) -> Platform:
        """What code is generated for."""
        board = self.board
        return Platform(board.core, board.dsp, self.spec.kernels.backend, self.costs)

    @property
    def market(self) -> Market:
        """Which kernels may offer."""
        preference = self.spec.kernels.convolution
        return Market(self.platform, estimated(self.platform), None if preference == AUTO else preference)

    @property
    def vector_bytes(self) -> int:
        """What the project's test vectors take: inputs, outputs, a checksum for each layer."""
        graph = self.graph
        single = graph.input_tensor.elements + graph.output_tensor.elements + 4 * len(graph.operators)
        return self.spec.project.test_vectors * single

    @property
    def budgets(self) -> Bytes:
        """What the board has for the steps and the arena."""
        borders = self.graph.input_tensor.elements + self.graph.output_tensor.elements
        return budgets(self.board, self.vector_bytes, borders)


@dataclass(frozen=True, eq=False)
class Designed:
    """candidates: the approximated operators of the network to be lowered.

    exploration: None where nothing was to be approximated; accuracy: on the confirmation images, None without data.
    """

    graph: Graph
    candidates: Candidates
    exploration: Exploration | None
    accuracy: Comparison | None

    @property
    def macs_kept(self) -> int:
        """Multiply-accumulates of one inference that approximation has not skipped."""
        return self.exploration.chosen.point.macs_kept if self.exploration else self.graph.macs


@dataclass(frozen=True, eq=False)
class Lowered:
    """program: what is generated; choice: how it was put together; notes: operator index -> what to tell about it."""

    program: Program
    choice: Choice
    notes: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Generated:
    """directory: the project; written: what changed there; built: None where no compiler was found."""

    directory: Path
    written: WriteResult
    built: BuildResult | None
    report: Report


def read(order: Order) -> Inputs:
    """Load and check everything. Raises an ApproxError, or an ErrorGroup of all that is wrong."""
    request, spec = order.request, order.spec
    errors: list[ApproxError] = []
    board = attempt(errors, lambda: order.board)
    costs = attempt(errors, partial(board_costs, board)) if board else None
    graph = attempt(errors, partial(read_graph, spec.model))
    if order.cmsis_nn:
        attempt(errors, partial(resolve, (), order.cmsis_nn, library_place(request, spec)))
    attempt(errors, partial(_check_place, order.directory, request.force))
    layers, data = None, None
    if graph is not None:
        layers = attempt(errors, partial(selected_layers, spec, graph))
        if spec.data:
            classes = graph.output_tensor.elements
            data = attempt(errors, partial(load_datasets, spec, graph.input_tensor, classes))
    raise_all(errors)
    assert board is not None and graph is not None and layers is not None
    return Inputs(
        request=request,
        spec=spec,
        board=board,
        costs=costs,
        graph=graph,
        data=data,
        layers=layers,
        directory=order.directory,
        cmsis_nn=order.cmsis_nn,
    )


def _check_place(directory: Path, force: bool) -> None:
    """Raise ProjectError if nothing can be generated into `directory`, so that nobody waits for a search first."""
    nearest = next(folder for folder in (directory, *directory.parents) if folder.exists())
    if not nearest.is_dir():
        raise ProjectError(
            "the output cannot be a directory",
            where=directory,
            why=f"{nearest} is a file",
            hint="choose another directory",
        )
    check_output(directory, force)


def design(inputs: Inputs, memo: Path, workers: int, progress: Progress = silent) -> Designed:
    """The network that meets the target at the least cost, as far as the search finds it."""
    spec, graph = inputs.spec, inputs.graph
    if spec.method.name == "none":
        accuracy = None
        if inputs.data:
            with executor(workers) as pool:
                (correct,) = Evaluator(graph, inputs.data.confirmation, pool, Memo(memo))([()])
            accuracy = compare(correct, correct)
        return replace(exact_design(inputs), accuracy=accuracy)
    assert inputs.data is not None and spec.target is not None
    plans = ChosenPlans(graph, inputs.market, inputs.budgets)
    groupings = _groupings(inputs, plans.offers)
    options = by_significance(graph, groupings, inputs.data.calibration.inputs, criterion=spec.method.criterion)
    with executor(workers) as pool:
        found = explore(
            options,
            plans,
            Evaluator(graph, inputs.data.exploration, pool, Memo(memo)),
            Evaluator(graph, inputs.data.confirmation, pool, Memo(memo)),
            spec.target,
            spec.search,
            progress,
        )
    chosen = found.chosen.candidates
    return Designed(apply(graph, chosen), chosen, found, found.confirmation)


def exact_design(inputs: Inputs) -> Designed:
    """The network as it is."""
    return Designed(inputs.graph, (), None, None)


def _groupings(inputs: Inputs, offers: Offers) -> dict[int, Grouping]:
    """What may be left out together, for each operator that may be approximated and has a kernel that can."""
    found: dict[int, Grouping] = {}
    for index in inputs.layers:
        able = [o for o in offers.considered.get(index, {}).values() if o.plan.grouping is not None]
        if able:
            best = min(able, key=lambda offer: offer.cost.cycles).plan.grouping
            assert best is not None
            by_weight = inputs.spec.method.granularity == "weight"
            found[index] = single(best.basis, inputs.graph.operators[index]) if by_weight else best
    return found


def lower_design(inputs: Inputs, designed: Designed) -> Lowered:
    """The program on the board. Raises CapacityError if it does not fit."""
    plans = ChosenPlans(inputs.graph, inputs.market, inputs.budgets)
    choice = plans.choice(designed.candidates)
    program = lower(
        designed.graph,
        [offer.plan for offer in choice.steps],
        inputs.platform,
        inputs.graph.macs,
        designed.macs_kept,
    )
    place = board_place(inputs.request, inputs.spec)
    raise_all(shortages(program, inputs.board, inputs.vector_bytes, place))
    return Lowered(program, choice, notes(plans.offers, choice))


def vectors_of(inputs: Inputs, graph: Graph) -> TestVectors:
    """Inputs for the firmware and what it has to answer: confirmation images, or seeded random inputs without data.

    There may be fewer than the spec asks for: no more than the confirmation set holds.
    """
    count = max(inputs.spec.verify_images, inputs.spec.project.test_vectors)
    chosen: Int8Array
    if inputs.data:
        chosen = inputs.data.confirmation.inputs[:count]
    else:
        chosen = random_inputs(graph.input_tensor, count, inputs.spec.search.seed)
    return make_vectors(graph, chosen)


def generate(order: Order, say: Say, progress: Progress = silent) -> Generated:
    """Make the project and its report. A rerun with the same inputs writes nothing."""
    inputs = read(order)
    request, spec, graph = order.request, order.spec, inputs.graph
    stamp = digest.of_inputs(request, spec)
    place = Workplace.of(spec.file, spec.project.name, inputs.directory)
    place.prepare()
    say(f"{graph.name}: {len(graph.operators)} layers, {graph.macs:,} MACs; {inputs.board.name}")
    designed = design(inputs, place.evaluations, request.workers or spec.search.workers, progress)
    if designed.exploration:
        say(designed.exploration.message)
    # The vectors take long for large inputs: whether the network fits comes first.
    lowered = lower_design(inputs, designed)
    program = lowered.program
    vectors = vectors_of(inputs, designed.graph)
    if len(vectors) < max(spec.verify_images, spec.project.test_vectors):
        say(f"only {len(vectors)} test vectors: the confirmation set holds no more")
    stored = vectors.part(0, min(spec.project.test_vectors, len(vectors)))
    provider = resolve(program.cmsis_nn_functions, inputs.cmsis_nn, library_place(request, spec))
    say(f"arena {program.memory.size:,} B; CMSIS-NN: {provider.provider} {provider.version}")

    def files(extra: Mapping[str, str]) -> Mapping[str, bytes]:
        return collect(program, inputs.board, provider, stored, spec.project.name, extra=extra)

    built = _build(files({}), place, request.workers, say)
    report = compose(
        Subject(spec, inputs.board, graph, inputs.platform.model.origin),
        program,
        lowered.notes,
        provider,
        built,
        designed.exploration,
        designed.accuracy,
        designed.macs_kept,
    )
    texts = {
        "report.txt": render(report),
        "report.json": json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n",
    }
    written = write(files(texts), inputs.directory, request.force)
    _save_vectors(place, vectors)
    digest.save_stamp(place.stamp, stamp, inputs.directory)
    return Generated(inputs.directory, written, built, report)


def _build(files: Mapping[str, bytes], place: Workplace, workers: int | None, say: Say) -> BuildResult | None:
    """Build the Release configuration, outside of the output directory: nothing is written there before it links."""
    if shutil.which(COMPILER) is None:
        say(f"{COMPILER} was not found: the project is written, but neither built nor measured")
        return None
    write(files, place.tree, force=True)
    built = build(place.tree, "Release", place.build, workers)
    say(f"Release: {built.size.flash_bytes:,} B flash, {built.size.ram_bytes:,} B RAM ({built.compiler})")
    return built


def _save_vectors(place: Workplace, vectors: TestVectors) -> None:
    temporary = place.vectors.with_suffix(".tmp.npz")
    np.savez(temporary, inputs=vectors.inputs, outputs=vectors.outputs, checksums=vectors.checksums)
    temporary.replace(place.vectors)


def load_vectors(place: Workplace) -> TestVectors:
    """What `generate` has saved. Raises ToolError if it is not there."""
    try:
        with np.load(place.vectors, allow_pickle=False) as stored:
            return TestVectors(stored["inputs"], stored["outputs"], stored["checksums"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ToolError(
            "the test vectors of the last generation are gone", hint="generate the project again"
        ) from error
