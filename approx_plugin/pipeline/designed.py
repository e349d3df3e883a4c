"""The network that is lowered: by search on one set of images and confirmation on another, or as a file says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from approx_plugin.approximation.basis import Float64Array
from approx_plugin.approximation.candidate import apply
from approx_plugin.approximation.grouping import Grouping, single
from approx_plugin.approximation.options import Options, by_compensation, by_reconstruction, by_significance
from approx_plugin.approximation.sequential import Known, solved_again
from approx_plugin.errors import ApproxError, CapacityError, raise_all
from approx_plugin.exploration.choice import Choice
from approx_plugin.exploration.comparison import Comparison, compare
from approx_plugin.exploration.descent import Sensitivity
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.design_file import FILE_NAME, load_design
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.measurement import Progress, Watch, silent, unwatched
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.offers import Offers
from approx_plugin.exploration.promise import too_few
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.exploration.search import explore
from approx_plugin.exploration.within import explore_within
from approx_plugin.exploration.workers import executor
from approx_plugin.kernels.capacity import Demand, missing
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.pipeline.inputs import Inputs
from approx_plugin.report.compose import FROM_FILE
from approx_plugin.report.data import title_of
from approx_plugin.spec.order import board_place

SOLVED_IMAGES = 300
"""Calibration images with which a design is solved again as a whole."""

REPORT = "report.json"
"""The report as plain values, in the project."""


@dataclass(frozen=True, eq=False)
class Designed:
    """candidates: the approximated operators of the network to be lowered.

    exploration: None where nothing was searched; accuracy: on the confirmation images, None without data.
    found_as: its name in the search of an earlier run.
    significances: see `Options`; empty where nothing was searched by them.
    """

    graph: Graph
    candidates: Candidates
    exploration: Exploration | None
    accuracy: Comparison | None
    found_as: str = ""
    significances: Mapping[int, Float64Array] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Which design it is, as in the report: by its number, or from a design file, or exact."""
        if self.found_as:
            return self.found_as
        if self.exploration is None:
            return FROM_FILE if self.candidates else title_of(0)
        return title_of(self.exploration.points.index(self.exploration.chosen.point))


def design(inputs: Inputs, memo: Path, workers: int, progress: Progress = silent, watch: Watch = unwatched) -> Designed:
    """The network that meets the target at the least cost, as far as the search finds it; or that of a design file.

    Raises CapacityError where nothing that could be used fits the board.
    """
    spec, graph = inputs.spec, inputs.graph
    if inputs.design or spec.method.name == "none":
        chosen = inputs.design.candidates if inputs.design else ()
        return Designed(apply(graph, chosen), chosen, None, _confirmed(inputs, chosen, memo, workers))
    assert inputs.data is not None and spec.target is not None
    plans = inputs.plans
    groupings = groupings_of(inputs, plans.offers)
    options = options_of(inputs, groupings, inputs.data.calibration.inputs)
    _check_capacity(inputs, options)
    with executor(workers, spec.search.cluster) as pool:
        on_exploration = Evaluator(graph, inputs.data.exploration, pool, Memo(memo))
        on_confirmation = Evaluator(graph, inputs.data.confirmation, pool, Memo(memo))
        sensitivity = sensitivity_of(inputs, pool, Memo(memo))
        target, search = spec.target, spec.search
        try:
            if target.has_accuracy:
                found = explore(
                    options, plans, on_exploration, on_confirmation, target, search, progress, sensitivity, watch
                )
            else:
                found = explore_within(
                    options, plans, on_exploration, on_confirmation, inputs.limits, search, progress, watch
                )
        except NothingMeetsTheTarget as failure:
            raise CapacityError(
                f"the exact network does not fit {inputs.board.name}, and no design that does meets the target",
                where=board_place(inputs.request, spec),
                why=f"{failure}. {'; '.join(error.what for error in exact_shortages(inputs))}",
                hint="take a board with more memory, allow a larger loss, more search.evaluations, `search: "
                "{confidence: point}`, or `kernels: {convolution: auto}`, which unpacks only where the memory suffices",
            ) from failure
    candidates = found.chosen.candidates
    return Designed(
        apply(graph, candidates), candidates, found, found.confirmation, significances=options.significances
    )


def sensitivity_of(inputs: Inputs, pool: Executor, memo: Memo) -> Sensitivity | None:
    """What is known of a design without labels; None where the published method is to search as it did."""
    method = inputs.spec.method.name
    if method == "significance" or inputs.data is None:
        return None
    calibration, known = inputs.data.calibration.inputs[:SOLVED_IMAGES], Known()
    return Sensitivity(
        Divergence(inputs.graph, inputs.data.exploration.inputs, pool, memo),
        lambda candidates: (
            solved_again(inputs.graph, candidates, calibration, known) if method == "reconstruction" else candidates
        ),
    )


def outlook(inputs: Inputs) -> str | None:
    """What is to be said of the confirmation images before a search; None where there is none, or nothing to say."""
    spec, data = inputs.spec, inputs.data
    if inputs.design or spec.method.name == "none" or data is None or spec.target is None:
        return None
    return too_few(spec.target, spec.search.confidence, len(data.confirmation))


def _confirmed(inputs: Inputs, candidates: Candidates, memo: Path, workers: int) -> Comparison | None:
    """The accuracy of a design that was not searched for, on the confirmation images; None without any.

    A network with states has none: each of its answers belongs to all inputs before it. Nor has one without classes.
    """
    if inputs.data is None or inputs.graph.states or not inputs.data.confirmation.labelled:
        return None
    if inputs.graph.output_tensor.element != "int8":
        return None
    with executor(workers, inputs.spec.search.cluster) as pool:
        evaluate = Evaluator(inputs.graph, inputs.data.confirmation, pool, Memo(memo))
        exact, approximated = evaluate([(), candidates])
    return compare(exact, approximated)


def _check_capacity(inputs: Inputs, options: Options) -> None:
    """Raise CapacityError if neither the exact network nor the most approximated one fits, before any search."""
    plans = inputs.plans
    most = tuple(ladder[-1] for _, ladder in sorted(options.ladders.items()) if ladder)
    if not plans.total(()).fits and not plans.total(most).fits:
        raise_all(_shortages(inputs, plans.choice(most), "even the most approximated network"))


def exact_shortages(inputs: Inputs) -> tuple[ApproxError, ...]:
    """What of the exact network does not fit the board; empty if it does."""
    return tuple(_shortages(inputs, inputs.plans.choice(()), "the exact network"))


def _shortages(inputs: Inputs, choice: Choice, subject: str) -> Iterator[ApproxError]:
    demands = [Demand(offer.run, offer.plan.kernel, offer.cost) for offer in choice.steps]
    place = board_place(inputs.request, inputs.spec)
    return missing(demands, choice.memory, inputs.room, place, subject)


def exact_design(inputs: Inputs) -> Designed:
    """The network as it is."""
    return Designed(inputs.graph, (), None, None)


def groupings_of(inputs: Inputs, offers: Offers) -> dict[int, Grouping]:
    """What may be left out together, for each operator that may be approximated and has a kernel that can."""
    found: dict[int, Grouping] = {}
    method = inputs.spec.method
    for index in inputs.layers:
        offered = offers.considered.get(index, {}).values()
        able = [(o.cost.cycles, o.plan.grouping) for o in offered if o.plan.grouping is not None]
        if method.name == "significance":
            # It judges the products of each output channel by themselves.
            able = [(cycles, grouping) for cycles, grouping in able if not grouping.shared]
        if able:
            _, best = min(able, key=lambda one: one[0])
            by_weight = method.name == "significance" and method.granularity == "weight"
            found[index] = single(best.basis, inputs.graph.operators[index]) if by_weight else best
    return found


def options_of(inputs: Inputs, groupings: Mapping[int, Grouping], calibration: Int8Array) -> Options:
    """What the spec's method makes of the operators that may be approximated."""
    method = inputs.spec.method
    if method.name == "reconstruction":
        return by_reconstruction(inputs.graph, groupings, calibration)
    if method.name == "compensated":
        return by_compensation(inputs.graph, groupings, calibration)
    return by_significance(inputs.graph, groupings, calibration, criterion=method.criterion)


def made_before(inputs: Inputs, directory: Path) -> Designed | None:
    """What a search has found for the project in `directory`, which is up to date; None where none was made for it."""
    file, report = directory / FILE_NAME, directory / REPORT
    if inputs.design or inputs.spec.method.name == "none" or not (file.is_file() and report.is_file()):
        return None
    candidates = load_design(file, inputs.graph).candidates
    record = json.loads(file.read_bytes())["accuracy"]["confirmation"]
    images, exact, approximated = record["images"], record["exact"], record["approximated"]
    accuracy = Comparison(images, exact, approximated, approximated - exact, tuple(record["interval"]))
    front = json.loads(report.read_bytes())["front"]
    title = next(title_of(point["design"]) for point in front if point["chosen"])
    return Designed(apply(inputs.graph, candidates), candidates, None, accuracy, title)
