"""A histogram as stacked columns, with its threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

from approx_plugin.report.detail import Histogram
from approx_plugin.report.html.scale import Scale, Tick, percent


@dataclass(frozen=True)
class Column:
    """x, width: percent; dropped, kept: heights in percent, the first below the second; counts: both."""

    x: float
    width: float
    dropped: float
    kept: float
    counts: tuple[int, int]
    edges: tuple[float, float]


@dataclass(frozen=True)
class Columns:
    """threshold: x in percent, None for a layer without one; most: products of the highest column."""

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    threshold: float | None
    most: int


def columns(histogram: Histogram, level: float | None) -> Columns:
    """The picture; level: the threshold."""
    bins = len(histogram.kept)
    most = max(map(sum, zip(histogram.kept, histogram.dropped))) or 1
    logs = [math.log10(edge) for edge in histogram.edges]
    scale = Scale(logs[0], logs[-1])
    made = [
        Column(
            percent(number / bins),
            percent(1 / bins),
            percent(dropped / most),
            percent(kept / most),
            (dropped, kept),
            (histogram.edges[number], histogram.edges[number + 1]),
        )
        for number, (dropped, kept) in enumerate(zip(histogram.dropped, histogram.kept))
    ]
    decades = range(math.ceil(logs[0] - 1e-3), math.floor(logs[-1] + 1e-3) + 1)
    ticks = tuple(Tick(scale.at(float(decade)), f"{10.0**decade:g}") for decade in decades)
    threshold = None if level is None else scale.at(math.log10(level)) if level > 0 else 0.0
    return Columns(tuple(made), ticks, threshold, most)
