"""The search by how far answers move: no labels until designs are worth it, and nothing is measured twice.

1. Curves: the divergence of single layers at some levels, and what these cost; between them both are interpolated.
2. A path from the exact network towards cheap, each step the one that saves most cycles per divergence. Its designs are
   nested: each leaves out what the one before it does, and more.
3. Labels: how far the path can be followed, then designs along it, evenly by cycles. Each is solved again as a whole
   first (`polish`), which costs no cycles.
4. Exchanges: from the cheapest design that meets the goal to designs that are cheaper still and move answers no
   further, measured together because the divergences of layers do not add up.

Nothing of this depends on how many evaluations are allowed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

import numpy as np

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import standard_error
from approx_plugin.exploration.curves import greedy_path
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.divergence import Diverge
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.measurement import Notebook
from approx_plugin.exploration.pricing import Pricing
from approx_plugin.exploration.promise import Outlook

PROBES = 6
"""Levels of a layer that are measured and priced for its curves."""

POINTS_PER_NAT = 30.0
"""About how many points of accuracy a divergence of 1 nat costs where it is small: only its order of size matters."""

BISECTIONS = 5
"""Designs by which the end of the path is found."""

BEYOND = (2.0, 1.0)
"""The path is followed to so many times the allowed loss and so many points more, for the front."""

SPREAD = 30
"""Designs along the path."""

EXCHANGES = 6
"""Exchanges that are made at most."""

LOOKED_AT = 12
"""Neighbours whose divergence is measured for one exchange."""

WORTH = 0.002
"""Share of the cycles that an exchange has to save."""

REACH = 2
"""Levels by which a layer moves to a neighbour."""

Levels = tuple[int, ...]

Polish = Callable[[Candidates], Candidates]
"""A design -> the same cost, solved again as a whole."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What the search knows of a design without labels, and what it makes of it before they are asked."""

    diverge: Diverge
    polish: Polish


class Descent:
    """Takes the steps; the notebook holds what they have found."""

    def __init__(
        self,
        options: Options,
        prices: Pricing,
        notebook: Notebook,
        goal: Goal,
        outlook: Outlook,
        sensitivity: Sensitivity,
    ) -> None:
        """goal: on the exploration set; the exact network fits and has been measured."""
        self._prices, self._notebook, self._goal, self._outlook = prices, notebook, goal, outlook
        self._sensitivity = sensitivity
        self._ladders = [ladder for _, ladder in sorted(options.ladders.items()) if ladder]
        self._polished: dict[Levels, Candidates] = {}
        self._designs: dict[Levels, Design] = {}
        self._cycles: list[list[float]] = []

    def run(self) -> None:
        """All steps. Raises BudgetSpent unless there is nothing more to measure."""
        if not self._ladders:
            return
        losses = self._curves()
        path = _by_single_levels(greedy_path(losses, self._cycles))
        last = self._end(path)
        prices = np.array([self._price(levels) for levels in path[: last + 1]])
        wanted = np.linspace(prices[0], prices[-1], SPREAD + 1)[1:]
        self._measure([path[int(np.abs(prices - price).argmin())] for price in wanted])
        self._exchange()

    def _curves(self) -> list[list[float]]:
        """The divergence of every level of each layer, in points; fills in the cycles as well."""
        exact = self._prices.unlimited(())
        probes = [sorted({round(top) for top in np.linspace(0, len(one), PROBES + 1)}) for one in self._ladders]
        singles = [(ladder[level - 1],) for ladder, known in zip(self._ladders, probes) for level in known[1:]]
        measured = iter(self._sensitivity.diverge(singles))
        losses: list[list[float]] = []
        for ladder, known in zip(self._ladders, probes):
            found = np.maximum.accumulate([0.0, *(max(0.0, next(measured)) for _ in known[1:])])
            every = range(len(ladder) + 1)
            losses.append([POINTS_PER_NAT * float(x) for x in np.interp(every, known, found)])
            costs = [exact, *(self._prices.unlimited((ladder[level - 1],)) for level in known[1:])]
            self._cycles.append([float(x) for x in np.interp(every, known, costs)])
        return losses

    def _end(self, path: Sequence[Levels]) -> int:
        """The last place of the path that loses no more than the front is to show."""
        limit = BEYOND[0] * max(self._goal.allowed, 0.0) + BEYOND[1]
        good, bad = 0, len(path)
        for _ in range(BISECTIONS):
            if bad - good <= 1:
                break
            half = (self._price(path[good]) + self._price(path[min(bad, len(path) - 1)])) / 2
            at = min(range(good + 1, bad), key=lambda place: abs(self._price(path[place]) - half))
            (design,) = self._measure([path[at]])
            if design is None or self._goal.exact - design.point.accuracy > limit:
                bad = at
            else:
                good = at
        return max(good, min(1, len(path) - 1))

    def _exchange(self) -> None:
        """See the module; the last design is measured with labels, and those on the way to it."""
        meeting = [levels for levels, design in self._designs.items() if self._met(design)]
        if not meeting:
            return
        current = min(meeting, key=lambda levels: self._designs[levels].point.cycles)
        (moved,) = self._sensitivity.diverge([self._candidates(current)])
        for _ in range(EXCHANGES):
            nearby = self._nearby(current)
            found = self._sensitivity.diverge([self._candidates(levels) for levels in nearby])
            better = [(self._price(levels), levels) for levels, far in zip(nearby, found) if far <= moved]
            if not better:
                return
            current = min(better)[1]
            self._measure([current])

    def _nearby(self, current: Levels) -> list[Levels]:
        """Cheaper designs: one layer up, perhaps another one down."""
        found: set[Levels] = set()
        for place, up in itertools.product(range(len(current)), range(1, REACH + 1)):
            raised = self._moved(current, place, up)
            found.add(raised)
            others = itertools.product(range(len(current)), range(1, REACH + 1))
            found.update(self._moved(raised, other, -down) for other, down in others if other != place)
        limit = (1.0 - WORTH) * self._price(current)
        cheaper = [levels for levels in found if self._price(levels) < limit and levels not in self._designs]
        return sorted(cheaper, key=lambda levels: (-self._price(levels), levels))[:LOOKED_AT]

    def _moved(self, levels: Levels, place: int, by: int) -> Levels:
        level = min(max(levels[place] + by, 0), len(self._ladders[place]))
        return (*levels[:place], level, *levels[place + 1 :])

    def _measure(self, wanted: Sequence[Levels]) -> list[Design | None]:
        """With labels, solved again as a whole."""
        measured = self._notebook.measure([self._solved(levels) for levels in wanted])
        self._designs.update({levels: design for levels, design in zip(wanted, measured) if design is not None})
        return measured

    def _solved(self, levels: Levels) -> Candidates:
        if levels not in self._polished:
            self._polished[levels] = self._sensitivity.polish(self._prices.effective(self._candidates(levels)))
        return self._polished[levels]

    def _met(self, design: Design) -> bool:
        exact, correct = self._notebook.correct(()), self._notebook.correct(design.candidates)
        error = standard_error(exact, correct)
        met = self._goal.met_with_reserve(design.point.accuracy, error)
        return bool(design.candidates) and met and self._outlook.hopeful(exact, correct)

    def _price(self, levels: Levels) -> float:
        """Cycles as if those of single layers added up."""
        exact = self._cycles[0][0]
        return exact + math.fsum(cycles[level] - exact for cycles, level in zip(self._cycles, levels))

    def _candidates(self, levels: Levels) -> Candidates:
        return tuple(ladder[level - 1] for ladder, level in zip(self._ladders, levels) if level)


def _by_single_levels(path: Sequence[Levels]) -> tuple[Levels, ...]:
    """The same way, one level of one layer at a time."""
    found = [path[0]]
    for levels in path[1:]:
        while found[-1] != levels:
            place = next(number for number, level in enumerate(levels) if level != found[-1][number])
            found.append((*found[-1][:place], found[-1][place] + 1, *found[-1][place + 1 :]))
    return tuple(found)
