"""Non-negative least squares against hand-made systems and brute force; what errors mean."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.calibration.fit import Errors, errors, fit, non_negative_least_squares, relative
from approx_plugin.kernels.costs.counting import IDEAL, Work
from approx_plugin.kernels.costs.model import CostModel

Floats = npt.NDArray[np.float64]


def test_a_solution_inside() -> None:
    matrix = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    np.testing.assert_allclose(non_negative_least_squares(matrix, matrix @ [3.0, 0.5]), [3.0, 0.5], atol=1e-9)


def test_a_solution_on_the_border() -> None:
    # Without the bound: x = (2, -1). With it x2 = 0, and x1 = (1*1 + 1*2) / 2.
    np.testing.assert_allclose(
        non_negative_least_squares(np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([1.0, 2.0])), [1.5, 0.0], atol=1e-9
    )


def test_a_column_of_zeros_and_equal_columns() -> None:
    matrix = np.array([[0.0, 1.0, 1.0], [0.0, 2.0, 2.0]])
    found = non_negative_least_squares(matrix, np.array([4.0, 8.0]))
    assert found[0] == 0
    np.testing.assert_allclose(matrix @ found, [4.0, 8.0])


def brute_force(matrix: Floats, target: Floats) -> float:
    """The least squared residual over all sets of free coefficients."""
    best = float(target @ target)
    count = matrix.shape[1]
    for size in range(1, count + 1):
        for free in combinations(range(count), size):
            part = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
            if part.min() >= 0:
                best = min(best, float(np.sum((matrix[:, free] @ part - target) ** 2)))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 9))
def test_no_other_non_negative_solution_is_better(seed: int, columns: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    matrix, target = random.normal(size=(rows, columns)), random.normal(size=rows)
    found = non_negative_least_squares(matrix, target)
    assert found.min() >= 0
    assert float(np.sum((matrix @ found - target) ** 2)) == pytest.approx(brute_force(matrix, target), abs=1e-7)


def test_planted_coefficients_are_found_again_in_spite_of_an_outlier() -> None:
    random = np.random.default_rng(1)
    planted = {"a": 1.25, "b": 0.0, "c": 300.0}
    works = [Work("k", dict(zip(planted, random.uniform(1, 1000, 3) * [1, 1, 0.01]))) for _ in range(30)]
    points = [(work, sum(planted[n] * c for n, c in work.counts.items())) for work in works]
    points.append((Work("k", {"a": 100.0, "b": 1.0, "c": 1.0}), 3 * 425.0))
    found = fit(points)["k"]
    assert found["a"] == pytest.approx(1.25, rel=0.02)
    assert found["b"] == pytest.approx(0.0, abs=0.02)
    assert found["c"] == pytest.approx(300.0, rel=0.02)


def test_kinds_are_fitted_apart() -> None:
    points = [(Work("x", {"a": 2.0}), 10.0), (Work("y", {"a": 2.0}), 30.0)]
    assert fit(points) == {"x": {"a": 5.0}, "y": {"a": 15.0}}


def test_errors_are_relative_to_what_was_simulated() -> None:
    assert errors([0.1, -0.3, 0.02]) == Errors(3, 0.1, 0.3)
    model = CostModel("a test", IDEAL, {"k": {"a": 2.0}})
    points = [(Work("k", {"a": 10.0}), 16.0), (Work("k", {"a": 10.0}), 25.0)]
    found = relative(model, points)["k"]
    assert found.layers == 2
    assert found.worst == pytest.approx(0.25)
    assert found.median == pytest.approx(0.225)
