"""The whole way: approx.yaml and a .tflite in, a verified STM32CubeIDE project and its report out.

read      Spec, Board, Graph, Datasets: everything that the user gave, checked before any work begins
design    the approximated network, by search on one set and confirmation on another
lower     a kernel for every layer, the memory plan, the sources
generate  all of it, built where a compiler is found, reported, and written to the output directory
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from approx_plugin import digest
from approx_plugin.approximation.basis import Float64Array
from approx_plugin.approximation.candidate import apply
from approx_plugin.approximation.grouping import Grouping, single
from approx_plugin.approximation.options import Options, by_compensation, by_reconstruction, by_significance
from approx_plugin.approximation.sequential import Known, solved_again
from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.images import outputs
from approx_plugin.build.overflow import OverflowedError
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.dataset import Datasets, load_datasets, random_inputs
from approx_plugin.documents.wording import counted
from approx_plugin.errors import ApproxError, CapacityError, ProjectError, attempt, raise_all
from approx_plugin.exploration.choice import Choice, notes
from approx_plugin.exploration.comparison import Comparison, compare
from approx_plugin.exploration.descent import Sensitivity
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.design_file import FILE_NAME, DesignFile, design_text, load_design
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.measurement import Progress, Watch, silent, unwatched
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.offers import Market, Offer, Offers, estimated
from approx_plugin.exploration.pricing import ChosenPlans, Price, taken
from approx_plugin.exploration.promise import too_few
from approx_plugin.exploration.remedies import Subject as RemedySubject
from approx_plugin.exploration.remedies import remedies
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.exploration.search import explore
from approx_plugin.exploration.within import explore_within
from approx_plugin.exploration.workers import executor
from approx_plugin.files import sha256_of
from approx_plugin.kernels.borders import state_bytes
from approx_plugin.kernels.capacity import Demand, Room, missing, shortages
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.interfaces.registry import with_interfaces
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.names import Names
from approx_plugin.kernels.needs import FLASH, NOTHING, RAM, Bytes
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program
from approx_plugin.kernels.registry import BASELINE
from approx_plugin.library.provider import CmsisNn, resolve
from approx_plugin.merging.host import Host
from approx_plugin.merging.moving import Measured, board_of, host_of, known_left, measure, move_in, wish_of
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import WriteResult, write
from approx_plugin.project.writer import check as check_output
from approx_plugin.reference.vectors import TestVectors, make_vectors
from approx_plugin.report.compose import FROM_FILE, Made, Rivals, Subject, compose, method_title, totals_of
from approx_plugin.report.data import DataUse, Report, title_of
from approx_plugin.report.document import as_json
from approx_plugin.report.page import html_text
from approx_plugin.report.text import render
from approx_plugin.request import Request
from approx_plugin.selection import selected_layers
from approx_plugin.spec.order import Order, board_place, library_place
from approx_plugin.spec.spec import Spec
from approx_plugin.suitability import unsuited
from approx_plugin.tflite.reader import read_graph
from approx_plugin.vectors import fitting, give_way, reserved
from approx_plugin.vectors import save as save_vectors
from approx_plugin.workplace import Workplace

_LINKS = 4
"""How often a program is linked at most, until it fits."""

SOLVED_IMAGES = 300
"""Calibration images with which a design is solved again as a whole."""
REPORT = "report.json"
"""The report as plain values, in the project."""

AUTO = "auto"
"""In the place of a kernel's name: whichever is best."""

Say = Callable[[str], None]
"""Told one line for each step."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that the user gave, and what kernels cost on the board (None: as on an ideal one with its core).

    data: None where the spec names none. layers: that may be approximated.
    design: what the design file of the spec says, None where it names none.
    overflow: bytes by memory that a linked program has turned out to need beyond what was estimated.
    host: the user's project that the network moves into, None for none. left: bytes by memory that it leaves.
    """

    request: Request
    spec: Spec
    board: Board
    costs: CostModel | None
    graph: Graph
    data: Datasets | None
    layers: tuple[int, ...]
    design: DesignFile | None
    directory: Path
    cmsis_nn: Path | None
    overflow: Bytes = field(default_factory=lambda: NOTHING)
    host: Host | None = None
    left: Bytes = field(default_factory=lambda: NOTHING)

    @property
    def platform(self) -> Platform:
        """What code is generated for."""
        return Platform.of(self.board, self.spec.kernels.backend, self.costs)

    @property
    def market(self) -> Market:
        """Which kernels may offer."""
        preference = self.spec.kernels.convolution
        return Market(self.platform, estimated(self.platform), None if preference == AUTO else preference)

    @cached_property
    def plans(self) -> ChosenPlans:
        """What designs cost on the board, and the steps that they become."""
        return self.plans_of(self.graph)

    def plans_of(self, graph: Graph) -> ChosenPlans:
        """The same of another form of the network."""
        return ChosenPlans(graph, self.market, self.room.budgets, self.spec.optimize, self.limits)

    @property
    def limits(self) -> Limits:
        """The costs that the target names."""
        return Limits.of(self.spec.target, self.board.clock_hz)

    @property
    def method(self) -> str:
        """What makes the design, in words."""
        return self.design.method if self.design else method_title(self.spec.method)

    @property
    def room(self) -> Room:
        """What the steps and the arena may take."""
        borders = self.graph.input_bytes + self.graph.output_bytes + state_bytes(self.graph)
        vectors = reserved(self.graph, self.board, self.spec.project.test_vectors)
        layers = len(self.graph.operators)
        room = Room.of(self.board, vectors, borders, self.spec.budget, layers)
        if self.host is not None:
            room = room.within(self.left, self.host.name, borders, layers)
        return room.without(self.overflow)


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


@dataclass(frozen=True, eq=False)
class Lowered:
    """program: what is generated; choice: how it was put together; notes: operator index -> what to tell about it.

    considered: operator index -> kernel -> its quickest plan for the operator as it was lowered.
    refusals: operator index -> kernel -> why it cannot compute it although it is made for such.
    """

    program: Program
    choice: Choice
    notes: Mapping[int, str]
    considered: Mapping[int, Mapping[str, Offer]]
    refusals: Mapping[int, Mapping[str, str]]


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
    host = attempt(errors, partial(host_of, order))
    # Which board it is may depend on the project: its mistakes come first.
    board = attempt(errors, partial(board_of, order, host)) if not errors else None
    costs = attempt(errors, partial(board_costs, board)) if board else None
    graph = attempt(errors, partial(read_graph, spec.model))
    if order.cmsis_nn:
        attempt(errors, partial(resolve, (), order.cmsis_nn, library_place(request, spec)))
    attempt(errors, partial(_check_place, order.directory, request.force))
    layers, data, chosen = None, None, None
    if graph is not None:
        if spec.design:
            chosen = attempt(errors, partial(load_design, spec.design, graph))
        layers = attempt(errors, partial(selected_layers, spec, graph))
        unsuitable = list(unsuited(spec, graph))
        errors += unsuitable
        if spec.data and not unsuitable:
            classes = graph.output_tensor.elements
            data = attempt(errors, partial(load_datasets, spec, graph.inputs, classes))
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
        design=chosen,
        directory=order.directory,
        cmsis_nn=order.cmsis_nn,
        host=host,
        left=known_left(host, Workplace.of(spec.file, spec.project.name, order.directory)) if host else NOTHING,
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


def lower_design(inputs: Inputs, designed: Designed) -> Lowered:
    """The program on the board. Raises CapacityError if it does not fit."""
    plans, choice = inputs.plans, inputs.plans.choice(designed.candidates)
    if taken(choice) != designed.candidates:
        # A design of another board, say: here an exact kernel would be chosen, but the network is given.
        plans = inputs.plans_of(designed.graph)
        choice = plans.choice(())
    skipping = {op.index for offer in choice.steps if offer.plan.grouping is not None for op in offer.run}
    skipped = sum(candidate.skipped_macs for candidate in designed.candidates if candidate.layer in skipping)
    program = lower(
        designed.graph,
        [offer.plan for offer in choice.steps],
        inputs.platform,
        inputs.graph.macs,
        inputs.graph.macs - skipped,
        Names(inputs.spec.name),
    )
    program = with_interfaces(program, inputs.spec.api)
    place = board_place(inputs.request, inputs.spec)
    raise_all(shortages(program, inputs.room, place))
    approximated = inputs.market.collect((candidate.operator,) for candidate in designed.candidates)
    considered = {**plans.offers.considered, **approximated.considered}
    return Lowered(program, choice, notes(plans.offers, choice), considered, plans.offers.refusals)


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


def lowered_again(order: Order) -> Lowered:
    """The program of a project that is there, by the design that its generation has left in it."""
    inputs = read(order)
    file = order.directory / FILE_NAME
    candidates = load_design(file, inputs.graph).candidates if file.is_file() else ()
    return lower_design(inputs, Designed(apply(inputs.graph, candidates), candidates, None, None))


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


def generate(order: Order, say: Say, progress: Progress = silent) -> Generated:
    """Make the project and its report. A rerun with the same inputs writes nothing."""
    inputs = read(order)
    request, spec, graph = order.request, order.spec, inputs.graph
    stamp = digest.of_inputs(request, spec)
    place = Workplace.of(spec.file, spec.project.name, inputs.directory)
    place.prepare()
    say(f"{graph.name}: {len(graph.operators)} layers, {graph.macs:,} MACs; {inputs.board.name}")
    workers, before = request.workers, Measured(NOTHING, None)
    if inputs.host is not None:
        before = measure(inputs.host, place, workers, say)
        inputs = replace(inputs, left=before.left)
    warning = outlook(inputs)
    if warning is not None:
        say(f"warning: {warning}")
    designed = design(inputs, place.evaluations, request.workers or spec.search.workers, progress)
    if designed.exploration:
        say(designed.exploration.message)
    # The vectors take long for large inputs: whether the network fits comes first.
    lower_design(inputs, designed)
    vectors = vectors_of(inputs, designed.graph)
    if len(vectors) < max(spec.verify_images, spec.project.test_vectors):
        say(f"only {len(vectors)} test vectors: the confirmation set holds no more")
    linked = _linked(inputs, designed, vectors, place, say)
    inputs, lowered, provider, built = linked.inputs, linked.lowered, linked.provider, linked.built
    program = lowered.program
    report = compose(
        Subject(spec, inputs.board, graph, inputs.platform.model.origin, inputs.room.budgets, inputs.market.preferred),
        Made(
            program=program,
            candidates=designed.candidates,
            considered=lowered.considered,
            notes=lowered.notes,
            exact=totals_of(inputs.plans.choice(()), [error.what for error in exact_shortages(inputs)]),
            method=inputs.method,
            exploration=designed.exploration,
            accuracy=designed.accuracy,
            provider=provider,
            built=built,
            rivals=_rivals(inputs),
            significances=designed.significances,
            remedies=_remedies(inputs, lowered.choice),
            data=tuple(_data(inputs)),
        ),
    )
    texts = {
        "report.txt": render(report),
        "report.html": html_text(report),
        REPORT: json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n",
        **_design_file(inputs, designed, lowered, report),
    }
    files = {**linked.files(texts), **(outputs(built) if built else {})}
    written = write(files, inputs.directory, request.force)
    save_vectors(place, vectors)
    if inputs.host is not None:
        wish = wish_of(inputs.host, program, provider, spec.project.name, say)
        move_in(inputs.host, wish, before, place, force=request.force, dry=request.dry, workers=workers, say=say)
    digest.save_stamp(place.stamp, stamp, inputs.directory)
    return Generated(inputs.directory, written, built, report)


def _rivals(inputs: Inputs) -> Rivals:
    """What the exact network costs layer by layer, with the library and with the kernels that were chosen for it."""
    plans = inputs.plans
    library = {}
    for index, offers in plans.offers.considered.items():
        baseline = offers.get(BASELINE)
        library[index] = baseline.cost.cycles if baseline else min(offer.cost.cycles for offer in offers.values())
    return Rivals(library, {offer.last: offer.cost.cycles for offer in plans.choice(()).steps})


def _remedies(inputs: Inputs, choice: Choice) -> tuple[str, ...]:
    """What would keep to the target's costs where the network does not."""
    price = Price(choice.cycles, 0, choice.flash_bytes, choice.memory.size)
    if inputs.limits.met(price):
        return ()
    return remedies(RemedySubject(inputs.spec, inputs.board, inputs.graph, inputs.plans, inputs.market))


def _data(inputs: Inputs) -> Iterator[DataUse]:
    """The sets of images that were used."""
    if inputs.data is not None and inputs.spec.data is not None:
        for name, source in inputs.spec.data.sources.items():
            images = len(getattr(inputs.data, name))
            yield DataUse(name, source.file.name, images, sha256_of(source.file).hex())


def _design_file(inputs: Inputs, designed: Designed, lowered: Lowered, report: Report) -> dict[str, str]:
    """The file from which the same network comes again: as it was given, or of what the search has found."""
    if inputs.design:
        return {FILE_NAME: inputs.design.content.decode("utf-8")}
    found = designed.exploration
    if found is None:
        return {}
    return {FILE_NAME: design_text(inputs.spec, inputs.graph, lowered.choice, report.method, report.target, found)}


@dataclass(frozen=True, eq=False)
class _Linked:
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


def _linked(inputs: Inputs, designed: Designed, vectors: TestVectors, place: Workplace, say: Say) -> _Linked:
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
        made = _Linked(inputs, lowered, vectors.part(0, fits), provider, None)
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
