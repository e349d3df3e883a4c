"""The search for the most accurate design within given costs, against every combination and against its own rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from chain import network, thinned
from mac_cost import MacCost, macs_kept

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import BoolArray
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.pricing import Price
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.exploration.within import explore_within
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.spec.spec import Search, Target

GRAPH = network()
SHARES = [step / 20 for step in range(1, 17)]
OPTIONS = Options(
    {layer: tuple(thinned(GRAPH, layer, share) for share in SHARES) for layer in range(3)},
    tuple(tuple(thinned(GRAPH, layer, share) for layer in range(3)) for share in (0.1, 0.3, 0.5)),
)
SENSITIVITY = (20.0, 4.0, 1.0)
IMAGES = 10_000


def truth(designs: Sequence[Candidates]) -> list[BoolArray]:
    """Losses add up, and grow with the square of the share."""
    losses = [sum(SENSITIVITY[c.layer] * c.level**2 for c in design) for design in designs]
    return [np.arange(IMAGES) < round((80.0 - loss) * IMAGES / 100) for loss in losses]


def within(limits: Limits, evaluations: int = 60, cost: MacCost | None = None) -> Exploration:
    search = Search(0, evaluations, 1, None)
    return explore_within(OPTIONS, cost or MacCost(GRAPH), truth, truth, limits, search)


def best_possible(cycles: float) -> float:
    """By looking at every combination: the highest accuracy with at most so many cycles."""
    kept = [[op.macs, *(macs_kept(op, c) for c in OPTIONS.ladders[op.index])] for op in GRAPH.operators]
    losses = [[0.0, *(s * share**2 for share in SHARES)] for s in SENSITIVITY]
    total = np.add.outer(np.add.outer(losses[0], losses[1]), losses[2])
    taken = np.add.outer(np.add.outer(kept[0], kept[1]), kept[2])
    return 80.0 - float(total[taken <= cycles].min())


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5])
def test_it_comes_close_to_the_best_of_all_combinations(share: float) -> None:
    limit = share * GRAPH.macs
    found = within(Limits(cycles=limit))
    assert found.target_met and found.chosen.point.cycles <= limit
    assert found.chosen.point.accuracy >= best_possible(limit) - 0.5
    assert found.exploration.approximated == pytest.approx(found.chosen.point.accuracy)
    assert len(found.points) == len(found.intervals) == found.evaluations <= 60
    assert found.confidence is None and found.looks == ()
    keeping = [point for point in found.points if point.cycles <= limit]
    assert found.chosen.point.accuracy == max(point.accuracy for point in keeping)


def test_an_exact_network_that_keeps_to_the_limits_is_the_answer() -> None:
    found = within(Limits(cycles=float(GRAPH.macs)))
    assert found.chosen.candidates == () and found.evaluations == 1 and found.target_met
    assert "nothing is approximated" in found.message


def test_what_cannot_be_kept_takes_the_cheapest_and_says_so() -> None:
    found = within(Limits(cycles=1.0))
    assert not found.target_met and "THE TARGET IS NOT MET" in found.message
    assert found.chosen.point.cycles == min(point.cycles for point in found.points)


@pytest.mark.parametrize("evaluations", [1, 2, 5, 17, 30])
def test_the_designs_of_a_small_budget_are_the_first_ones_of_a_large_one(evaluations: int) -> None:
    limits = Limits(cycles=0.6 * GRAPH.macs)
    few, many = within(limits, evaluations), within(limits, 60)
    assert few.evaluations <= evaluations and few.points == many.points[: few.evaluations]


def test_without_a_ladder_the_exact_network_is_used() -> None:
    search = Search(0, 60, 1, None)
    found = explore_within(Options({}), MacCost(GRAPH), truth, truth, Limits(cycles=1.0), search)
    assert found.chosen.candidates == () and not found.target_met


class NothingFits(MacCost):
    """A board without room."""

    def total(self, candidates: Candidates) -> Price:
        return replace(super().total(candidates), fits=False)


def test_where_nothing_fits_there_is_no_answer() -> None:
    with pytest.raises(NothingMeetsTheTarget):
        within(Limits(cycles=1.0), cost=NothingFits(GRAPH))


# ---- limits


@dataclass(frozen=True)
class Costs:
    cycles: float
    flash_bytes: int
    ram_bytes: int


def test_limits() -> None:
    target = Target(None, None, max_flash=100, max_ram=None, max_latency=0.05)
    limits = Limits.of(target, 160_000_000)
    assert limits == Limits(100, None, 8_000_000.0) and limits
    assert limits.met(Costs(8_000_000.0, 100, 10**9))
    assert not limits.met(Costs(8_000_001.0, 100, 0)) and not limits.met(Costs(0.0, 101, 0))
    assert not Limits.of(None, 1) and not Limits.of(Target(1.0, None), 1)
    assert Limits.of(Target(None, None, max_cycles=5.0), 1).cycles == 5.0
    assert limits.tightened({FLASH: 200, RAM: 50}) == {FLASH: 100, RAM: 50}
    assert limits.tightened({FLASH: 20, RAM: 50}) == {FLASH: 20, RAM: 50}
