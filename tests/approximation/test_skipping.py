"""Thresholds, groups and candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from one_convolution import activation, convolution

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping, numbered
from approx_plugin.approximation.skipping import candidate, combined, thresholds
from approx_plugin.operators.conv2d import Conv2D


def layer(weights: np.ndarray) -> Conv2D:
    return convolution(weights, activation(0, (*weights.shape[1:3], weights.shape[3]), -128))


def channel_pairs(operands: tuple[int, ...]) -> np.ndarray:
    """Channels (0, 1), (2, 3), ... within a kernel position; the last one of an odd number alone."""
    *positions, channels = operands
    first = np.arange(int(np.prod(positions))).reshape(*positions, 1) * ((channels + 1) // 2)
    return first + np.arange(channels) // 2


GRANULARITIES = {"weight": numbered, "pair": channel_pairs}


def made(weights: np.ndarray, significance: np.ndarray, threshold: float, groups: np.ndarray) -> Candidate:
    return candidate(layer(weights), significance, threshold, Grouping(TAPS, "a test's", groups))


def weights_of(found: Candidate) -> np.ndarray:
    return TAPS.coefficients(found.operator)


def test_numbered_are_groups_of_one() -> None:
    groups = numbered((3, 3, 5))
    assert groups.shape == (3, 3, 5) and len(np.unique(groups)) == 45


def test_a_group_counts_as_the_sum_of_its_magnitudes() -> None:
    significance = np.array([[[[0.1, -0.2, 0.4]]], [[[np.inf, 0.0, -0.3]]]])
    found = combined(significance, Grouping(TAPS, "pairs", channel_pairs((1, 1, 3))))
    np.testing.assert_allclose(found[0, 0, 0], [0.3, 0.3, 0.4])
    assert found[1, 0, 0].tolist() == [np.inf, np.inf, 0.3]


def test_golden_candidates() -> None:
    weights = np.array([[[[5, -6, 7, 0]]], [[[-8, 9, 0, 11]]]], np.int8)
    significance = np.array([[[[0.5, -0.1, 0.6, 0.0]]], [[[0.05, 0.1, 0.0, 0.85]]]])
    single = made(weights, significance, 0.1, numbered((1, 1, 4)))
    assert weights_of(single)[:, 0, 0].tolist() == [[5, 0, 7, 0], [0, 0, 0, 11]]
    pairs = made(weights, significance, 0.15000000000000002, channel_pairs((1, 1, 4)))
    assert weights_of(pairs)[:, 0, 0].tolist() == [[5, -6, 7, 0], [0, 0, 0, 11]]
    assert (single.layer, single.level, single.products, single.kept) == (0, 0.1, 6, 3)
    assert single.kept_share == 0.5 and single.grouping.title == "a test's"
    assert weights_of(single).dtype == np.int8
    assert isinstance(single.operator, Conv2D)
    np.testing.assert_array_equal(single.operator.bias, layer(weights).bias)


SIGNIFICANCES = arrays.arrays(
    np.float64, (3, 2, 2, 3), elements=st.one_of(st.floats(-4, 4), st.just(np.inf), st.sampled_from([0.0, 0.25, 0.5]))
)
WEIGHTS = arrays.arrays(np.int8, (3, 2, 2, 3), elements=st.integers(-127, 127))


@given(WEIGHTS, SIGNIFICANCES, st.floats(0, 10), st.floats(0, 10), st.sampled_from(sorted(GRANULARITIES)))
def test_a_larger_threshold_drops_a_superset(
    weights: np.ndarray, significance: np.ndarray, one: float, other: float, granularity: str
) -> None:
    low, high = sorted((one, other))
    groups = GRANULARITIES[granularity](weights.shape[1:])
    few = made(weights, significance, low, groups)
    many = made(weights, significance, high, groups)
    assert many.kept <= few.kept
    for found in (few, many):
        left = weights_of(found)
        assert ((left == weights) | (left == 0)).all()
        assert found.kept == np.count_nonzero(left) and found.products == np.count_nonzero(weights)
        assert (left == weights)[np.isinf(significance)].all()
    assert not ((weights_of(many) != 0) & (weights_of(few) == 0)).any()


@given(WEIGHTS, SIGNIFICANCES, st.floats(0, 10))
def test_pairs_fall_together(weights: np.ndarray, significance: np.ndarray, threshold: float) -> None:
    kept = weights_of(made(weights, significance, threshold, channel_pairs(weights.shape[1:]))) != 0
    both = (weights[..., 0] != 0) & (weights[..., 1] != 0)
    assert (kept[..., 0] == kept[..., 1])[both].all()


@pytest.mark.parametrize("threshold", [-0.1, np.inf, np.nan])
def test_a_threshold_is_a_finite_number(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        made(np.ones((1, 1, 1, 2), np.int8), np.ones((1, 1, 1, 2)), threshold, numbered((1, 1, 2)))


@given(
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 5)),
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
)
def test_thresholds_are_the_smallest_that_reach_their_shares(values: np.ndarray, shares: list[float]) -> None:
    found = thresholds(values, shares)
    assert list(found) == sorted(set(found))
    for share in shares:
        enough = min(v for v in values if np.mean(values <= v) >= share - 1e-12)
        assert any(enough <= threshold <= enough * 1.001 for threshold in found)


def test_thresholds_by_hand() -> None:
    values = np.array([0.4, 0.1, 0.2, 0.3, 0.123456, 0.0, np.inf, np.inf, 0.6, 0.5])
    assert thresholds(values, [0.1, 0.2, 0.3, 0.8]) == (0.0, 0.1, 0.1235, 0.6)
    assert thresholds(values, [0.9, 1.0]) == ()
    # the first of two counts nine times as often
    assert thresholds(np.array([1.0, 2.0]), [0.5, 0.9, 0.95], np.array([9.0, 1.0])) == (1.0, 2.0)
