"""Leaving products out: thresholds on the significance, and the candidates that they make."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Context

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Float64Array, IntArray
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.model.operator import Operator

THRESHOLD_DIGITS = 4
"""Significant digits of a threshold: what the report prints is then what was used."""


def combined(significance: Float64Array, grouping: Grouping) -> Float64Array:
    """For every product the sum of |S| over its group. significance: [out_channels, *operands]; the same shape back.

    A product is dropped by every threshold at or above this value. Where a group falls for all output channels at
    once, it is the mean of theirs.
    """
    flat = grouping.groups.reshape(-1)
    sums = [np.bincount(flat, channel) for channel in np.abs(significance).reshape(len(significance), -1)]
    found = np.asarray(sums, np.float64)[:, flat]
    if grouping.shared:
        found = np.broadcast_to(found.mean(axis=0), found.shape)
    return found.reshape(significance.shape)


def candidate(
    operator: Operator,
    significance: Float64Array,
    threshold: float,
    grouping: Grouping,
    mean: Float64Array | None = None,
) -> Candidate:
    """The operator without the products whose group has a combined |S| <= threshold.

    significance: [output channels, *operands] as the coefficients; threshold: finite, >= 0 (ValueError). mean: of the
    operands, their shape: the bias takes up what is left out; None: it stays as it is.
    """
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ValueError(f"a threshold is a finite number >= 0, not {threshold}")
    basis = grouping.basis
    coefficients = basis.coefficients(operator)
    kept = (combined(significance, grouping) > threshold) & (coefficients != 0)
    left, bias = np.where(kept, coefficients, 0), basis.bias(operator)
    if mean is not None:
        lost = (coefficients.astype(np.float64) - left).reshape(len(left), -1)
        bias = bias + np.rint(lost @ (basis.effects(operator).mean(axis=0) * mean.reshape(-1))).astype(np.int64)
    return made(operator, threshold, grouping, left, bias)


def made(
    operator: Operator, level: float, grouping: Grouping, coefficients: IntArray, bias: npt.NDArray[np.int64]
) -> Candidate:
    """The candidate that computes with these coefficients and this bias instead of the operator's own."""
    basis = grouping.basis
    exact = basis.coefficients(operator)
    products, kept = int(np.count_nonzero(exact)), int(np.count_nonzero(coefficients))
    replacement, skipped = basis.rebuild(operator, coefficients, bias), (products - kept) * basis.uses(operator)
    return Candidate(replacement, level, products, kept, skipped, grouping, coefficients, bias)


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
