"""The leave-out test of the promise, on made-up answers of designs whose true losses are known."""

from __future__ import annotations

import numpy as np
from chain import network, thinned
from numpy.typing import NDArray
from promise import split

from approx_plugin.exploration.comparison import accuracy
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.front import Point
from approx_plugin.spec.spec import Target

GRAPH = network()
IMAGES = 9000
LOSSES = (0.0, 0.2, 0.6, 2.5, 4.0)
"""Points; every design but the exact one changes some answers for the better, too."""


def made_up(seed: int = 1) -> tuple[list[Design], list[NDArray[np.bool_]]]:
    """The further down, the cheaper."""
    rng = np.random.default_rng(seed)
    exact = rng.random(IMAGES) < 0.8
    designs, correct = [], []
    for number, loss in enumerate(LOSSES):
        row = exact.copy()
        if number:
            row[exact & (rng.random(IMAGES) < (loss / 100 + 0.01) / 0.8)] = False
            row[~exact & (rng.random(IMAGES) < 0.01 / 0.2)] = True
        candidates = (thinned(GRAPH, 0, 0.1 * number),) if number else ()
        point = Point(accuracy(row), 100, 1000.0 - 100 * number, 100, 10, ((0, 0.1 * number),) if number else ())
        designs.append(Design(candidates, point))
        correct.append(row)
    return designs, correct


def test_with_confidence_no_split_breaks_the_promise() -> None:
    designs, correct = made_up()
    found = [split(designs, correct, Target(1.0, None), 95.0, seed) for seed in range(20)]
    assert {round(one.saved, 6) for one in found} <= {0.0, 0.1, 0.2}, "what loses 2.5 points is never taken"
    assert any(one.saved for one in found)
    assert sum(one.lost > 1.5 for one in found) == 0


def test_the_images_at_hand_take_more() -> None:
    designs, correct = made_up()
    sure = [split(designs, correct, Target(1.0, None), 95.0, seed).saved for seed in range(20)]
    hand = [split(designs, correct, Target(1.0, None), None, seed).saved for seed in range(20)]
    assert np.mean(hand) > np.mean(sure)


def test_the_same_seed_is_the_same_split() -> None:
    designs, correct = made_up()
    assert split(designs, correct, Target(1.0, None), 95.0, 3) == split(designs, correct, Target(1.0, None), 95.0, 3)
