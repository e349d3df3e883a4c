"""The search for the most accurate design that keeps to given costs, where no accuracy is asked for.

1. The exact network: if it keeps to them, it is the answer. Else half of the designs that the method wants measured.
2. Sensitivity curves: every layer alone at some of its levels; losses are taken to add up.
3. The greedy path towards cheap as far as the costs are kept, and the first design on it that keeps to them.
4. Local search among those that keep to them: a layer up, down, or one up and another one down, the least expected loss
   first.

Nothing of this depends on how many evaluations are allowed: the designs of a small budget are the first ones of a large
one. The exploration set chooses, and the confirmation set tells what the choice is worth.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import compare
from approx_plugin.exploration.curves import Curve, greedy_path
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Front
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.measurement import BudgetSpent, Notebook, Progress, Watch, silent, unwatched
from approx_plugin.exploration.pricing import Pricing, single_cycles
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.spec.spec import Search

CURVE_LEVELS = 3
"""Levels of every layer that are measured alone, evenly spread, the highest among them."""

ROUND = 4
"""Neighbours that are measured before the best one so far is looked at again."""

REACH = 2
"""Levels by which a layer moves to a neighbour."""

BEYOND = 2
"""Designs further down the path that are measured as well, for the front."""

Levels = tuple[int, ...]


def explore_within(
    options: Options,
    prices: Pricing,
    on_exploration: Evaluate,
    on_confirmation: Evaluate,
    limits: Limits,
    search: Search,
    progress: Progress = silent,
    watch: Watch = unwatched,
) -> Exploration:
    """The most accurate design that keeps to the limits; of those that keep to none of them, the cheapest.

    Arguments as for `explore`; no confidence is asked for. Raises SearchInterrupted, and NothingMeetsTheTarget where no
    design that was measured fits the board.
    """
    notebook = Notebook(on_exploration, prices, search.evaluations, progress, watch)
    exact, exact_fits = notebook.reference(), prices.total(()).fits
    if not (exact_fits and limits.met(exact.point)):
        with contextlib.suppress(BudgetSpent):
            _Within(options, prices, notebook, limits).run()
    usable = [design for design in notebook.designs if design.candidates or exact_fits]
    if not usable:
        raise NothingMeetsTheTarget("no design that fits could be measured")
    keeping = [design for design in usable if limits.met(design.point)]
    if keeping:
        chosen = max(keeping, key=lambda d: (d.point.accuracy, -d.point.cycles, d.point.levels))
    else:
        chosen = min(usable, key=lambda d: (d.point.cycles, -d.point.accuracy, d.point.levels))
    right = notebook.correct(())
    first, second = on_confirmation([(), chosen.candidates])
    return Exploration(
        front=Front.of(design.point for design in usable),
        points=tuple(design.point for design in notebook.designs),
        intervals=tuple(compare(right, notebook.correct(d.candidates)).interval for d in notebook.designs),
        exact_fits=exact_fits,
        chosen=chosen,
        exploration=compare(right, notebook.correct(chosen.candidates)),
        confirmation=compare(first, second),
        target_met=bool(keeping),
        confidence=None,
        bound=None,
        looks=(),
        evaluations=notebook.used,
        message=_message(chosen, bool(keeping), exact_fits),
    )


def _message(chosen: Design, kept: bool, exact_fits: bool) -> str:
    if kept and not chosen.candidates:
        return "The exact network keeps to the costs that were asked for: nothing is approximated."
    if kept:
        return "The most accurate design that was found to keep to the costs that were asked for is used."
    least = "the exact network" if not chosen.candidates else "the cheapest design that was measured"
    what = "" if exact_fits else " The exact network does not fit the board."
    return f"THE TARGET IS NOT MET: no design that was measured keeps to the costs; {least} is used.{what}"


class _Within:
    """Takes the steps; the notebook holds what they have found."""

    def __init__(self, options: Options, prices: Pricing, notebook: Notebook, limits: Limits) -> None:
        self._options, self._notebook, self._limits = options, notebook, limits
        self._ladders = [ladder for _, ladder in sorted(options.ladders.items()) if ladder]
        self._cycles = single_cycles(prices, self._ladders)
        self._losses: list[tuple[float, ...]] = []

    def run(self) -> None:
        """All steps. Raises BudgetSpent unless there is nothing more to measure."""
        self._notebook.measure(self._options.sweep[::2])
        if not self._ladders:
            return
        self._make_curves()
        path = greedy_path(self._losses, self._cycles)
        keeping = [place for place, levels in enumerate(path) if self._keeps(levels)]
        if not keeping:
            self._notebook.measure([self._candidates(path[-1]), *self._options.sweep[1::2]])
            return
        first = keeping[0]
        self._notebook.measure([self._candidates(levels) for levels in path[first : first + 1 + BEYOND]])
        best = path[first]
        while True:
            wanted = list(itertools.islice(self._nearby(best), ROUND))
            if not wanted:
                break
            measured = self._notebook.measure([self._candidates(levels) for levels in wanted])
            found = [(levels, design) for levels, design in zip(wanted, measured) if design is not None]
            for levels, design in found:
                if self._limits.met(design.point) and design.point.accuracy > self._accuracy(best):
                    best = levels
        self._notebook.measure(self._options.sweep[1::2])

    def _make_curves(self) -> None:
        exact = self._notebook.reference().point.accuracy
        for place, ladder in enumerate(self._ladders):
            top = len(ladder)
            wanted = sorted({math.ceil(top * part / CURVE_LEVELS) for part in range(1, CURVE_LEVELS + 1)})
            start = (0,) * len(self._ladders)
            alone = [self._candidates(self._moved(start, place, level)) for level in wanted]
            known = {0: 0.0}
            for level, design in zip(wanted, self._notebook.measure(alone)):
                # What does not fit alone may fit with others: it loses as much as what is dropped beside it.
                if design is not None:
                    known[level] = exact - design.point.accuracy
            known.setdefault(top, max(known.values()))
            self._losses.append(Curve(top, known).expected())

    def _nearby(self, levels: Levels) -> Iterator[Levels]:
        """Unmeasured neighbours that keep to the limits and should lose less than one point more, the best first."""
        places, steps = range(len(levels)), [step for step in range(-REACH, REACH + 1) if step]
        found = {self._moved(levels, place, step) for place in places for step in steps}
        found |= {
            self._moved(self._moved(levels, one, up), other, -down)
            for one, other in itertools.permutations(places, 2)
            for up, down in itertools.product(range(1, REACH + 1), repeat=2)
        }
        expected = self._loss(levels)
        for near in sorted(found, key=lambda x: (self._loss(x), x)):
            candidates = self._candidates(near)
            if self._loss(near) < expected + 1.0 and not self._notebook.known(candidates) and self._keeps(near):
                yield near

    def _moved(self, levels: Levels, place: int, by: int) -> Levels:
        level = min(max(levels[place] + by, 0), len(self._ladders[place]))
        return (*levels[:place], level, *levels[place + 1 :])

    def _accuracy(self, levels: Levels) -> float:
        (design,) = self._notebook.measure([self._candidates(levels)])
        return -1.0 if design is None else design.point.accuracy

    def _keeps(self, levels: Levels) -> bool:
        """Whether a design fits the board and keeps to the limits."""
        price = self._notebook.affordable(self._candidates(levels))
        return price is not None and self._limits.met(price)

    def _loss(self, levels: Sequence[int]) -> float:
        return math.fsum(losses[level] for losses, level in zip(self._losses, levels))

    def _candidates(self, levels: Levels) -> Candidates:
        return tuple(ladder[level - 1] for ladder, level in zip(self._ladders, levels) if level)
