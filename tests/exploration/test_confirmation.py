"""The walk from the cheapest design upwards on the confirmation set, with made-up accuracies."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from chain import network, thinned

from approx_plugin.exploration.comparison import BoolArray
from approx_plugin.exploration.confirmation import Confirmation, checkpoints, confirm, nominees
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.promise import Promise
from approx_plugin.spec.spec import Target

GRAPH = network()
EXACT = Design((), Point(90.0, 100, 100.0, 0, 0))
GOAL = Goal.on(Target(max_accuracy_drop=1.0, accuracy=None), 90.0)


def design(cycles: float, accuracy: float) -> Design:
    return Design((thinned(GRAPH, 0, cycles / 200),), Point(accuracy, 0, cycles, 0, 0, ((0, cycles),)))


class Oracle:
    """Answers with a given accuracy on 1000 images for every number of cycles, and notes what was asked."""

    def __init__(self, accuracies: Mapping[int, float]) -> None:
        self.accuracies = accuracies
        self.asked: list[int] = []

    def __call__(self, designs: Sequence[Candidates]) -> list[BoolArray]:
        found = []
        for (candidate,) in designs:
            cycles = round(candidate.level * 200)
            self.asked.append(cycles)
            found.append(np.arange(1000) < 10 * self.accuracies[cycles])
        return found


def look(
    designs: list[Design],
    oracle: Oracle,
    goal: Goal = GOAL,
    exact_fits: bool = True,
    confidence: float | None = None,
) -> Confirmation:
    """After a search that has measured these and had nothing left to measure."""
    origin = EXACT.point.cycles if exact_fits else None
    promise = Promise(Target(max_accuracy_drop=goal.allowed, accuracy=None), np.arange(1000) < 900, confidence)
    return confirm([EXACT, *designs], True, origin, goal, promise, oracle)


def test_the_cheapest_one_that_passes_is_taken_at_once() -> None:
    oracle = Oracle({40: 89.0, 60: 90.0})
    designs = [design(60, 89.9), design(40, 89.1), design(30, 88.9), design(100, 95.0), design(120, 95.0)]
    found = look(designs, oracle)
    assert found.design is designs[1] and oracle.asked == [40]
    assert [(seen.accuracy, seen.met) for seen in found.looks] == [(89.0, True)]
    assert found.correct is not None and found.correct.sum() == 890


def test_close_to_the_cheapest_the_more_accurate_one_is_tried() -> None:
    oracle = Oracle({44: 89.5})
    found = look([design(40, 89.1), design(44, 90.4), design(60, 92.0)], oracle)
    assert oracle.asked == [44] and found.design is not None


def test_after_a_miss_less_is_skipped_in_a_few_steps() -> None:
    designs = [design(cycles, 89.5) for cycles in range(20, 100, 5)]
    oracle = Oracle({cycles: 90.0 - 4 * ((100 - cycles) / 80) ** 2 for cycles in range(20, 100, 5)})
    found = look(designs, oracle)
    assert oracle.asked == [20, 40, 60]
    assert [seen.met for seen in found.looks] == [False, False, True]
    assert found.design is not None and found.design.point.cycles == 60


def test_what_was_nominated_with_fewer_evaluations_still_is_with_more() -> None:
    rng = np.random.default_rng(4)
    designs = [design(int(c), 88 + 3 * a) for c, a in zip(rng.permutation(np.arange(5, 100)), rng.random(95))]
    before: set[Design] = set()
    for count in range(1, 96):
        for start in (EXACT.point.cycles, None):
            chosen = nominees([EXACT, *designs[: count - 1]], False, start, GOAL)
            assert [d.point.cycles for d in chosen] == sorted(d.point.cycles for d in chosen)
            assert all(GOAL.met(d.point.accuracy) for d in chosen) and EXACT not in chosen
            if start is not None:
                assert before <= set(chosen)
                before = set(chosen)
    assert 3 < len(before) <= 14


def test_checkpoints_go_on_for_ever() -> None:
    assert list(itertools.islice(checkpoints(), 11)) == [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240]


def test_if_nothing_passes_there_is_no_design_and_the_looks_are_few() -> None:
    designs = [design(cycles, 90.0) for cycles in range(10, 100)]
    oracle = Oracle(dict.fromkeys(range(10, 100), 88.9))
    found = look(designs, oracle)
    assert found.design is None and found.correct is None
    assert 4 <= len(found.looks) == len(oracle.asked) <= 10 and not any(seen.met for seen in found.looks)
    assert oracle.asked == sorted(set(oracle.asked))


def test_a_target_without_any_loss_still_ends() -> None:
    goal = Goal.on(Target(max_accuracy_drop=0.0, accuracy=None), 90.0)
    oracle = Oracle({20: 89.0, 60: 89.9, 80: 90.0, 70: 89.5, 40: 88.0})
    found = look([design(c, 90.0) for c in (20, 40, 60, 70, 80)], oracle, goal)
    assert found.design is not None and found.design.point.cycles == 80


def test_designs_that_missed_on_the_exploration_set_are_never_looked_at() -> None:
    oracle = Oracle({})
    assert look([design(20, 88.99)], oracle).looks == ()


def test_where_the_exact_network_does_not_fit_none_has_to_be_quicker() -> None:
    oracle = Oracle({110: 89.5, 130: 89.5})
    assert look([design(130, 89.5), design(110, 89.5)], oracle).looks == ()
    found = look([design(130, 89.5), design(110, 89.5)], oracle, exact_fits=False)
    assert found.design is not None and found.design.point.cycles == 110


@pytest.mark.parametrize(
    ("target", "exact", "required", "allowed"),
    [
        (Target(1.5, None), 80.0, 78.5, 1.5),
        (Target(None, 75.0), 80.0, 75.0, 5.0),
        (Target(None, 85.0), 80.0, 85.0, -5.0),
    ],
)
def test_goals(target: Target, exact: float, required: float, allowed: float) -> None:
    goal = Goal.on(target, exact)
    assert (goal.required, goal.allowed) == (required, allowed)
    assert goal.met(required) and not goal.met(required - 0.01)


def test_goals_are_not_missed_by_rounding_errors() -> None:
    for images in range(1, 2000, 7):
        exact = 100 * (images // 2) / images
        assert Goal.on(Target(100 / images, None), exact).met(100 * (images // 2 - 1) / images)


def test_the_reserve_grows_with_the_noise_up_to_a_limit() -> None:
    assert GOAL.met_with_reserve(89.2, 0.0) and not GOAL.met_with_reserve(89.19, 0.0)
    assert GOAL.met_with_reserve(89.4, 0.8) and not GOAL.met_with_reserve(89.39, 0.8)
    assert GOAL.met_with_reserve(89.5, 50.0) and not GOAL.met_with_reserve(89.49, 50.0)
    assert Goal.on(Target(0.0, None), 90.0).met_with_reserve(90.0, 5.0)


def test_a_target_without_content_is_refused() -> None:
    with pytest.raises(ValueError, match="drop or an accuracy"):
        Goal.on(Target(None, None), 90.0)


def test_with_a_confidence_the_mildest_is_tried_first_and_the_first_miss_ends_it() -> None:
    designs = [design(cycles, 89 + cycles / 100) for cycles in range(20, 100, 10)]
    truth = {90: 90.0, 80: 90.0, 70: 89.8, 60: 89.7, 50: 89.4, 40: 89.3, 30: 90.0, 20: 90.0}
    oracle = Oracle(truth)
    found = look(designs, oracle, confidence=95.0)
    assert oracle.asked == [90, 80, 70, 60, 50]
    assert [seen.met for seen in found.looks] == [True, True, True, True, False]
    assert found.design is not None and found.design.point.cycles == 60
    assert found.correct is not None and found.correct.sum() == 897
    bounds = [seen.bound for seen in found.looks]
    assert all(bound is not None for bound in bounds)
    assert [seen.images_needed is None for seen in found.looks] == [True, True, True, True, False]
    missed = found.looks[-1]
    assert missed.images_needed is not None and missed.images_needed > 1000


def test_with_a_confidence_nothing_is_taken_if_the_mildest_misses() -> None:
    oracle = Oracle({90: 89.2, 80: 90.0})
    found = look([design(90, 89.6), design(80, 89.5)], oracle, confidence=95.0)
    assert found.design is None and found.correct is None and len(found.looks) == 1


def test_with_a_confidence_a_poor_mild_design_does_not_stand_in_the_way() -> None:
    designs = [design(90, 89.1), design(60, 89.8), design(40, 89.5)]
    oracle = Oracle({90: 88.0, 60: 89.9, 40: 89.8})
    found = look(designs, oracle, confidence=95.0)
    assert oracle.asked == [60, 40]
    assert found.design is designs[2]
    known = confirm(
        [EXACT, *designs],
        True,
        EXACT.point.cycles,
        GOAL,
        Promise(Target(max_accuracy_drop=1.0, accuracy=None), np.arange(1000) < 900, 95.0),
        oracle,
        lambda one: one is not designs[1],
    )
    assert oracle.asked[2:] == [40] and known.design is designs[2]
