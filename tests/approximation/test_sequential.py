"""Designs that are solved again as a whole: what is dropped stays dropped, and answers come closer to exact ones."""

from __future__ import annotations

import numpy as np
import pytest
from chain import network
from numpy.typing import NDArray

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.bases.transformed import POINTS_T22
from approx_plugin.approximation.candidate import Candidate, apply
from approx_plugin.approximation.grouping import Grouping, numbered
from approx_plugin.approximation.moments import gather_moments
from approx_plugin.approximation.reconstruction import candidates
from approx_plugin.approximation.sequential import Known, solved_again
from approx_plugin.reference.executor import run

GRAPH = network()


def images(count: int, seed: int) -> NDArray[np.int8]:
    """Neighbouring pixels are alike."""
    rough = np.random.default_rng(seed).normal(size=(count, 8, 8, 2)).cumsum(axis=1).cumsum(axis=2)
    made: NDArray[np.int8] = np.clip(np.rint(rough * 12), -128, 127).astype(np.int8)
    return made


def design(shared: bool = True, second: str = "taps") -> tuple[Candidate, ...]:
    bases = {0: TAPS, 1: TAPS if second == "taps" else POINTS_T22, 2: TAPS}
    moments = gather_moments(GRAPH, bases, images(60, 1))
    found: list[Candidate] = []
    for layer, basis in bases.items():
        operator = GRAPH.operators[layer]
        grouping = Grouping(basis, "a test's", numbered(basis.coefficients(operator).shape[1:]), shared)
        found += candidates(operator, moments[layer], grouping, (0.45,))
    assert [one.layer for one in found] == [0, 1, 2]
    return tuple(found)


def error(candidates: tuple[Candidate, ...], inputs: NDArray[np.int8]) -> float:
    exact, actual = run(GRAPH, inputs), run(apply(GRAPH, candidates), inputs)
    return float(np.square(exact.astype(np.float64) - actual).mean())


@pytest.mark.parametrize("second", ["taps", "t22"])
def test_the_network_comes_closer_to_the_exact_one(second: str) -> None:
    before = design(second=second)
    after = solved_again(GRAPH, before, images(60, 1))
    assert error(after, images(60, 1)) < 0.95 * error(before, images(60, 1))
    # On inputs that were not calibrated with as well.
    assert error(after, images(60, 2)) < error(before, images(60, 2))


def test_what_is_dropped_stays_dropped() -> None:
    before = design()
    after = solved_again(GRAPH, before, images(40, 1))
    assert after[0] is before[0], "the first layer's inputs are the exact ones"
    for one, other in zip(before, after):
        gone = (one.coefficients == 0).all(axis=0)
        assert gone.any() and (other.coefficients[:, gone] == 0).all()
        assert (one.layer, one.level) == (other.layer, other.level)
        assert other.operator.index == one.operator.index and other.operator.output is GRAPH.operators[one.layer].output


def test_groups_of_single_channels_stay_as_they_are() -> None:
    before = design(shared=False)
    assert solved_again(GRAPH, before, images(20, 1)) == before


def test_it_needs_images() -> None:
    with pytest.raises(ValueError, match="image"):
        solved_again(GRAPH, design(), images(0, 1))


def test_what_designs_have_in_common_is_solved_once() -> None:
    whole, known = design(), Known()
    first = solved_again(GRAPH, whole, images(40, 1), known)
    assert len(known) == 3
    again = solved_again(GRAPH, whole[:2], images(40, 1), known)
    assert again == first[:2] and len(known) == 3
    alone = solved_again(GRAPH, whole[1:], images(40, 1), known)
    assert len(known) == 5 and alone[0] is whole[1] and alone[1] is not first[2]
    for one, other in zip(solved_again(GRAPH, whole, images(40, 1)), first):
        np.testing.assert_array_equal(one.coefficients, other.coefficients)
