"""The search for the cheapest design that meets the target.

1. The exact network, and the designs that the method wants measured anyway (one threshold for all layers).
2. Sensitivity curves: single layers at the levels around the one that uses up the allowed loss alone.
3. A greedy path from exact towards cheap, most cycles saved per point of accuracy first, along which the losses of the
   curves are taken to add up; bisection finds by measurement how far it can be followed.
4. Local search from there with the rest of the budget: raise a layer, or raise one and lower another; when nothing near
   is left, random neighbours by the seed.

Every measured design is a point for the front. The search sees the exploration set only; `confirmation.py` has the
last word.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import Comparison, accuracy, compare, standard_error
from approx_plugin.exploration.confirmation import Look, confirm
from approx_plugin.exploration.curves import Curve, greedy_path
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Front, Point
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.measurement import Notebook, Progress, silent
from approx_plugin.exploration.pricing import Price, Pricing, single_cycles
from approx_plugin.spec.spec import Search, Target

SWEEP_BUDGET = 0.15
"""Share of the evaluations for the method's own designs."""

CURVES_BUDGET = 0.6
"""Share of the evaluations that may be used when the curves are done."""

NOISE = 0.25
"""Points: a loss below it is not told apart from none when the curves are made."""

BETWEEN = 4
"""Designs on the way from exact to the end of the path that are measured as well."""

ROUND = 4
"""Neighbours that are measured before the best one so far is looked at again."""

REACH = 2
"""Levels by which a layer moves to a neighbour."""

Levels = tuple[int, ...]
"""One level a layer, in the order of the layers; 0 is exact."""


@dataclass(frozen=True, eq=False)
class Exploration:
    """What the search found.

    front:   Pareto front of all measured designs, the exact network among them; accuracies on the exploration set.
    points:  all that was measured, in that order; the first one is the exact network.
    chosen:  the design to use; without candidates if it is the exact network.
    exploration, confirmation: the chosen design against the exact network on either set.
    target_met: whether the chosen design meets the target on the confirmation set.
    looks:   the designs that were tried on the confirmation set.
    evaluations: how many designs were measured on the exploration set.
    message: one or two sentences for the person who reads the report: what was chosen and why; empty never.
    """

    front: Front
    points: tuple[Point, ...]
    chosen: Design
    exploration: Comparison
    confirmation: Comparison
    target_met: bool
    looks: tuple[Look, ...]
    evaluations: int
    message: str


def explore(
    options: Options,
    prices: Pricing,
    on_exploration: Evaluate,
    on_confirmation: Evaluate,
    target: Target,
    search: Search,
    progress: Progress = silent,
) -> Exploration:
    """Search on one set, confirm on another. The same arguments give the same result.

    Uses `search.seed` and `search.evaluations` (at least 1; the exact network counts as one). Raises SearchInterrupted.
    """
    notebook = Notebook(on_exploration, prices, search.evaluations, progress)
    exact_price = prices.total(())
    (exact,) = notebook.measure([()])
    if exact is None:
        raise ValueError("a search needs at least one evaluation")
    goal = Goal.on(target, exact.point.accuracy)
    if goal.allowed >= 0:
        notebook.meets = goal.met
        _Search(options, prices, exact_price, notebook, goal, search.seed).run()
    (exact_confirmed,) = on_confirmation([()])
    last_word = Goal.on(target, accuracy(exact_confirmed))
    cheaper = [design for design in notebook.designs if design.point.cycles < exact.point.cycles]
    found = confirm(cheaper, exact.point, goal, last_word, on_confirmation)
    chosen = found.design or exact
    confirmed = exact_confirmed if found.correct is None else found.correct
    comparison = compare(exact_confirmed, confirmed)
    return Exploration(
        front=Front.of(design.point for design in notebook.designs),
        points=tuple(design.point for design in notebook.designs),
        chosen=chosen,
        exploration=compare(notebook.correct(()), notebook.correct(chosen.candidates)),
        confirmation=comparison,
        target_met=last_word.met(comparison.approximated),
        looks=found.looks,
        evaluations=notebook.used,
        message=_message(chosen, goal, last_word, found.looks, bool(cheaper)),
    )


def _message(chosen: Design, exploration: Goal, confirmation: Goal, looks: tuple[Look, ...], anything: bool) -> str:
    if chosen.candidates:
        place = [look.point for look in looks].index(chosen.point) + 1
        which = "the one design" if len(looks) == 1 else f"number {place} of the {len(looks)} designs"
        tried = "was" if len(looks) == 1 else "were"
        return f"The target is met on the confirmation set by {which} that {tried} tried on it."
    parts = ["NOTHING IS APPROXIMATED: the exact network is used."]
    if exploration.allowed < 0 or confirmation.allowed < 0:
        parts.append("THE TARGET IS NOT MET: even the exact network does not reach the accuracy that was asked for.")
    elif looks:
        parts.append(f"None of the {len(looks)} designs that were tried met the target on the confirmation set.")
    elif anything:
        parts.append("No cheaper design met the target on the exploration set.")
    else:
        parts.append("No design that was measured is cheaper than the exact network.")
    return " ".join(parts)


class _Search:
    """The steps of the search; the notebook holds what they have found."""

    def __init__(
        self, options: Options, prices: Pricing, exact: Price, notebook: Notebook, goal: Goal, seed: int
    ) -> None:
        self._options, self._notebook, self._goal = options, notebook, goal
        self._random = random.Random(seed)
        self._ladders = {layer: ladder for layer, ladder in sorted(options.ladders.items()) if ladder}
        self._cycles = single_cycles(prices, exact, self._ladders)
        self._losses: list[tuple[float, ...]] = []

    def run(self) -> None:
        """All steps, as far as the budget goes."""
        if not self._ladders:
            return
        total = self._notebook.used + self._notebook.left
        self._notebook.measure(self._options.sweep[: int(total * SWEEP_BUDGET)])
        self._losses = [curve.expected() for curve in self._curves(int(total * (1 - CURVES_BUDGET)))]
        self._refine(self._follow_path())

    def _curves(self, leave: int) -> list[Curve]:
        """One curve a layer; at least `leave` evaluations are left for later."""
        exact = self._goal.exact
        losses: list[dict[int, float]] = [{0: 0.0} for _ in self._ladders]
        tops = [len(ladder) for ladder in self._ladders.values()]
        allowed = max(self._goal.allowed, NOISE)
        while True:
            wanted = []
            for place, (top, known) in enumerate(zip(tops, losses)):
                level = Curve(top, known).next_level(allowed)
                if level is not None:
                    wanted.append((place, level))
            wanted = wanted[: max(0, self._notebook.left - leave)]
            designs = [self._candidates(self._single(place, level)) for place, level in wanted]
            for (place, level), design in zip(wanted, self._notebook.measure(designs)):
                if design is not None:
                    losses[place][level] = exact - design.point.accuracy
            if not wanted:
                return [Curve(top, known) for top, known in zip(tops, losses)]

    def _follow_path(self) -> Levels:
        """As far along the greedy path as bisection finds the goal to be met."""
        path = greedy_path(self._losses, self._cycles)
        good, bad = 0, len(path)
        while bad - good > 1:
            middle = (good + bad) // 2
            met = self._met(path[middle])
            if met is None:
                break
            good, bad = (middle, bad) if met else (good, middle)
        self._fill(path[: good + 1])
        return path[good]

    def _fill(self, path: Sequence[Levels]) -> None:
        """Measure designs between exact and the end of the path: for the front, and to fall back on."""
        prices = np.array([self._price(levels) for levels in path])
        wanted = np.linspace(prices[0], prices[-1], BETWEEN + 2)[1:-1]
        nearest = [path[int(np.abs(prices - price).argmin())] for price in wanted]
        self._notebook.measure([self._candidates(levels) for levels in nearest])

    def _refine(self, best: Levels) -> None:
        """Walk to cheaper designs that meet the goal, until the budget or the neighbourhood is used up."""
        while self._notebook.left > 0:
            nearby = self._nearby(best) or self._random_nearby(best)
            if not nearby:
                return
            self._notebook.measure([self._candidates(levels) for levels in nearby])  # together: they share layers
            met = [levels for levels in nearby if self._met(levels)]
            best = min([best, *met], key=lambda levels: (self._price(levels), levels))

    def _nearby(self, best: Levels) -> list[Levels]:
        """The most promising unmeasured cheaper neighbours: one layer up, or one up and another one down."""
        places = range(len(best))
        steps = range(1, REACH + 1)
        found: set[Levels] = set()
        for place, up in itertools.product(places, steps):
            raised = self._moved(best, place, up)
            found.add(raised)
            found.update(self._moved(raised, other, -down) for other in places if other != place for down in steps)
        return self._promising(best, found)

    def _random_nearby(self, best: Levels) -> list[Levels]:
        """Likewise, of neighbours that are a little further away in any direction."""
        found: set[Levels] = set()
        for _ in range(64):
            levels = best
            for place in range(len(best)):
                levels = self._moved(levels, place, self._random.randint(-REACH - 1, REACH + 1))
            found.add(levels)
        return self._promising(best, found)

    def _promising(self, best: Levels, found: Iterable[Levels]) -> list[Levels]:
        price, exact = self._price(best), self._price(self._exact())
        new = [x for x in found if self._price(x) < price and not self._notebook.known(self._candidates(x))]
        # What a cycle is worth: the allowed loss over what has been saved with it so far.
        worth = max(self._goal.allowed, NOISE) / max(exact - price, 0.1 * exact, 1.0)
        return sorted(new, key=lambda x: (self._loss(x) - worth * (price - self._price(x)), x))[:ROUND]

    def _met(self, levels: Levels) -> bool | None:
        """Whether it meets the goal with the reserve; None if there is no budget to measure it."""
        (design,) = self._notebook.measure([self._candidates(levels)])
        if design is None:
            return None
        error = standard_error(self._notebook.correct(()), self._notebook.correct(design.candidates))
        return self._goal.met_with_reserve(design.point.accuracy, error)

    def _moved(self, levels: Levels, place: int, by: int) -> Levels:
        """One layer's level moved, within what its curve covers."""
        level = min(max(levels[place] + by, 0), len(self._losses[place]) - 1)
        return (*levels[:place], level, *levels[place + 1 :])

    def _single(self, place: int, level: int) -> Levels:
        return tuple(level if other == place else 0 for other in range(len(self._ladders)))

    def _exact(self) -> Levels:
        return (0,) * len(self._ladders)

    def _price(self, levels: Levels) -> float:
        exact = self._cycles[0][0]
        return math.fsum([exact, *(cycles[level] - exact for cycles, level in zip(self._cycles, levels))])

    def _loss(self, levels: Levels) -> float:
        return math.fsum(losses[level] for losses, level in zip(self._losses, levels))

    def _candidates(self, levels: Levels) -> Candidates:
        return tuple(ladder[level - 1] for ladder, level in zip(self._ladders.values(), levels) if level)
