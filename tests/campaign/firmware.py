"""A network's firmware in QEMU: plans drawn from all that the kernels offer, every step's output checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.build.emulator import run_in_emulator, verify
from approx_plugin.errors import CapacityError, Location, ToolError, VerificationError
from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.kernels.program import Program
from approx_plugin.kernels.registry import BASELINE
from approx_plugin.laboratory.__main__ import board_of
from approx_plugin.laboratory.drawing import unpriced
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import make_vectors
from tests.campaign.grower import Random

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")
BACKENDS = ("assembly", "c")
BUDGETS = {FLASH: 300 << 10, RAM: 90 << 10}
"""What every board has."""


@dataclass(frozen=True, eq=False)
class Bench:
    """Where firmware is made. library: a CMSIS-NN, None for the portable subset; folder: for objects, taken again."""

    board: Board
    backend: str
    library: Path | None
    folder: Path

    @classmethod
    def of(cls, core: str, backend: str, library: Path | None, folder: Path) -> Bench:
        """For the board with this core that holds most."""
        return cls(board_of(core), backend, library, folder / core / backend)


@dataclass(frozen=True)
class Ran:
    """steps: how many by kernel; faults: what was wrong; left_out: why it did not run, "" if it did."""

    steps: Counter[str]
    faults: tuple[str, ...]
    left_out: str = ""


def lowered(graph: Graph, bench: Bench, rng: Random) -> Program | None:
    """The program of steps whose prices are drawn, so that every plan of every kernel is taken now and then.

    In every fourth program the library is the cheapest. None where nothing fits.
    """
    platform = unpriced(bench.board, bench.backend)
    factors: dict[tuple[str, int], float] = {}
    library = float(rng.choice((1.0, 2000.0, 2000.0, 2000.0)))

    def price(plan: Plan) -> StepCost:
        """A kernel's plans for an operator have a factor in common: those that offer many are not taken more often. The
        library takes the least memory, so it keeps its place among the offers at any price.
        """
        place = plan.kernel, plan.operators[0].index
        if place not in factors:
            factors[place] = library if plan.kernel == BASELINE else float(rng.uniform(1, 1000))
        cycles = factors[place] * float(rng.uniform(1, 2)) * len(plan.operators)
        return StepCost(cycles, plan.needs.permanent, plan.needs.scratch, plan.macs, False)

    offers = Market(platform, price).offers(graph)
    choice = choose(graph, offers.offers, BUDGETS)
    if choice is None or not choice.fits:
        return None
    return lower(graph, [offer.plan for offer in choice.steps], platform, graph.macs, graph.macs)


def run(graph: Graph, inputs: Int8Array, bench: Bench, rng: Random) -> Ran:
    """Build it, and run it over the inputs. What building raises is a fault, too."""
    program = lowered(graph, bench, rng)
    if program is None:
        return Ran(Counter(), (), "does not fit")
    steps = Counter(step.kernel for step in program.steps)
    vectors = make_vectors(graph, inputs)
    try:
        provider = resolve(program.cmsis_nn_functions, bench.library, Location("--cmsis-nn"))
        files = collect(program, bench.board, provider, vectors.part(0, 1), "campaign", extra={})
        write(files, bench.folder / "tree", force=True)
        result = run_in_emulator(bench.folder / "tree", bench.board, vectors, bench.folder / "build", workers=1)
        verify(result, vectors)
    except CapacityError as error:
        return Ran(steps, (), error.what)
    except (ToolError, VerificationError) as error:
        made = ", ".join(f"{step.last.index}: {step.kernel} {step.plan.variant}" for step in program.steps)
        return Ran(steps, (f"{error}\n    steps: {made}",))
    return Ran(steps, ())


def generator(seed: int, number: int, bench: Bench) -> Random:
    """Of the prices: another one for each core and back end."""
    place = CORES.index(bench.board.core) * len(BACKENDS) + BACKENDS.index(bench.backend)
    return np.random.default_rng((seed, number, place))
