"""Searches on a network of three convolutions with made-up accuracies, and what the best possible result is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from chain import network, thinned
from mac_cost import MacCost, macs_kept

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import BoolArray
from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.pricing import Price
from approx_plugin.exploration.result import Exploration
from approx_plugin.exploration.search import explore
from approx_plugin.model.graph import Graph
from approx_plugin.spec.spec import Search, Target

GRAPH = network()
SHARES = [step / 20 for step in range(1, 17)]
OPTIONS = Options(
    {layer: tuple(thinned(GRAPH, layer, share) for share in SHARES) for layer in range(3)},
    tuple(tuple(thinned(GRAPH, layer, share) for layer in range(3)) for share in (0.1, 0.3, 0.5)),
)
SENSITIVITY = (20.0, 4.0, 1.0)
"""Points lost by a layer without any weight; the loss grows with the square of the share."""

IMAGES = 10_000


class Truth:
    """Losses add up; the same on both sets but for `worse` points."""

    def __init__(self, exact: float = 80.0, worse: float = 0.0, sensitivity: tuple[float, ...] = SENSITIVITY) -> None:
        self.exact, self.worse, self.sensitivity = exact, worse, sensitivity
        self.calls: list[list[list[tuple[int, float]]]] = []

    def __call__(self, designs: Sequence[Candidates]) -> list[BoolArray]:
        self.calls.append([[(c.layer, c.level) for c in design] for design in designs])
        found = []
        for design in designs:
            loss = sum(self.sensitivity[c.layer] * c.level**2 for c in design) + (self.worse if design else 0.0)
            found.append(np.arange(IMAGES) < round((self.exact - loss) * IMAGES / 100))
        return found


def search(evaluations: int = 60, drop: float = 1.0, target: Target | None = None, **arguments: Any) -> Exploration:
    exploration = arguments.pop("exploration", None) or Truth()
    confirmation = arguments.pop("confirmation", None) or Truth(81.0)
    return explore(
        arguments.pop("options", OPTIONS),
        arguments.pop("cost", None) or MacCost(GRAPH),
        exploration,
        confirmation,
        target or Target(drop, None),
        Search(arguments.pop("seed", 0), evaluations, 1, arguments.pop("confidence", None)),
        **arguments,
    )


def best_possible(allowed: float) -> float:
    """By looking at every combination: the fewest cycles with at most `allowed` points lost."""
    macs = [op.macs for op in GRAPH.operators]
    kept = [[m] + [macs_kept(GRAPH.operators[i], c) for c in OPTIONS.ladders[i]] for i, m in enumerate(macs)]
    losses = [[0.0] + [s * share**2 for share in SHARES] for s in SENSITIVITY]
    total = np.add.outer(np.add.outer(losses[0], losses[1]), losses[2])
    cycles = np.add.outer(np.add.outer(kept[0], kept[1]), kept[2])
    return float(cycles[total <= allowed].min())


class SmallFlash(MacCost):
    """A byte for each product; what takes more than `limit` does not fit."""

    def __init__(self, graph: Graph, limit: int) -> None:
        super().__init__(graph)
        self.limit = limit

    def total(self, candidates: Candidates) -> Price:
        price = super().total(candidates)
        return replace(price, flash_bytes=price.macs, fits=price.macs <= self.limit)
