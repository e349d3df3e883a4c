"""Coefficients from samples: least squares of the relative error, none negative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.costs.counting import Work
from approx_plugin.kernels.costs.model import CostModel

Floats = npt.NDArray[np.float64]

Point = tuple[Work, float]
"""What was counted, and the cycles that it took."""

TOLERANCE = 1e-10
LARGE, ROUNDS = 0.02, 6
"""Relative errors above LARGE count with their size, not its square (P. J. Huber, "Robust estimation of a location
parameter", 1964), by so many rounds of weighted least squares: a loop on a cache's cliff must not bend everything else.
"""

DIGITS = 5
"""Significant digits of a coefficient in a file."""


@dataclass(frozen=True)
class Errors:
    """Sizes of the relative errors of predictions: how many, the median, the largest."""

    layers: int
    median: float
    worst: float


def fit(points: Sequence[Point]) -> dict[str, dict[str, float]]:
    """Kind of kernel -> coefficients."""
    by_kind: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_kind[point[0].kind].append(point)
    return {kind: _fit_kind(by_kind[kind]) for kind in sorted(by_kind)}


def _fit_kind(points: Sequence[Point]) -> dict[str, float]:
    names = list(points[0][0].counts)
    rows = np.array([[work.counts[name] / cycles for name in names] for work, cycles in points])
    weights = np.ones(len(points))
    for _ in range(ROUNDS):
        solution = non_negative_least_squares(rows * weights[:, None], weights)
        residuals = np.abs(rows @ solution - 1.0)
        weights = np.sqrt(np.minimum(1.0, LARGE / np.maximum(residuals, TOLERANCE)))
    return {name: float(f"{value:.{DIGITS}g}") for name, value in zip(names, solution)}


def non_negative_least_squares(matrix: Floats, target: Floats) -> Floats:
    """The x >= 0 with the least |matrix x - target|.

    The active-set method of C. L. Lawson and R. J. Hanson, "Solving Least Squares Problems" (1974), chapter 23.
    """
    scale = np.sqrt((matrix**2).sum(axis=0))
    scale[scale == 0] = 1.0
    columns = matrix / scale
    count = columns.shape[1]
    free = np.zeros(count, bool)
    solution = np.zeros(count)
    for _ in range(10 * count):
        gradient = columns.T @ (target - columns @ solution)
        gradient[free] = -np.inf
        best = int(np.argmax(gradient))
        if gradient[best] <= TOLERANCE:
            break
        free[best] = True
        while True:
            trial = np.zeros(count)
            trial[free] = np.linalg.lstsq(columns[:, free], target, rcond=None)[0]
            if trial[free].min(initial=1.0) > 0:
                break
            negative = free & (trial <= 0)
            step = float(np.min(solution[negative] / (solution[negative] - trial[negative])))
            solution = solution + step * (trial - solution)
            free &= solution > TOLERANCE
            solution[~free] = 0.0
        solution = trial
    result: Floats = solution / scale
    return result


def relative(model: CostModel, points: Sequence[Point]) -> Mapping[str, Errors]:
    """Errors of the predictions, by kind."""
    found: dict[str, list[float]] = defaultdict(list)
    for work, cycles in points:
        found[work.kind].append(model.cycles(work) / cycles - 1.0)
    return {kind: errors(found[kind]) for kind in sorted(found)}


def errors(values: Sequence[float]) -> Errors:
    """Their summary."""
    sizes = np.abs(values)
    return Errors(len(values), float(np.median(sizes)), float(sizes.max()))
