"""Puts a report together from what the stages have made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin import __version__
from approx_plugin.approximation.basis import Float64Array, IntArray
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Groups
from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult
from approx_plugin.build.step_sizes import step_sizes
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.exploration.choice import Choice
from approx_plugin.exploration.comparison import Comparison
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.offers import Offer
from approx_plugin.exploration.result import Exploration
from approx_plugin.kernels.needs import FLASH, RAM, Bytes
from approx_plugin.kernels.program import VIEW, Program, Step
from approx_plugin.library.provider import CmsisNn
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor
from approx_plugin.report.data import (
    Accuracy,
    Approximation,
    Border,
    Considered,
    DataUse,
    LayerRow,
    Macs,
    MemoryUse,
    Report,
    Totals,
)
from approx_plugin.report.detail import Histogram, arena_pieces, histogram, skip_map
from approx_plugin.report.searched import dominated, front, looks, required
from approx_plugin.report.target import costs, limits_of, target_met, target_title
from approx_plugin.spec.spec import Method, Spec

INTERVAL_METHOD = "(paired, adjusted Wald)"

FROM_FILE = "taken from a design file"
"""In the place of a target: nothing was searched, so nothing was held against one."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What is reported on.

    graph: the exact network; cost_model: what the estimated cycles were fitted to; budgets: what the board has for the
    steps and the arena; preferred: the kernel that was asked for, None where the cost decides.
    """

    spec: Spec
    board: Board
    graph: Graph
    cost_model: str
    budgets: Bytes
    preferred: str | None = None


@dataclass(frozen=True)
class Rivals:
    """Cycles of the exact network on the same board, by operator index, estimated by the same model.

    library: with CMSIS-NN, or the quickest kernel where that has none; exact: of the steps of the choice of kernels
    for the exact network, at the operators with which they end.
    """

    library: Mapping[int, float]
    exact: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Made:
    """What was made of it.

    program: what was lowered, of `candidates` and exact operators; considered, notes: by operator index.
    exact: totals of the exact network. exploration: None where nothing was searched; method: in words.
    accuracy: on the confirmation images, None where there are none. built: None where no compiler was found.
    """

    program: Program
    candidates: Candidates
    considered: Mapping[int, Mapping[str, Offer]]
    notes: Mapping[int, str]
    exact: Totals
    method: str
    exploration: Exploration | None
    accuracy: Comparison | None
    provider: CmsisNn
    built: BuildResult | None
    rivals: Rivals
    significances: Mapping[int, Float64Array]
    data: tuple[DataUse, ...]
    remedies: tuple[str, ...] = ()


def compose(subject: Subject, made: Made) -> Report:
    """The report on a generated project."""
    spec, board, graph = subject.spec, subject.board, subject.graph
    program, built, exploration, provider = made.program, made.built, made.exploration, made.provider
    tried = len(exploration.looks) if exploration else None
    limits = tuple(limits_of(spec, board, program))
    return Report(
        network=graph.name,
        model_file=spec.model.name,
        model_sha256=graph.sha256,
        board=board.name,
        mcu=board.mcu,
        core=board.core,
        clock_hz=board.clock_hz,
        method=made.method,
        target=_target(spec, made),
        cmsis_nn_provider=provider.provider,
        cmsis_nn_version=provider.version,
        tool_version=__version__,
        cost_model=subject.cost_model,
        compiler=f"{COMPILER} {built.compiler}" if built else "none found",
        input=_border(graph.input_tensor),
        output=_border(graph.output_tensor),
        accuracy=_accuracy("confirmation", made.accuracy, tried if tried is not None or not made.candidates else 1),
        exploration_accuracy=_accuracy("exploration", exploration.exploration if exploration else None, 0),
        exact=made.exact,
        chosen=Totals(
            math.fsum(step.cost.cycles for step in program.steps),
            program.flash_bytes,
            program.memory.size,
            program.macs,
        ),
        optimize=spec.optimize,
        flash_budget=subject.budgets[FLASH],
        ram_budget=subject.budgets[RAM],
        memory=MemoryUse(
            arena=program.memory.size,
            ram=built.size.ram_bytes if built else None,
            flash=built.size.flash_bytes if built else None,
            ram_capacity=board.ram.length,
            flash_capacity=board.flash.length,
            flash_by_source=_by_size(built.size.flash_by_source) if built else (),
            ram_by_source=_by_size(built.size.ram_by_source) if built else (),
        ),
        layers=tuple(_layers(graph, made)),
        front=front(exploration, graph),
        evaluations=exploration.evaluations if exploration else 0,
        allowed_drop=spec.target.max_accuracy_drop if exploration and spec.target else None,
        confidence=exploration.confidence if exploration else None,
        looks=looks(exploration),
        remarks=(*board.notes, *_remarks(made)),
        required=required(spec, exploration),
        target_met=target_met(exploration, limits),
        limits=limits,
        remedies=made.remedies,
        dominated=dominated(exploration, graph),
        arena=arena_pieces(program.memory),
        data=made.data,
        seed=spec.search.seed,
        is_baseline=provider.is_baseline,
        preferred=subject.preferred,
        more_inputs=tuple(map(_border, graph.inputs[1:])),
        more_outputs=tuple(map(_border, graph.outputs[1:])),
    )


def method_title(method: Method) -> str:
    """The method in words."""
    if method.name == "none":
        return "none (exact)"
    if method.name in ("reconstruction", "compensated"):
        return f"{method.name}, by the kernels' groups"
    return f"{method.name}, {method.criterion}, by {method.granularity}"


def _target(spec: Spec, made: Made) -> str:
    if made.exploration is not None:
        return target_title(spec.target, made.exploration.confidence)
    return "; ".join([FROM_FILE if made.candidates else "exact", *costs(spec.target)])


def totals_of(choice: Choice, shortages: Sequence[str]) -> Totals:
    """Of steps that were chosen. shortages: what of them does not fit."""
    return Totals(
        choice.cycles,
        choice.flash_bytes,
        choice.memory.size,
        sum(offer.cost.macs for offer in choice.steps),
        tuple(shortages),
    )


def _border(tensor: Tensor) -> Border:
    return Border(tensor.name, tensor.shape, tensor.scale, tensor.zero_point, tensor.element)


def _accuracy(name: str, comparison: Comparison | None, looks: int | None) -> Accuracy:
    """looks: None where exact was compared with exact."""
    if comparison is None:
        return Accuracy(None, None, 0, name)
    return Accuracy(
        comparison.exact,
        comparison.approximated,
        comparison.images,
        name,
        comparison.interval if looks is not None else None,
        INTERVAL_METHOD if looks is not None else "",
        looks or 0,
    )


def _layers(graph: Graph, made: Made) -> Iterator[LayerRow]:
    """One row for each operator; the figures of a step stand at the operator with which it ends."""
    candidates = {candidate.layer: candidate for candidate in made.candidates}
    producers = {op.output.index: op.name for op in graph.operators}
    steps, built = made.program.step_of(), made.built
    symbols = [step.symbol for step in made.program.steps]
    flash = step_sizes(built.size.symbols, symbols) if built else None
    for operator in made.program.graph.operators:
        step, candidate = steps.get(operator.index), candidates.get(operator.index)
        ends = step is not None and step.last is operator
        yield LayerRow(
            index=operator.index,
            name=operator.name,
            op=operator.kind,
            kernel=step.kernel if step else VIEW,
            variant=step.plan.variant if step else "",
            shape=operator.output.shape,
            inputs=tuple(producers.get(tensor.index, "input") for tensor in operator.inputs),
            macs=_macs(operator, step, candidate),
            parameter_bytes=graph.operators[operator.index].parameter_bytes,
            flash_bytes=None if flash is None else flash[step.symbol] if step and ends else 0,
            estimated_cycles=step.cost.cycles if step and ends else 0.0,
            approximation=_approximation(graph.operators[operator.index], candidate) if candidate else None,
            considered=_considered(made.considered.get(operator.index, {}), step),
            note=made.notes.get(operator.index, ""),
            step=step.last.index if step else None,
            library_cycles=made.rivals.library.get(operator.index, 0.0),
            exact_cycles=made.rivals.exact.get(operator.index, 0.0),
            significance=_significance(made.significances.get(operator.index), candidate),
        )


def _macs(operator: Operator, step: Step | None, candidate: Candidate | None) -> Macs:
    """Where a layer's products went. What a step over several layers leaves out stands at the largest of them."""
    largest = step and max(step.operators, key=lambda op: op.macs)
    if step is None or largest is not operator:
        return Macs(operator.macs, 0, 0, 0, operator.macs)
    undone = sum(op.macs for op in step.operators) - step.cost.macs
    constant, spared = step.plan.constant_products, step.plan.spared_products
    left_out = undone - constant - spared
    # A kernel may fill what is left up to whole loops with products of 0.
    skipped = min(candidate.skipped_macs, left_out) if candidate and step.skips else 0
    return Macs(operator.macs, skipped, left_out - skipped, constant, operator.macs - undone, spared)


def _significance(values: Float64Array | None, candidate: Candidate | None) -> Histogram | None:
    return None if values is None else histogram(values, candidate.level if candidate else None)


def _by_size(sources: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(sources.items(), key=lambda entry: (-entry[1], entry[0])))


def _approximation(exact: Operator, candidate: Candidate) -> Approximation:
    grouping = candidate.grouping
    coefficients = grouping.basis.coefficients(exact)
    before = _held(coefficients, grouping.groups)
    after = _held(candidate.coefficients, grouping.groups)
    held = _flat(coefficients) != 0
    return Approximation(
        grouping.basis.name,
        grouping.title,
        candidate.level,
        candidate.products,
        candidate.products - candidate.kept,
        int(before.sum()),
        int((before & ~after).sum()),
        skip_map(held, held & (_flat(candidate.coefficients) == 0)),
    )


def _flat(coefficients: IntArray) -> IntArray:
    """[output channels, operands], flat operands."""
    return coefficients.reshape(len(coefficients), -1)


def _held(coefficients: IntArray, groups: Groups) -> npt.NDArray[np.bool_]:
    """bool [output channels, groups]: whether a group holds a coefficient that is not 0."""
    flat = groups.reshape(-1)
    rows = _flat(coefficients) != 0
    return np.array([np.bincount(flat, row) > 0 for row in rows])


def _considered(offers: Mapping[str, Offer], step: Step | None) -> tuple[Considered, ...]:
    """The quickest first."""
    found = []
    for kernel, offer in offers.items():
        # A plan that is not the kernel's quickest may have been taken for its size: then that one is told.
        taken = step is not None and len(step.operators) == 1 and step.kernel == kernel
        plan, cost = (step.plan, step.cost) if step is not None and taken else (offer.plan, offer.cost)
        found.append(Considered(kernel, plan.variant, cost.cycles, cost.flash_bytes, cost.ram_bytes, taken))
    return tuple(sorted(found, key=lambda one: (one.cycles, one.kernel)))


def _remarks(made: Made) -> Iterator[str]:
    exploration = made.exploration
    if exploration:
        count = exploration.evaluations
        yield f"{exploration.message} {count} design{' was' if count == 1 else 's were'} measured."
    yield from (f"The exact network does not fit: {shortage}." for shortage in made.exact.shortages)
    if not made.provider.is_baseline:
        yield (
            "Layers of the kernel cmsis_nn run on the portable subset of the CMSIS-NN API, which is not a baseline "
            "for speed; give cmsis_nn: (or CMSIS_NN_PATH) the directory of a CMSIS-NN."
        )
    if made.built is None:
        yield "No compiler was found: nothing was built, RAM and flash of the whole program are not known."
