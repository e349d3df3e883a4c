"""What the search may choose from: the published method's candidates of every layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.significance import CRITERIA
from approx_plugin.approximation.skipping import GRANULARITIES, candidate, combined, thresholds
from approx_plugin.approximation.statistics import gather
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.conv2d import Conv2D

SHARES = tuple(step / 20 for step in range(17))
"""Shares of a layer's products that the levels drop: 0 (what can be had for nothing) to 80 %, in steps of 5 %."""

SWEEP_SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Shares of all products that the designs with one threshold for all layers drop."""


@dataclass(frozen=True, eq=False)
class Options:
    """ladders: by operator index, candidates that drop more and more products, every one more than the one before.

    sweep: whole designs that the search should measure as well, from the mildest on.
    """

    ladders: Mapping[int, tuple[Candidate, ...]]
    sweep: tuple[tuple[Candidate, ...], ...] = ()


def by_significance(
    graph: Graph, layers: Iterable[int], calibration: Int8Array, *, criterion: str, granularity: str
) -> Options:
    """The candidates of the published method: a threshold a layer, or (`sweep`) one for all layers.

    layers: operator indexes of the convolutions that may be approximated. calibration: int8 [images, ...].
    criterion: of `significance.CRITERIA`; granularity: of `skipping.GRANULARITIES`.
    """
    indexes = sorted(set(layers))
    if not indexes:
        return Options({})
    statistics = gather(graph, indexes, calibration, ratios=criterion == "mean_of_ratios")
    convolutions: dict[int, Conv2D] = {}
    significances, groups, values = {}, {}, {}
    for index in indexes:
        conv = graph.operators[index]
        assert isinstance(conv, Conv2D)
        convolutions[index] = conv
        significances[index] = CRITERIA[criterion](conv.weights, statistics.layers[index])
        groups[index] = GRANULARITIES[granularity](conv.weights.shape[1:])
        joint = combined(significances[index], groups[index])
        values[index] = np.where(conv.weights != 0, joint, 0.0).reshape(-1)

    def made(index: int, threshold: float) -> Candidate:
        return candidate(convolutions[index], significances[index], threshold, groups[index])

    ladders = {i: _rising(c, [made(i, t) for t in thresholds(values[i], SHARES)]) for i, c in convolutions.items()}
    mass = [np.full(values[i].size, c.macs / values[i].size) for i, c in convolutions.items()]
    common = thresholds(np.concatenate(list(values.values())), SWEEP_SHARES, np.concatenate(mass))
    return Options(ladders, tuple(tuple(made(i, t) for i in indexes) for t in common))


def _rising(conv: Conv2D, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Without those that drop nothing more than the one before, or nothing but weights of 0."""
    kept = int(np.count_nonzero(conv.weights))
    rising = []
    for option in candidates:
        left = int(np.count_nonzero(option.kept))
        if left < kept:
            rising.append(option)
            kept = left
    return tuple(rising)
