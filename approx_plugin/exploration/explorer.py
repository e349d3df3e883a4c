"""The steps of the search: what is measured, in which order.

1. The exact network, and half of the designs that the method wants measured anyway (one threshold for all layers).
2. Where the exact network does not fit: the design to start from, which does (`start.py`).
3. Rounds, each of them finer than the one before:
   a. Sensitivity curves: single layers at levels around the one that uses up the allowed loss alone.
   b. A greedy path from the start towards cheap, most cycles saved per point of accuracy first, along which the losses
      of the curves are taken to add up; measurement finds how far it can be followed.
   c. Local search: raise a layer, or raise one and lower another.
4. When the curves are complete, local search alone; where nothing near is left, random neighbours by the seed.

Nothing of this depends on how many evaluations are allowed: the search is told only when they are used up, so the
designs of a small budget are the first ones of a large one.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Sequence

import numpy as np

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import standard_error
from approx_plugin.exploration.curves import Curve, greedy_path
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.measurement import Notebook
from approx_plugin.exploration.pricing import Pricing, single_cycles
from approx_plugin.exploration.promise import Outlook
from approx_plugin.exploration.start import starts

NOISE = 0.25
"""Points: a loss below it is not told apart from none when the curves are made."""

DETAIL = 2
"""Levels of each layer by which every round of curves has more."""

STEPS = 4
"""Designs on the path that a round measures to find its end."""

AIM = 0.8
"""Share of the allowed loss at which the path is measured first."""

BETWEEN = 4
"""Designs on the way from the start to the end of the first path that are measured as well."""

ROUND = 4
"""Neighbours that are measured before the best one so far is looked at again."""

PATIENCE = 2
"""Rounds of neighbours without a better one after which the curves are made finer."""

TRIED = 8
"""Promising neighbours that are priced for each that is measured."""

REACH = 2
"""Levels by which a layer moves to a neighbour."""

Levels = tuple[int, ...]
"""One level per layer, in the order of the layers; 0 is exact."""


class Explorer:
    """Takes the steps; the notebook holds what they have found."""

    def __init__(
        self, options: Options, prices: Pricing, notebook: Notebook, goal: Goal, outlook: Outlook, seed: int
    ) -> None:
        """goal: on the exploration set; the exact network has been measured."""
        self._options, self._prices, self._notebook, self._goal = options, prices, notebook, goal
        self._outlook = outlook
        self._random = random.Random(seed)
        self._ladders = [ladder for _, ladder in sorted(options.ladders.items()) if ladder]
        self._cycles = single_cycles(prices, self._ladders)
        self._losses: list[tuple[float, ...]] = []
        self._start: Levels = (0,) * len(self._ladders)
        self._lost = 0.0
        self._best = self._start

    def run(self) -> None:
        """All steps. Raises BudgetSpent unless there is nothing more to measure."""
        if not self._ladders:
            return
        self._notebook.measure(self._options.sweep[::2])
        if not self._begin():
            return
        known = [{level: self._lost} for level in self._start]
        for number in itertools.count(1):
            finer = self._refine_curves(known, 1 + DETAIL * number)
            path = self._follow_path()
            if number == 1:
                self._fill(path)
                self._notebook.measure(self._options.sweep[1::2])
            self._walk(None if not finer else PATIENCE)
            if not finer:
                return

    def _begin(self) -> bool:
        """Finds the design that everything starts from: the exact network, or the best of those that fit instead."""
        if self._notebook.affordable(()) is not None:
            return True
        wanted = starts(self._ladders, self._prices)
        measured = self._notebook.measure([self._candidates(levels) for levels in wanted])
        found = [(design.point.accuracy, levels) for design, levels in zip(measured, wanted) if design is not None]
        if found:
            best, self._start = max(found)
            self._best, self._lost = self._start, self._goal.exact - best
        return bool(found)

    def _refine_curves(self, known: list[dict[int, float]], levels: int) -> bool:
        """Measure until each curve has so many levels, or needs no more; whether any was measured.

        known: by layer, the loss of measured levels.
        """
        allowed = max(self._goal.allowed, self._lost + NOISE)
        tops = [len(ladder) for ladder in self._ladders]
        finer = False
        while True:
            wanted = [
                (place, level)
                for place, (top, losses) in enumerate(zip(tops, known))
                for level in [Curve(top, losses).next_level(allowed) if len(losses) < levels else None]
                if level is not None
            ]
            if not wanted:
                break
            finer = True
            designs = [self._candidates(self._moved_to(place, level)) for place, level in wanted]
            for (place, level), design in zip(wanted, self._notebook.measure(designs)):
                known[place][level] = allowed + NOISE if design is None else self._goal.exact - design.point.accuracy
        self._losses = [
            self._expected(place, Curve(top, losses)) for place, (top, losses) in enumerate(zip(tops, known))
        ]
        return finer

    def _expected(self, place: int, curve: Curve) -> tuple[float, ...]:
        """What a layer's levels lose beyond the start; below the start's level, where nothing was measured, less."""
        start, expected = self._start[place], curve.expected()
        here = expected[start]
        raised = sum(level > 0 for level in self._start)
        share = max(self._lost, 0.0) / max(raised, 1)
        below = [share * (level / start - 1) for level in range(start)]
        return (*below, *(loss - here for loss in expected[start:]))

    def _follow_path(self) -> tuple[Levels, ...]:
        """The greedy path as far as measurement finds the goal to be met; the best design may be on it."""
        path = greedy_path(self._losses, self._cycles, self._start)
        left = self._goal.allowed - self._lost
        good, bad, ratio = 0, len(path), 1.0
        for _ in range(STEPS):
            if bad - good <= 1:
                break
            reached = [good < at < bad and ratio * self._loss(levels) > AIM * left for at, levels in enumerate(path)]
            at = reached.index(True) if True in reached else bad - 1
            design = self._try([path[at]])[0]
            if design is None or not self._met(design):
                bad = at
            else:
                good = at
            if design is not None and self._loss(path[at]) > 0:
                lost = self._goal.exact - design.point.accuracy - self._lost
                ratio = min(max(lost / self._loss(path[at]), ratio / 4), ratio * 4)
        return path[: good + 1]

    def _fill(self, path: Sequence[Levels]) -> None:
        """Measure designs between the start and the end of the path: for the front, and to fall back on."""
        prices = np.array([self._price(levels) for levels in path])
        wanted = np.linspace(prices[0], prices[-1], BETWEEN + 2)[1:-1]
        self._try([path[int(np.abs(prices - price).argmin())] for price in wanted])

    def _walk(self, patience: int | None) -> None:
        """To better designs, until there are no neighbours left, or so many rounds of them had nothing better."""
        without = 0
        while patience is None or without < patience:
            nearby = self._nearby() or self._random_nearby()
            if not nearby:
                return
            before = self._best
            self._try(nearby)  # together: they share layers
            without = 0 if self._best != before else without + 1

    def _try(self, wanted: Sequence[Levels]) -> list[Design | None]:
        """Measure designs; the best one so far is kept."""
        measured = self._notebook.measure([self._candidates(levels) for levels in wanted])
        for levels, design in zip(wanted, measured):
            if design is not None and self._rank(levels, design) < self._rank(self._best, self._of(self._best)):
                self._best = levels
        return measured

    def _rank(self, levels: Levels, design: Design) -> tuple[bool, float, Levels]:
        """Less is better: cycles of what meets the goal with its reserve, accuracy of what does not."""
        point = design.point
        if (levels != self._start and self._met(design)) or (levels == self._start and self._goal.met(point.accuracy)):
            return (False, point.cycles, levels)
        return (True, -point.accuracy, levels)

    def _of(self, levels: Levels) -> Design:
        """A design that was measured already."""
        (design,) = self._notebook.measure([self._candidates(levels)])
        assert design is not None
        return design

    def _nearby(self) -> list[Levels]:
        """The most promising unmeasured neighbours: one layer up, or one up and another one down."""
        best, places, steps = self._best, range(len(self._best)), range(1, REACH + 1)
        found: set[Levels] = set()
        for place, up in itertools.product(places, steps):
            raised = self._moved(best, place, up)
            found.add(raised)
            found.update(self._moved(raised, other, -down) for other in places if other != place for down in steps)
        return self._promising(found)

    def _random_nearby(self) -> list[Levels]:
        """Likewise, of neighbours that are a little further away in any direction."""
        found: set[Levels] = set()
        for _ in range(64):
            levels = self._best
            for place in range(len(levels)):
                levels = self._moved(levels, place, self._random.randint(-REACH - 1, REACH + 1))
            found.add(levels)
        return self._promising(found)

    def _promising(self, found: Iterable[Levels]) -> list[Levels]:
        """Those that fit, are better than the best one by what is expected of them, and have not been measured."""
        best, exact = self._of(self._best).point, self._cycles[0][0]
        met = self._goal.met(best.accuracy)
        price, loss = self._price(self._best), self._loss(self._best)
        # What a cycle is worth: the allowed loss over what has been saved with it so far.
        worth = max(self._goal.allowed, NOISE) / max(exact - price, 0.1 * exact, 1.0) if met else 0.0
        better = [x for x in found if (self._price(x) < price if met else self._loss(x) < loss)]
        ranked = sorted(better, key=lambda x: (self._loss(x) - worth * (price - self._price(x)), x))
        wanted: list[Levels] = []
        for levels in ranked[: TRIED * ROUND]:
            candidates = self._candidates(levels)
            cost = self._notebook.affordable(candidates)
            if cost is None or (met and cost.cycles >= best.cycles) or self._notebook.known(candidates):
                continue
            wanted.append(levels)
            if len(wanted) == ROUND:
                break
        return wanted

    def _met(self, design: Design) -> bool:
        """Whether it meets the goal with the reserve, and can be expected to be confirmed."""
        exact, correct = self._notebook.correct(()), self._notebook.correct(design.candidates)
        error = standard_error(exact, correct)
        return self._goal.met_with_reserve(design.point.accuracy, error) and self._outlook.hopeful(exact, correct)

    def _moved(self, levels: Levels, place: int, by: int) -> Levels:
        """One layer's level moved, within what its curve covers."""
        level = min(max(levels[place] + by, 0), len(self._losses[place]) - 1)
        return (*levels[:place], level, *levels[place + 1 :])

    def _moved_to(self, place: int, level: int) -> Levels:
        """The start with another level of one layer."""
        return (*self._start[:place], level, *self._start[place + 1 :])

    def _price(self, levels: Levels) -> float:
        """Cycles as if those of single layers added up: quick, and good enough to rank."""
        exact = self._cycles[0][0]
        return exact + math.fsum(cycles[level] - exact for cycles, level in zip(self._cycles, levels))

    def _loss(self, levels: Levels) -> float:
        """Points beyond those that the start loses, as if those of single layers added up."""
        return math.fsum(losses[level] for losses, level in zip(self._losses, levels))

    def _candidates(self, levels: Levels) -> Candidates:
        return tuple(ladder[level - 1] for ladder, level in zip(self._ladders, levels) if level)
