"""What the search may choose from: candidates of every layer, by the published method, compensation, reconstruction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from approx_plugin.approximation.basis import Float64Array
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.approximation.moments import gather_moments
from approx_plugin.approximation.reconstruction import candidates as reconstructed
from approx_plugin.approximation.reconstruction import output_steps
from approx_plugin.approximation.significance import CRITERIA, spread
from approx_plugin.approximation.skipping import candidate, combined, thresholds
from approx_plugin.approximation.statistics import gather
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array

SHARES = tuple(step / 20 for step in range(17))
"""Shares of a layer's products that the levels drop: 0 (what can be had for nothing) to 80 %, in steps of 5 %."""

MOST_OPERANDS = 4096
"""Of an output channel, for the second-order update: its matrix then takes 128 MiB."""

SWEEP_SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Shares of all products that the designs with one threshold for all layers drop."""


@dataclass(frozen=True, eq=False)
class Options:
    """ladders: by operator index, candidates that drop more and more products, every one more than the one before.

    sweep: whole designs that the search should measure as well, from the mildest on.
    significances: by operator index, flat, by what thresholds drop the products of its coefficients that are not 0.
    """

    ladders: Mapping[int, tuple[Candidate, ...]]
    sweep: tuple[tuple[Candidate, ...], ...] = ()
    significances: Mapping[int, Float64Array] = field(default_factory=dict)


def by_reconstruction(graph: Graph, groupings: Mapping[int, Grouping], calibration: Int8Array) -> Options:
    """The candidates of the second-order update, by shares of each layer's products; the sweep has one for all layers.

    Arguments as for `by_significance`. Layers with more than `MOST_OPERANDS` operands stay exact.
    """
    groupings = {
        index: grouping for index, grouping in sorted(groupings.items()) if grouping.groups.size <= MOST_OPERANDS
    }
    if not groupings:
        return Options({})
    moments = gather_moments(graph, {index: one.basis for index, one in groupings.items()}, calibration)
    ladders = {
        index: _rising(reconstructed(graph.operators[index], moments[index], grouping, SHARES[1:]))
        for index, grouping in groupings.items()
    }
    sweep = []
    for share in SWEEP_SHARES:
        chosen = [[one for one in ladder if one.level <= share] for ladder in ladders.values()]
        sweep.append(tuple(some[-1] for some in chosen if some))
    return Options(ladders, tuple(dict.fromkeys(design for design in sweep if design)))


def by_significance(
    graph: Graph, groupings: Mapping[int, Grouping], calibration: Int8Array, *, criterion: str
) -> Options:
    """The candidates of the published method: a threshold per layer, or (`sweep`) one for all layers.

    groupings: by index of the operators that may be approximated, in what and which groups. calibration: int8
    [images, ...]. criterion: of `significance.CRITERIA`.
    """
    return _by_threshold(graph, groupings, calibration, criterion)


def by_compensation(graph: Graph, groupings: Mapping[int, Grouping], calibration: Int8Array) -> Options:
    """Candidates without the products that vary least, in output steps; the bias takes up their mean.

    Arguments as for `by_significance`.
    """
    return _by_threshold(graph, groupings, calibration, None)


def _by_threshold(
    graph: Graph, groupings: Mapping[int, Grouping], calibration: Int8Array, criterion: str | None
) -> Options:
    """criterion: None for the products' spread, with compensation."""
    if not groupings:
        return Options({})
    bases = {index: grouping.basis for index, grouping in groupings.items()}
    statistics = gather(graph, bases, calibration, ratios=criterion == "mean_of_ratios")
    significances, values, told, mass = {}, {}, {}, []
    for index, grouping in sorted(groupings.items()):
        operator, basis = graph.operators[index], grouping.basis
        coefficients = basis.coefficients(operator)
        if criterion is None:
            steps = output_steps(operator, len(coefficients)).reshape(-1, *[1] * (coefficients.ndim - 1))
            # An operand that counts more in its outputs carries more of them.
            counted = np.sqrt(np.square(basis.effects(operator)).mean(axis=0)).reshape(coefficients.shape[1:])
            significances[index] = spread(coefficients, statistics.layers[index]) * steps * counted
        else:
            significances[index] = CRITERIA[criterion](coefficients, statistics.layers[index])
        joint = combined(significances[index], grouping)
        values[index] = np.where(coefficients != 0, joint, 0.0).reshape(-1)
        told[index] = joint[coefficients != 0]
        mass.append(np.full(values[index].size, float(basis.uses(operator))))

    def made(index: int, threshold: float) -> Candidate | None:
        mean = statistics.layers[index].mean if criterion is None else None
        try:
            return candidate(graph.operators[index], significances[index], threshold, groupings[index], mean)
        except ValueError:
            if criterion is not None:
                raise
            # Sums of what is left in a transformed domain may leave int32.
            return None

    ladders = {i: _rising(one for t in thresholds(v, SHARES) if (one := made(i, t))) for i, v in values.items()}
    common = thresholds(np.concatenate(list(values.values())), SWEEP_SHARES, np.concatenate(mass))
    sweep = (tuple(one for i in values if (one := made(i, t))) for t in common)
    return Options(ladders, tuple(design for design in sweep if design), told)


def _rising(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Without those that drop nothing more than the one before, or nothing but coefficients of 0."""
    rising: list[Candidate] = []
    for option in candidates:
        if option.kept < (rising[-1].kept if rising else option.products):
            rising.append(option)
    return tuple(rising)
