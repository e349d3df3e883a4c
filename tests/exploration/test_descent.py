"""The search by divergence, with made-up losses of which the divergence is a part that is known without noise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from chain import thinned
from made_up_search import GRAPH, SENSITIVITY, SmallFlash, Truth, best_possible, search

from approx_plugin.exploration.descent import Sensitivity
from approx_plugin.exploration.design import Candidates


def diverge(designs: Sequence[Candidates]) -> list[float]:
    """A point of accuracy is a thirtieth of a nat."""
    return [sum(SENSITIVITY[c.layer] * c.level**2 for c in design) / 30.0 for design in designs]


PLAIN = Sensitivity(diverge, lambda candidates: candidates)


@pytest.mark.parametrize("drop", [0.5, 1.0, 3.0])
def test_it_comes_close_to_the_best_of_all_combinations(drop: float) -> None:
    found = search(drop=drop, sensitivity=PLAIN)
    assert found.target_met and found.confirmation.difference >= -drop - 1e-9
    exact = GRAPH.macs
    assert exact - found.chosen.point.cycles >= 0.9 * (exact - best_possible(0.8 * drop))


def test_it_leaves_a_front_on_either_side_of_the_target() -> None:
    found = search(sensitivity=PLAIN)
    losses = [80.0 - point.accuracy for point in found.front.points]
    assert len(losses) >= 20
    assert sum(loss <= 1.0 for loss in losses) >= 5 and sum(loss > 1.0 for loss in losses) >= 5
    assert found.evaluations <= 60


@pytest.mark.parametrize("evaluations", [1, 2, 9])
def test_a_small_budget_measures_the_first_designs_of_a_large_one(evaluations: int) -> None:
    small, large = search(evaluations, sensitivity=PLAIN), search(60, sensitivity=PLAIN)
    assert small.points == large.points[: small.evaluations] and small.evaluations <= evaluations


def test_labels_are_asked_of_what_was_solved_again() -> None:
    """Every design is polished before it is measured, and what is polished is what is chosen."""
    polished: list[Candidates] = []

    def polish(candidates: Candidates) -> Candidates:
        again = tuple(thinned(GRAPH, candidate.layer, candidate.level) for candidate in candidates)
        polished.append(again)
        return again

    found = search(sensitivity=Sensitivity(diverge, polish))
    assert found.chosen.candidates in polished
    assert found.chosen.point.cycles == search(sensitivity=PLAIN).chosen.point.cycles


def test_where_the_exact_network_does_not_fit_accuracy_leads() -> None:
    """Single layers cannot be approximated alone then."""
    asked: list[int] = []

    def never(designs: Sequence[Candidates]) -> list[float]:
        asked.append(len(designs))
        return [0.0 for _ in designs]

    tight = SmallFlash(GRAPH, int(0.8 * GRAPH.macs))
    assert not tight.total(()).fits
    found = search(drop=20.0, cost=tight, sensitivity=Sensitivity(never, lambda candidates: candidates))
    assert not asked and found.chosen.candidates


def test_divergence_leads_where_labels_are_noise() -> None:
    """Each layer alone seems to gain: by accuracy alone the order of the layers would be luck."""

    class Lucky(Truth):
        def __call__(self, designs: Sequence[Candidates]) -> list:
            found = super().__call__(designs)
            return [row if len({c.layer for c in one}) != 1 else ~row | True for row, one in zip(found, designs)]

    found = search(exploration=Lucky(), sensitivity=PLAIN)
    levels = dict(found.chosen.point.levels)
    assert levels.get(0, 0.0) < levels[1]
