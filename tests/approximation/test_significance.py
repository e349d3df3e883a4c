"""Both readings of significance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from one_convolution import activation, convolution, network

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.significance import CRITERIA, mean_of_ratios, ratio_of_means
from approx_plugin.approximation.statistics import LayerStatistics, gather

SHAPE = (4, 2, 3, 2)


def statistics(sums: np.ndarray, samples: int = 10, ratios: np.ndarray | None = None) -> LayerStatistics:
    return LayerStatistics(samples, sums.astype(np.int64), sums.astype(np.int64) ** 2, ratios)


@given(
    arrays.arrays(np.int8, SHAPE, elements=st.integers(-127, 127)),
    arrays.arrays(np.int64, SHAPE[1:], elements=st.integers(-(10**9), 10**9)),
)
def test_the_significances_of_a_channel_add_up_to_one(weights: np.ndarray, sums: np.ndarray) -> None:
    found = ratio_of_means(weights, statistics(sums))
    assert not np.isnan(found).any()
    assert (found[weights == 0] == 0).all()
    for channel, significance in zip(weights.astype(object), found):
        products: list[int] = (channel * sums.astype(object)).ravel().tolist()
        total = sum(products)
        if total == 0:
            assert np.isinf(significance[channel != 0]).all()
        else:
            shares = [product / total for product in products]
            np.testing.assert_allclose(significance.ravel(), shares, rtol=1e-14)
            slack = 1e-14 * len(products) * max(map(abs, shares))
            assert abs(significance.sum() - 1) <= slack + 1e-14


def test_ratio_of_means_by_hand() -> None:
    weights = np.array([[[[10, -5]]], [[[1, 1]]], [[[0, 3]]]], np.int8)
    found = ratio_of_means(weights, statistics(np.array([[[20, 10]]])))
    np.testing.assert_allclose(found[:, 0, 0], [[200 / 150, -50 / 150], [2 / 3, 1 / 3], [0.0, 1.0]])


def test_a_channel_whose_sum_is_zero_keeps_everything_but_zeros() -> None:
    weights = np.array([[[[1, -2, 0]]]], np.int8)
    found = ratio_of_means(weights, statistics(np.array([[[4, 2, 9]]])))
    assert found.ravel().tolist() == [np.inf, np.inf, 0]


def test_mean_of_ratios_keeps_what_nothing_is_known_about() -> None:
    weights = np.array([[[[1, 0]]], [[[3, 4]]]], np.int8)
    ratios = np.array([[[[np.nan, np.nan]]], [[[0.25, 0.5]]]])
    found = mean_of_ratios(weights, statistics(np.array([[[1, 1]]]), ratios=ratios))
    assert found.ravel().tolist() == [np.inf, 0, 0.25, 0.5]


def test_mean_of_ratios_needs_its_statistics() -> None:
    with pytest.raises(ValueError, match="ratios=True"):
        mean_of_ratios(np.ones((1, 1, 1, 2), np.int8), statistics(np.array([[[1, 1]]])))


def test_both_readings_agree_where_every_sample_is_the_same() -> None:
    rng = np.random.default_rng(0)
    conv = convolution(rng.integers(-127, 128, (5, 2, 2, 3), dtype=np.int8), activation(0, (2, 2, 3), -128))
    images = np.repeat(rng.integers(-128, 128, (1, 2, 2, 3), dtype=np.int8), 9, axis=0)
    layer = gather(network(conv), {0: TAPS}, images, ratios=True).layers[0]
    np.testing.assert_allclose(np.abs(ratio_of_means(conv.weights, layer)), mean_of_ratios(conv.weights, layer))
    assert set(CRITERIA) == {"ratio_of_means", "mean_of_ratios"}
