"""Everything that the user gave, checked before any work begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.dataset import Datasets, load_datasets
from approx_plugin.errors import ApproxError, ProjectError, attempt, raise_all
from approx_plugin.exploration.design_file import DesignFile, load_design
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.kernels.borders import state_bytes
from approx_plugin.kernels.capacity import Room
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.needs import NOTHING, Bytes
from approx_plugin.kernels.platform import Platform
from approx_plugin.library.provider import resolve
from approx_plugin.merging.host import Host
from approx_plugin.merging.moving import board_of, host_of, known_left
from approx_plugin.model.graph import Graph
from approx_plugin.project.writer import check as check_output
from approx_plugin.report.compose import method_title
from approx_plugin.request import Request
from approx_plugin.selection import selected_layers
from approx_plugin.spec.order import Order, library_place
from approx_plugin.spec.spec import Spec
from approx_plugin.suitability import unsuited
from approx_plugin.tflite.reader import read_graph
from approx_plugin.vectors import reserved
from approx_plugin.workplace import Workplace

AUTO = "auto"
"""In the place of a kernel's name: whichever is best."""


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
