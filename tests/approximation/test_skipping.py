"""Thresholds, groups and candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from one_convolution import activation, convolution

from approx_plugin.approximation.skipping import (
    GRANULARITIES,
    candidate,
    channel_pairs,
    combined,
    single_weights,
    thresholds,
)
from approx_plugin.operators.conv2d import Conv2D


def layer(weights: np.ndarray) -> Conv2D:
    return convolution(weights, activation(0, (*weights.shape[1:3], weights.shape[3]), -128))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (1, [[[0], [1]], [[2], [3]]]),
        (2, [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),
        (3, [[[0, 0, 1], [2, 2, 3]], [[4, 4, 5], [6, 6, 7]]]),
        (4, [[[0, 0, 1, 1], [2, 2, 3, 3]], [[4, 4, 5, 5], [6, 6, 7, 7]]]),
    ],
)
def test_pairs_are_aligned_within_a_kernel_position(channels: int, expected: list) -> None:
    assert channel_pairs((2, 2, channels)).tolist() == expected


def test_single_weights_are_groups_of_one() -> None:
    groups = single_weights((3, 3, 5))
    assert groups.shape == (3, 3, 5) and len(np.unique(groups)) == 45


def test_a_group_counts_as_the_sum_of_its_magnitudes() -> None:
    significance = np.array([[[[0.1, -0.2, 0.4]]], [[[np.inf, 0.0, -0.3]]]])
    found = combined(significance, channel_pairs((1, 1, 3)))
    np.testing.assert_allclose(found[0, 0, 0], [0.3, 0.3, 0.4])
    assert found[1, 0, 0].tolist() == [np.inf, np.inf, 0.3]


def test_golden_candidates() -> None:
    weights = np.array([[[[5, -6, 7, 0]]], [[[-8, 9, 0, 11]]]], np.int8)
    significance = np.array([[[[0.5, -0.1, 0.6, 0.0]]], [[[0.05, 0.1, 0.0, 0.85]]]])
    conv = layer(weights)
    single = candidate(conv, significance, 0.1, single_weights((1, 1, 4)))
    assert single.weights[:, 0, 0].tolist() == [[5, 0, 7, 0], [0, 0, 0, 11]]
    assert single.kept[:, 0, 0].tolist() == [[True, False, True, False], [False, False, False, True]]
    pairs = candidate(conv, significance, 0.15000000000000002, channel_pairs((1, 1, 4)))
    assert pairs.weights[:, 0, 0].tolist() == [[5, -6, 7, 0], [0, 0, 0, 11]]
    assert (single.layer, single.level, single.kept_share) == (0, 0.1, 3 / 8)
    assert single.weights.dtype == np.int8
    np.testing.assert_array_equal(single.bias, conv.bias)


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
    few = candidate(layer(weights), significance, low, groups)
    many = candidate(layer(weights), significance, high, groups)
    assert not (many.kept & ~few.kept).any()
    for found in (few, many):
        np.testing.assert_array_equal(found.weights, np.where(found.kept, weights, 0))
        assert not found.kept[weights == 0].any()
        assert found.kept[np.isinf(significance) & (weights != 0)].all()


@given(WEIGHTS, SIGNIFICANCES, st.floats(0, 10))
def test_pairs_fall_together(weights: np.ndarray, significance: np.ndarray, threshold: float) -> None:
    kept = candidate(layer(weights), significance, threshold, channel_pairs(weights.shape[1:])).kept
    both = (weights[..., 0] != 0) & (weights[..., 1] != 0)
    assert (kept[..., 0] == kept[..., 1])[both].all()


@pytest.mark.parametrize("threshold", [-0.1, np.inf, np.nan])
def test_a_threshold_is_a_finite_number(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        candidate(layer(np.ones((1, 1, 1, 2), np.int8)), np.ones((1, 1, 1, 2)), threshold, single_weights((1, 1, 2)))


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
