"""How much a product matters to the sum that it belongs to.

Two readings of the same published idea, chosen by name:

ratio_of_means  S_i = E[a_i] w_i / sum_j E[a_j] w_j   (signed; an output channel's significances add up to 1)
mean_of_ratios  S_i = E[ |a_i w_i / sum_j a_j w_j| ]  (what the authors' research code computes)

a: operand, w: its coefficient (for taps: input minus zero point, and int8 weight), E: mean over the calibration set;
the bias is left out.

Where the denominator is 0 the ratio says nothing: the products of such an output channel get an infinite significance,
so that no threshold drops them. A coefficient of 0 always has the significance 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

import numpy as np

from approx_plugin.approximation.basis import Float64Array, IntArray
from approx_plugin.approximation.statistics import LayerStatistics


def ratio_of_means(weights: IntArray, statistics: LayerStatistics) -> Float64Array:
    """float64, the shape of `weights` ([out_channels, *operands]); see the module."""
    # Products and sums of integers: exact, so a denominator of 0 is found as such.
    products = weights.astype(np.int64) * statistics.sums
    totals = products.reshape(len(weights), -1).sum(axis=1).reshape(-1, *[1] * (weights.ndim - 1))
    ratios = np.divide(products, totals, out=np.full(weights.shape, np.inf), where=totals != 0)
    return np.where(weights != 0, ratios, 0.0)


def mean_of_ratios(weights: IntArray, statistics: LayerStatistics) -> Float64Array:
    """float64, the shape of `weights`; see the module. Raises ValueError if the ratios were not gathered."""
    if statistics.ratios is None:
        raise ValueError("mean_of_ratios needs statistics that were gathered with ratios=True")
    ratios = np.where(np.isnan(statistics.ratios), np.inf, statistics.ratios)
    return np.where(weights != 0, ratios, 0.0)


def spread(weights: IntArray, statistics: LayerStatistics) -> Float64Array:
    """float64, the shape of `weights`: each product's standard deviation, which is what the bias cannot take up."""
    variance = np.maximum(statistics.second_moment - np.square(statistics.mean), 0.0)
    return np.asarray(np.abs(weights.astype(np.float64)) * np.sqrt(variance), np.float64)


CRITERIA: Mapping[str, Callable[[IntArray, LayerStatistics], Float64Array]] = {
    "ratio_of_means": ratio_of_means,
    "mean_of_ratios": mean_of_ratios,
}
"""By the name that approx.yaml uses."""
