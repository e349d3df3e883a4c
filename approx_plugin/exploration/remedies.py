"""What would keep to the costs of a target that this network on this board does not keep to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.errors import ApproxError, ErrorGroup, Location
from approx_plugin.exploration.choice import BALANCED, LEAST_FLASH, LEAST_RAM, TIME, Choice
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.kernels.borders import state_bytes
from approx_plugin.kernels.capacity import Room
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.graph import Graph
from approx_plugin.spec.spec import Spec

WISHES = (TIME, BALANCED, LEAST_FLASH, LEAST_RAM)

IDEAL = "ideal-"
"""How the ids of boards begin that nobody can buy."""

MOST_BOARDS = 3
"""That are named, the quickest first."""


@dataclass(frozen=True, eq=False)
class Subject:
    """The network, where it is to run, and what it costs there."""

    spec: Spec
    board: Board
    graph: Graph
    plans: ChosenPlans
    market: Market


@dataclass(frozen=True)
class _Found:
    """What the exact network takes in another way. `ram_bytes`: of the arena."""

    cycles: float
    flash_bytes: int
    ram_bytes: int

    @classmethod
    def of(cls, choice: Choice) -> _Found:
        return cls(choice.cycles, choice.flash_bytes, choice.memory.size)

    def text(self, clock_hz: int) -> str:
        time = f"{self.cycles:,.0f} cycles ({1000 * self.cycles / clock_hz:.3f} ms)"
        return f"an estimated {time}, {self.flash_bytes:,} B of flash and an arena of {self.ram_bytes:,} B"


def remedies(subject: Subject) -> tuple[str, ...]:
    """Sentences: another wish, other kernels, other boards, all with the exact network; what keeps to all costs first,
    and where nothing does, what comes closest among them.
    """
    return (*_wishes(subject), *_kernels(subject), *_boards(subject))


def _limits(subject: Subject, board: Board) -> Limits:
    return Limits.of(subject.spec.target, board.clock_hz)


def _wishes(subject: Subject) -> Iterator[str]:
    """`optimize`, where another one keeps to the costs or takes least of the memory that is short."""
    limits, clock = _limits(subject, subject.board), subject.board.clock_hz
    found = {after: subject.plans.wished(after) for after in WISHES if after != subject.spec.optimize}
    kept = [after for after, choice in found.items() if choice.fits and limits.met(_Found.of(choice))]
    for after in kept:
        yield f"`optimize: {after}` would keep to it, exact: {_Found.of(found[after]).text(clock)}"
    if kept:
        return
    for after, limit in ((LEAST_FLASH, limits.flash), (LEAST_RAM, limits.ram)):
        if limit is not None and after in found:
            least = _Found.of(found[after])
            if (least.flash_bytes if after == LEAST_FLASH else least.ram_bytes) > limit:
                yield f"not even `optimize: {after}` keeps to it, exact: {least.text(clock)}"


def _kernels(subject: Subject) -> Iterator[str]:
    """All kernels, where approx.yaml has one compute whatever it can."""
    if subject.market.preferred is None:
        return
    market = replace(subject.market, preferred=None)
    room = _room(subject, subject.board)
    limits = _limits(subject, subject.board)
    choice = ChosenPlans(subject.graph, market, room.budgets, subject.spec.optimize, limits).choice(())
    found = _Found.of(choice)
    if choice.fits and limits.met(found):
        yield f"`kernels: {{convolution: auto}}` would keep to it, exact: {found.text(subject.board.clock_hz)}"


def _room(subject: Subject, board: Board) -> Room:
    graph = subject.graph
    borders = graph.input_bytes + graph.output_bytes + state_bytes(graph)
    return Room.of(board, 0, borders, subject.spec.budget, len(graph.operators))


def _boards(subject: Subject) -> Iterator[str]:
    """Boards on which the exact network keeps to the costs, the quickest first; the quickest where none does."""
    kept: list[tuple[float, str, str]] = []
    others: list[tuple[float, str, str]] = []
    for name in known_boards():
        if name == subject.board.id or name.startswith(IDEAL):
            continue
        try:
            found, board = _elsewhere(subject, name)
        except (ApproxError, ErrorGroup):
            continue  # A board that cannot be priced, or lacks a kernel, is no remedy.
        if found is not None:
            entry = (found.cycles / board.clock_hz, board.name, found.text(board.clock_hz))
            (kept if _limits(subject, board).met(found) else others).append(entry)
    for _, board_name, text in sorted(kept)[:MOST_BOARDS]:
        yield f"{board_name} would keep to it, exact: {text}"
    if not kept and others:
        _, board_name, text = min(others)
        yield f"no other board that the tool knows keeps to it, exact; the quickest is {board_name} with {text}"


def _elsewhere(subject: Subject, name: str) -> tuple[_Found | None, Board]:
    """What the exact network takes on another board; None where it does not fit."""
    board = load_board(name, Location("board"))
    platform = Platform.of(board, subject.spec.kernels.backend, board_costs(board))
    market = Market(platform, estimated(platform), subject.market.preferred)
    room, limits = _room(subject, board), _limits(subject, board)
    choice = ChosenPlans(subject.graph, market, room.budgets, subject.spec.optimize, limits).choice(())
    return (_Found.of(choice) if choice.fits else None), board
