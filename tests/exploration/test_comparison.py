"""Paired comparison of two classifiers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.exploration.comparison import compare, standard_error


def answers(both: int, lost: int, gained: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    exact = [True] * (both + lost) + [False] * (gained + neither)
    other = [True] * both + [False] * lost + [True] * gained + [False] * neither
    return np.array(exact), np.array(other)


def test_by_hand() -> None:
    found = compare(*answers(both=70, lost=8, gained=3, neither=19))
    assert (found.images, found.exact, found.approximated, found.difference) == (100, 78.0, 73.0, -5.0)
    middle = (4 - 9) / 102
    half = 1.959963984540054 * math.sqrt(((4 + 9) / 102 - middle**2) / 102)
    assert found.interval == pytest.approx((100 * (middle - half), 100 * (middle + half)))


def test_two_networks_that_never_differ_are_not_known_to_be_equal() -> None:
    found = compare(*answers(90, 0, 0, 10))
    assert found.difference == 0 and found.interval[0] < 0 < found.interval[1]


@given(st.tuples(*[st.integers(0, 400)] * 4).filter(sum))
def test_the_interval_is_symmetric_and_within_bounds(counts: tuple[int, int, int, int]) -> None:
    exact, other = answers(*counts)
    one, back = compare(exact, other), compare(other, exact)
    assert one.difference == -back.difference
    assert one.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert -100 <= one.interval[0] <= one.interval[1] <= 100
    assert one.approximated - one.exact == pytest.approx(one.difference)


@pytest.mark.parametrize("counts", [(1500, 160, 90, 250), (300, 20, 20, 60)])
def test_the_interval_agrees_with_a_paired_bootstrap(counts: tuple[int, int, int, int]) -> None:
    exact, other = answers(*counts)
    found = compare(exact, other)
    rng = np.random.default_rng(1)
    difference = other.astype(int) - exact.astype(int)
    resampled = [difference[rng.integers(0, len(exact), len(exact))].mean() * 100 for _ in range(2000)]
    width = found.interval[1] - found.interval[0]
    np.testing.assert_allclose(found.interval, np.percentile(resampled, [2.5, 97.5]), atol=0.08 * width)
    assert standard_error(exact, other) == pytest.approx(np.std(resampled), rel=0.08)
