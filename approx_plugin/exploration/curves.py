"""Sensitivity curves: what each level of one layer, all others exact, costs in accuracy; and what follows from them.

A level is a place on a layer's ladder: 0 is exact, k drops more than k - 1. Losses are in percentage points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_LOSS = 0.02
"""Points by which a loss of 0 is taken for more than that: a measured zero is within the noise of the images."""


@dataclass(frozen=True)
class Curve:
    """top: the highest level of the layer; losses: by measured level, that of the start (loss 0) included."""

    top: int
    losses: Mapping[int, float]

    def boundary(self, allowed: float) -> tuple[int, int]:
        """(good, bad): the lowest measured level that loses more than `allowed`, and the highest measured one below it.

        bad is top + 1 where no measured level loses that much.
        """
        bad = min((level for level, loss in self.losses.items() if loss > allowed), default=self.top + 1)
        return max(level for level in self.losses if level < bad), bad

    def next_level(self, allowed: float) -> int | None:
        """The level that is worth measuring next, None if none is.

        First the boundary is enclosed by bisection, then the widest gap in front of it is halved, the lowest first.
        """
        good, bad = self.boundary(allowed)
        if bad - good > 1:
            return (good + bad) // 2
        known = sorted(level for level in self.losses if level <= good)
        gaps = [(high - low, -low) for low, high in zip(known, known[1:]) if high - low > 1]
        if not gaps:
            return None
        width, low = max(gaps)
        return -low + width // 2

    def expected(self) -> tuple[float, ...]:
        """The loss to expect of the levels 0 to the highest measured one: never less than that of a lower level.

        Between measured levels the loss is interpolated; a gain is taken for luck, that is for no loss.
        """
        known = sorted(self.losses)
        losses = np.maximum.accumulate([max(0.0, self.losses[level]) for level in known])
        return tuple(float(x) for x in np.interp(range(known[-1] + 1), known, losses))


def greedy_path(
    losses: Sequence[Sequence[float]], cycles: Sequence[Sequence[float]], start: Sequence[int] | None = None
) -> tuple[tuple[int, ...], ...]:
    """Designs of falling cost: in each step the layer goes up that saves most cycles for the accuracy it loses.

    losses: for every layer, the expected loss of each level from 0 on; cycles: the cost of each level, likewise.
    start: levels to begin with; None: all exact. Returns the levels of all layers after each step, the start included;
    losses are taken to add up.
    """
    state = [0] * len(losses) if start is None else list(start)
    path = [tuple(state)]
    while True:
        best: tuple[float, int, int] | None = None
        for layer, level in enumerate(state):
            for higher in range(level + 1, len(losses[layer])):
                saved = cycles[layer][level] - cycles[layer][higher]
                if saved <= 0:
                    continue
                lost = max(losses[layer][higher] - losses[layer][level], 0.0) + LEAST_LOSS
                step = (saved / lost, -layer, -higher)
                best = step if best is None else max(best, step)
        if best is None:
            return tuple(path)
        _, layer, higher = best
        state[-layer] = -higher
        path.append(tuple(state))
