"""Leaving products out: thresholds on the significance, and the candidates that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Context
from typing import Callable

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.operators.conv2d import Conv2D

Float64Array = npt.NDArray[np.float64]
Groups = npt.NDArray[np.int64]
"""[*operands]: the number of the group that an operand is in, 0 to groups - 1. A group is dropped as a whole."""

THRESHOLD_DIGITS = 4
"""Significant digits of a threshold: what the report prints is then what was used."""


def single_weights(operands: Sequence[int]) -> Groups:
    """Every product on its own, as published. operands: their shape."""
    return np.arange(int(np.prod(operands)), dtype=np.int64).reshape(operands)


def channel_pairs(operands: Sequence[int]) -> Groups:
    """Pairs of neighbouring input channels (0, 1), (2, 3), ... within a kernel position: what one SMLAD does.

    operands: their shape, the input channels last. The last channel of an odd number stands alone: with 3 input
    channels the groups are (0, 1) and (2), with 1 every product is its own group.
    """
    *positions, channels = operands
    pairs = (channels + 1) // 2
    first = np.arange(int(np.prod(positions)), dtype=np.int64).reshape(*positions, 1) * pairs
    return first + np.arange(channels) // 2


GRANULARITIES: Mapping[str, Callable[[Sequence[int]], Groups]] = {
    "weight": single_weights,
    "pair": channel_pairs,
}
"""By the name that approx.yaml uses. A kernel schedule that drops other groups brings a function of its own."""


def combined(significance: Float64Array, groups: Groups) -> Float64Array:
    """For every product the sum of |S| over its group. significance: [out_channels, *operands]; the same shape back.

    A product is dropped by every threshold at or above this value.
    """
    flat = groups.reshape(-1)
    sums = [np.bincount(flat, channel) for channel in np.abs(significance).reshape(len(significance), -1)]
    return np.asarray(sums, np.float64)[:, flat].reshape(significance.shape)


def candidate(operator: Conv2D, significance: Float64Array, threshold: float, groups: Groups) -> Candidate:
    """The layer without the products whose group has a combined |S| <= threshold, and without those of weight 0.

    significance: [out_channels, *operands] as the operator's weights; threshold: finite, >= 0; bias stays as it is.
    """
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ValueError(f"a threshold is a finite number >= 0, not {threshold}")
    kept = (combined(significance, groups) > threshold) & (operator.weights != 0)
    weights = np.where(kept, operator.weights, np.int8(0))
    return Candidate(operator.index, kept, weights, operator.bias, threshold)


def thresholds(values: Float64Array, shares: Iterable[float], mass: Float64Array | None = None) -> tuple[float, ...]:
    """The thresholds that drop at least the given shares of the products: ascending, none twice.

    values: `combined` significances of any number of products, flat; 0 for those that are dropped anyway.
    shares: 0 <= share <= 1; one that only a threshold of infinity would reach is left out.
    mass: what each product counts in a share (e.g. how often it is computed); None: all the same.
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    counts = np.ones(len(values)) if mass is None else mass[order]
    reached = np.cumsum(counts) / counts.sum()
    found = set()
    for share in shares:
        # The slack keeps a share that is met exactly (0.2 of 10 products) from being missed by a rounding error.
        rank = int(np.searchsorted(reached, share - 1e-12))
        value = float(ranked[rank])
        if np.isfinite(value):
            found.add(_rounded_up(value))
    return tuple(sorted(found))


def _rounded_up(value: float) -> float:
    # The shortest decimal of the number, not its exact value: 0.1 (a little more than that in binary) stays 0.1.
    return float(Context(prec=THRESHOLD_DIGITS, rounding=ROUND_CEILING).create_decimal(repr(value)))
