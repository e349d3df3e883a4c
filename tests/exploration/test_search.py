"""The whole search: with made-up accuracies, and on the digits network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mac_cost import MacCost, macs_kept
from made_up_search import GRAPH, IMAGES, OPTIONS, SmallFlash, Truth, best_possible, search

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.candidate import Candidate, apply
from approx_plugin.approximation.grouping import single
from approx_plugin.approximation.options import Options, by_significance
from approx_plugin.dataset import Dataset
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.front import Front, Point
from approx_plugin.exploration.measurement import BudgetSpent, Notebook, silent
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.pricing import Price
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.exploration.search import explore
from approx_plugin.exploration.start import starts
from approx_plugin.exploration.workers import SerialExecutor
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.reference.executor import accuracy
from approx_plugin.spec.spec import Search, Target
from approx_plugin.tflite.reader import read_graph


@pytest.mark.parametrize("drop", [0.5, 1.0, 3.0])
def test_the_search_comes_close_to_the_best_of_all_combinations(drop: float) -> None:
    found = search(drop=drop)
    exact = GRAPH.macs
    assert found.target_met and found.confirmation.difference >= -drop - 1e-9
    saved, possible = exact - found.chosen.point.cycles, exact - best_possible(0.8 * drop)
    assert saved >= 0.93 * possible
    assert len(found.looks) == 1


def test_what_is_reported_is_what_was_measured() -> None:
    found = search()
    assert found.points[0].levels == () and found.points[0].accuracy == 80.0
    assert found.front == Front.of(found.points) and found.chosen.point in found.points
    assert found.evaluations == len(found.points) <= 60
    assert found.chosen.point.levels == tuple((c.layer, c.level) for c in found.chosen.candidates)
    assert found.chosen.point.macs_kept == sum(
        macs_kept(op, {c.layer: c for c in found.chosen.candidates}.get(op.index)) for op in GRAPH.operators
    )
    assert found.exploration.approximated == pytest.approx(found.chosen.point.accuracy)
    assert found.confirmation.exact == 81.0 and found.confirmation.images == IMAGES
    assert found.message


@pytest.mark.parametrize("evaluations", [1, 2, 5, 17, 60])
def test_the_budget_is_kept(evaluations: int) -> None:
    exploration = Truth()
    found = search(evaluations, exploration=exploration)
    asked = [str(design) for call in exploration.calls for design in call]
    assert len(asked) == len(set(asked)) == found.evaluations <= evaluations
    assert all(len(call) <= 8 for call in exploration.calls)


def test_the_sweep_is_measured() -> None:
    exploration = Truth()
    search(60, exploration=exploration)
    asked = [design for call in exploration.calls for design in call]
    assert all([(0, s), (1, s), (2, s)] in asked for s in (0.1, 0.3, 0.5))


def test_same_seed_same_search_and_progress_is_told() -> None:
    told: list[tuple] = []
    first, second = Truth(), Truth()
    one = search(exploration=first, progress=lambda *state: told.append(state))
    other = search(exploration=second)
    assert first.calls == second.calls and one.points == other.points and one.chosen.point == other.chosen.point
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told}) and told[-1][0] == one.evaluations
    assert {total for _, total, _ in told} == {60}
    meeting = [p for p in one.points if p.accuracy >= 79.0 - 1e-9]
    assert told[-1][2] is not None and told[-1][2].cycles == min(p.cycles for p in meeting)


def test_a_worse_confirmation_set_makes_it_milder_or_exact() -> None:
    milder = search(confirmation=Truth(81.0, worse=0.6))
    assert milder.target_met and milder.chosen.candidates and len(milder.looks) > 1
    place = [look.point for look in milder.looks].index(milder.chosen.point) + 1
    assert f"number {place} of the {len(milder.looks)} designs" in milder.message
    assert not milder.looks[0].met and milder.chosen.point.cycles > milder.looks[0].point.cycles
    none = search(confirmation=Truth(81.0, worse=2.0))
    assert none.chosen.candidates == () and none.target_met and not any(look.met for look in none.looks)
    assert none.confirmation.difference == 0 and none.chosen.point == none.points[0]
    assert "NOTHING IS APPROXIMATED" in none.message and "confirmation" in none.message


def test_an_accuracy_that_the_exact_network_does_not_reach() -> None:
    found = search(target=Target(None, 85.0))
    assert found.chosen.candidates == () and not found.target_met and found.evaluations == 1
    assert "THE TARGET IS NOT MET" in found.message
    only_on_one_set = search(target=Target(None, 79.5), confirmation=Truth(79.0))
    assert only_on_one_set.chosen.candidates == () and not only_on_one_set.target_met
    assert "THE TARGET IS NOT MET" in only_on_one_set.message


def test_a_minimum_accuracy_is_a_target_as_well() -> None:
    found = search(target=Target(None, 78.0))
    assert found.target_met and found.confirmation.approximated >= 78.0
    assert GRAPH.macs - found.chosen.point.cycles >= 0.9 * (GRAPH.macs - best_possible(1.6))


def test_layers_that_bear_nothing_leave_the_exact_network() -> None:
    found = search(exploration=Truth(sensitivity=(9e3, 9e3, 9e3)), confirmation=Truth(sensitivity=(9e3, 9e3, 9e3)))
    assert found.chosen.candidates == () and found.target_met and not found.looks
    assert "exploration set" in found.message


def test_nothing_to_choose_from() -> None:
    found = search(options=Options({}))
    assert found.evaluations == 1 and found.chosen.candidates == () and found.target_met
    assert "cheaper" in found.message


def test_a_cost_that_rewards_nothing_leaves_the_exact_network() -> None:
    class Flat(MacCost):
        def layer(self, operator: Operator, candidate: Candidate | None) -> Price:
            return Price(5.0, 0, 7, operator.index)

    found = search(cost=Flat(GRAPH))
    assert found.chosen.candidates == () and found.points[0].cycles == 15.0
    assert (found.points[0].flash_bytes, found.points[0].ram_bytes) == (21, 2)


def test_candidates_that_save_nothing_are_not_measured() -> None:
    """What the choice would not take stays exact, and so does what is reported."""

    class WithoutFirst(MacCost):
        def effective(self, candidates: Candidates) -> Candidates:
            return tuple(c for c in candidates if c.layer != 0)

        def total(self, candidates: Candidates) -> Price:
            return super().total(self.effective(candidates))

    exploration = Truth()
    found = search(cost=WithoutFirst(GRAPH), exploration=exploration)
    measured = [layer for call in exploration.calls for design in call for layer, _ in design]
    assert found.chosen.candidates and 0 not in measured
    assert all(layer != 0 for point in found.points for layer, _ in point.levels)


def test_the_notebook_counts_a_design_once() -> None:
    notebook = Notebook(Truth(), MacCost(GRAPH), 3, silent)
    one, two, three = (OPTIONS.ladders[0][i] for i in range(3))
    first = notebook.measure([(one,), (one,), (two,)])
    assert first[0] is first[1] and notebook.used == 2
    with pytest.raises(BudgetSpent):
        notebook.measure([(three,), (two,), (three, OPTIONS.ladders[1][0])])
    assert notebook.used == 3 and notebook.known((three,)), "what the budget allows is measured"
    assert notebook.measure([(two,)])[0] is first[2]


# ---- more evaluations


TRUTHS = {"steep": (20.0, 4.0, 1.0), "even": (3.0, 3.0, 3.0), "flat": (0.5, 30.0, 2.0)}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("worse", [0.0, 0.6])
@pytest.mark.parametrize("truth", TRUTHS)
def test_more_evaluations_go_on_where_fewer_ended_and_never_end_slower(truth: str, worse: float, seed: int) -> None:
    """On a confirmation set that is worse, and where other layers are the sensitive ones."""
    sensitivity = TRUTHS[truth]
    other = tuple(s * (0.8 + 0.2 * ((seed + i) % 3)) for i, s in enumerate(sensitivity))
    cycles = float("inf")
    points: tuple[Point, ...] = ()
    for evaluations in (1, 4, 9, 15, 19, 30, 44, 60, 75, 120):
        found = search(
            evaluations,
            seed=seed,
            exploration=Truth(sensitivity=sensitivity),
            confirmation=Truth(81.0, worse=worse, sensitivity=other),
        )
        assert found.points[: len(points)] == points
        assert found.chosen.point.cycles <= cycles
        assert found.target_met and len(found.looks) <= 14
        cycles, points = found.chosen.point.cycles, found.points
    assert cycles < GRAPH.macs


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(*[st.floats(0.1, 40.0)] * 3),
    st.tuples(*[st.floats(0.1, 40.0)] * 3),
    st.floats(0.0, 3.0),
    st.lists(st.integers(1, 100), min_size=2, max_size=4, unique=True),
    st.integers(0, 3),
)
def test_the_budget_never_makes_it_worse(
    one: tuple[float, ...], other: tuple[float, ...], drop: float, budgets: list[int], seed: int
) -> None:
    found = [
        search(n, drop, seed=seed, exploration=Truth(sensitivity=one), confirmation=Truth(sensitivity=other))
        for n in sorted(budgets)
    ]
    cycles = [result.chosen.point.cycles for result in found]
    assert cycles == sorted(cycles, reverse=True)
    assert all(result.target_met for result in found)


# ---- limits


@pytest.mark.parametrize("share", [0.95, 0.8, 0.6])
def test_where_the_exact_network_does_not_fit_an_approximated_one_is_found(share: float) -> None:
    limit = int(share * GRAPH.macs)
    exploration, flat = Truth(sensitivity=(4.0, 4.0, 1.0)), Truth(81.0, sensitivity=(4.0, 4.0, 1.0))
    found = search(60, 2.0, cost=SmallFlash(GRAPH, limit), exploration=exploration, confirmation=flat)
    assert found.target_met and not found.exact_fits and found.chosen.candidates
    assert "does not fit" in found.message
    assert found.chosen.point.flash_bytes <= limit
    assert all(point.flash_bytes <= limit for point in (*found.points[1:], *found.front.points))
    assert found.points[0].levels == () and found.points[0] not in found.front.points
    roomy = search(60, 2.0, exploration=exploration, confirmation=flat)
    assert GRAPH.macs - found.chosen.point.cycles >= 0.9 * (GRAPH.macs - roomy.chosen.point.cycles)


def test_a_limit_costs_no_evaluation_and_a_larger_budget_never_ends_slower() -> None:
    cycles = float("inf")
    for evaluations in (8, 15, 30, 60, 120):
        exploration = Truth(sensitivity=(4.0, 4.0, 1.0))
        cost = SmallFlash(GRAPH, int(0.8 * GRAPH.macs))
        try:
            found = search(evaluations, 2.0, cost=cost, exploration=exploration, confirmation=Truth(81.0))
        except NothingMeetsTheTarget:
            assert cycles == float("inf")
            continue
        asked = [design for call in exploration.calls for design in call]
        assert len(asked) == found.evaluations <= evaluations
        assert found.chosen.point.cycles <= cycles
        cycles = found.chosen.point.cycles
    assert cycles < float("inf")


def test_nothing_that_fits_meets_the_target() -> None:
    with pytest.raises(NothingMeetsTheTarget, match=r"of \d+ designs that fit, the best one reaches 7\d\.\d\d %"):
        search(40, 0.2, cost=SmallFlash(GRAPH, int(0.5 * GRAPH.macs)))
    with pytest.raises(NothingMeetsTheTarget, match="tried on the confirmation set the best reaches 7"):
        search(40, 2.0, cost=SmallFlash(GRAPH, int(0.8 * GRAPH.macs)), confirmation=Truth(81.0, worse=2.5))
    with pytest.raises(NothingMeetsTheTarget, match="no design that fits could be measured"):
        search(40, cost=SmallFlash(GRAPH, 1))


def test_starts_are_the_mildest_that_fit() -> None:
    ladders = tuple(OPTIONS.ladders[layer] for layer in range(3))
    for share in (0.95, 0.7, 0.5):
        cost = SmallFlash(GRAPH, int(share * GRAPH.macs))

        def fits(levels: tuple[int, ...], cost: SmallFlash = cost) -> bool:
            return cost.total(tuple(ladder[k - 1] for ladder, k in zip(ladders, levels) if k)).fits

        even, thrifty = starts(ladders, cost)
        assert fits(even) and fits(thrifty) and len(set(even)) == 1
        assert not fits(tuple(level - 1 for level in even))
        assert sum(level**2 for level in thrifty) <= sum(level**2 for level in even)
    assert starts(ladders, SmallFlash(GRAPH, 1)) == ()


def digits(root: Path) -> tuple[Graph, Int8Array, Dataset, Dataset]:
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    arrays = np.load(root / "models" / "digits.npz")
    sets = (
        Dataset(part, arrays[f"{part}_images"], arrays[f"{part}_labels"].astype(np.int64))
        for part in ("exploration", "confirmation")
    )
    return graph, arrays["calibration_images"], *sets


def test_digits_from_end_to_end_and_again_from_the_memo(root: Path, tmp_path: Path) -> None:
    graph, calibration, exploration, confirmation = digits(root)
    layers = [op.index for op in graph.operators if op.kind == "CONV_2D"]
    groupings = {index: single(TAPS, graph.operators[index]) for index in layers}
    options = by_significance(graph, groupings, calibration, criterion="ratio_of_means")

    def run() -> Exploration:
        pool, memo = SerialExecutor(), Memo(tmp_path)
        first, second = (Evaluator(graph, images, pool, memo) for images in (exploration, confirmation))
        return explore(options, MacCost(graph), first, second, Target(3.0, None), Search(1, 40, 1, None))

    found = run()
    assert found.target_met and found.chosen.candidates
    approximated = apply(graph, found.chosen.candidates)
    assert accuracy(approximated, exploration) == pytest.approx(found.chosen.point.accuracy)
    assert accuracy(approximated, confirmation) == pytest.approx(found.confirmation.approximated)
    assert accuracy(graph, confirmation) == pytest.approx(found.confirmation.exact)
    assert found.confirmation.difference >= -3.0
    assert found.chosen.point.macs_kept < 0.9 * graph.macs
    stored = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = run()
    assert again.points == found.points and again.chosen.point == found.chosen.point and again.looks == found.looks
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == stored


def test_another_seed_may_take_another_way_but_keeps_the_target() -> None:
    for seed in range(4):
        found = search(evaluations=90, seed=seed)
        assert found.target_met and found.chosen.point.cycles <= 1.02 * best_possible(0.8)


def test_a_candidate_is_priced_by_what_it_keeps() -> None:
    option = OPTIONS.ladders[1][5]
    positions = GRAPH.operators[1].output.shape[1] * GRAPH.operators[1].output.shape[2]
    assert macs_kept(GRAPH.operators[1], None) == GRAPH.operators[1].macs
    assert macs_kept(GRAPH.operators[1], option) == positions * option.kept
