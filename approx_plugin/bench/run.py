"""The whole bench: every variant of a spec on every board that is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from approx_plugin import __version__
from approx_plugin.bench.firmware import make
from approx_plugin.bench.measure import result
from approx_plugin.bench.published import load_published
from approx_plugin.bench.results import Bench, BoardResult
from approx_plugin.bench.variants import VARIANTS, Workshop, variants_of
from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.build.toolchain import COMPILER, find_program
from approx_plugin.errors import ApproxError, CapacityError, ErrorGroup, Location, attempt, raise_all
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.exploration.workers import executor
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.laboratory.firmware import Firmware
from approx_plugin.laboratory.measurement import simulate_elf
from approx_plugin.pipeline.designed import Designed
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.pipeline.saying import Say
from approx_plugin.spec.order import Order
from approx_plugin.virtual_board.results import Simulation
from approx_plugin.virtual_board.timing import load_timing
from approx_plugin.workplace import Workplace

ALL = "all"
"""In the place of a list of boards: every board that there is."""


@dataclass(frozen=True, eq=False)
class _Job:
    """A firmware and its simulation."""

    variant: str
    designed: Designed
    firmware: Firmware
    simulation: Future[Simulation]


@dataclass(frozen=True, eq=False)
class _Started:
    """All variants of a board; missing: those that it cannot hold."""

    board: Board
    jobs: tuple[_Job, ...]
    missing: Mapping[str, CapacityError]


@dataclass(frozen=True, eq=False)
class _Run:
    """What all boards of a bench share."""

    place: Workplace
    workshop: Workshop
    pool: Executor


def bench(order: Order, say: Say, progress: Progress = silent, made: Path | None = None) -> Bench:
    """Build and simulate every variant for the boards that were ordered, or for the one board, or for the spec's.

    made: the project, if it is up to date: its design is taken, not searched for again.
    The next firmware is built while others are simulated; `order.request.workers` bounds the processes (None: one a
    processor). Raises what `pipeline.generate` raises, BoardError for a board without timing, VerificationError if a
    firmware computes something else than the integer reference, and CapacityError if no variant fits any board.
    """
    inputs, request = read(order), order.request
    find_program(COMPILER)
    errors: list[ApproxError] = []
    # A board that cannot be simulated is told before anything is built.
    boards = [attempt(errors, partial(_on, inputs, board)) for board in chosen_boards(request.boards, inputs.board)]
    raise_all(errors)
    place = Workplace.of(inputs.spec.file, inputs.spec.project.name, inputs.directory)
    place.prepare()
    names = variants_of(inputs)
    runs = len(names) * len(boards)
    graph = inputs.graph
    say(f"{graph.name}: {len(graph.operators)} layers, {graph.macs:,} MACs; {runs} simulations")
    workshop = Workshop(
        place.evaluations, request.workers or inputs.spec.search.workers, progress, made, inputs.board.id
    )
    with executor(min(request.workers or os.cpu_count() or 1, runs)) as pool:
        shared = _Run(place, workshop, pool)
        started = [_start(shared, mine, names) for mine in boards if mine]
        results = tuple(_finish(one, say) for one in started if one.jobs)
    if not results:
        raise_all(error for one in started for error in one.missing.values())
    firmware = next(job.firmware for one in started for job in one.jobs)
    return Bench(
        graph.name,
        inputs.spec.model.name,
        graph.sha256,
        graph.macs,
        firmware.provider.provider,
        firmware.provider.version,
        firmware.provider.is_baseline,
        f"{COMPILER} {firmware.built.compiler}",
        __version__,
        tuple((name, VARIANTS[name].title) for name in names),
        results,
    )


def chosen_boards(names: Sequence[str], default: Board) -> tuple[Board, ...]:
    """The boards by these names, each once, in this order; "all" stands for every one. Raises all BoardErrors."""
    if not names:
        return (default,)
    errors: list[ApproxError] = []
    found: dict[str, Board] = {}
    for name in known_boards() if ALL in names else names:
        if name.lower() not in found:
            known = name.lower() == default.id
            board = default if known else attempt(errors, partial(load_board, name, Location("boards=")))
            if board:
                found[board.id] = board
    raise_all(errors)
    return tuple(found.values())


def _on(inputs: Inputs, board: Board) -> Inputs:
    """The inputs for one of the boards. Raises BoardError for one that cannot be simulated or priced."""
    load_timing(board)
    request = replace(inputs.request, board=board.id) if inputs.request.boards else inputs.request
    costs = inputs.costs if board.id == inputs.board.id else board_costs(board)
    return replace(inputs, board=board, costs=costs, request=request)


def _start(shared: _Run, inputs: Inputs, names: Sequence[str]) -> _Started:
    """Build the variants of a board one after the other; each one's simulation begins at once."""
    jobs: list[_Job] = []
    missing: dict[str, CapacityError] = {}
    for name in names:
        try:
            jobs.append(_build(shared, inputs, name))
        except (CapacityError, ErrorGroup) as error:
            errors = error.errors if isinstance(error, ErrorGroup) else (error,)
            if not all(isinstance(one, CapacityError) for one in errors):
                raise
            missing[name] = CapacityError("; ".join(one.what for one in errors), where=errors[0].where)
    return _Started(inputs.board, tuple(jobs), missing)


def _build(shared: _Run, given: Inputs, name: str) -> _Job:
    board, workers = given.board, given.request.workers
    inputs, designed = VARIANTS[name].prepare(given, shared.workshop)
    firmware = make(inputs, designed, shared.place.bench / board.id, name, workers)
    functions = tuple(firmware.functions.values())
    return _Job(name, designed, firmware, shared.pool.submit(simulate_elf, firmware.elf, board, functions))


def _finish(one: _Started, say: Say) -> BoardResult:
    """The results of a board, in turn."""
    board = one.board
    made = BoardResult(
        board.id,
        board.name,
        board.mcu,
        board.core,
        board.clock_hz,
        load_published().model_error(board.core),
        tuple(result(job.variant, job.firmware, job.designed, job.simulation.result()) for job in one.jobs),
        tuple((name, error.what) for name, error in one.missing.items()),
        board.notes,
    )
    for variant in made.variants:
        say(f"{made.name}, {VARIANTS[variant.variant].title}: {variant.total.cycles:,} cycles (simulated)")
    return made
