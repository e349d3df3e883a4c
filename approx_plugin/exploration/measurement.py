"""The search's notebook: what was measured, what it cost, and how much of the budget is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Protocol

from approx_plugin.exploration.comparison import BoolArray, accuracy
from approx_plugin.exploration.design import Candidates, Design, fingerprint, levels
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.pricing import Price, Pricing

GROUP = 8
"""Designs that are measured together; results are stored and progress is told after each group."""


class Progress(Protocol):
    """Told after every group of evaluations."""

    def __call__(self, done: int, total: int, best: Point | None) -> None:
        """done of at most total designs; best: the cheapest measured so far that meets the target, if any."""
        ...


Watch = Callable[[Design], None]
"""Told of every design that fits, as soon as it has been measured; the exact network comes first."""


def unwatched(design: Design) -> None:
    """A `Watch` that looks away."""


def silent(done: int, total: int, best: Point | None) -> None:
    """A `Progress` that says nothing."""


class BudgetSpent(Exception):  # noqa: N818 (the search ends by it, nothing is wrong)
    """The notebook has no room for another design."""


class Notebook:
    """Measures designs within a budget. A design that is asked for again is not counted again.

    What is measured of a design is what would be lowered: candidates that save nothing are left out. A design that does
    not fit the board is not measured at all.

    Who asks is not told what is left of the budget, only when it is spent: so the designs of a small budget are the
    first ones of every larger budget. Whether a result was computed or came from the memo makes no difference to it
    either: a search that goes on after an interruption takes the same way.
    """

    def __init__(
        self, evaluate: Evaluate, prices: Pricing, budget: int, progress: Progress, watch: Watch = unwatched
    ) -> None:
        """budget: how many distinct designs may be measured, the exact network included."""
        self._evaluate, self._prices, self._budget, self._progress = evaluate, prices, budget, progress
        self._watch = watch
        self._entries: dict[tuple[bytes, ...], tuple[Design, BoolArray]] = {}
        self.meets: Callable[[float], bool] = lambda _: False

    @property
    def used(self) -> int:
        """How many designs have been measured."""
        return len(self._entries)

    @property
    def designs(self) -> tuple[Design, ...]:
        """All that were measured, in that order."""
        return tuple(design for design, _ in self._entries.values())

    def reference(self) -> Design:
        """The exact network, which is measured even where it does not fit: accuracy is lost or gained against it.

        Raises BudgetSpent.
        """
        self._add({(): ()})
        return self._entries[()][0]

    def affordable(self, candidates: Candidates) -> Price | None:
        """The price of a design; None if the board has no room for it."""
        price = self._prices.total(candidates)
        return price if price.fits else None

    def known(self, candidates: Candidates) -> bool:
        """Whether it has been measured."""
        return self._key(candidates) in self._entries

    def correct(self, candidates: Candidates) -> BoolArray:
        """bool [images] of a measured design."""
        return self._entries[self._key(candidates)][1]

    def measure(self, designs: Sequence[Candidates]) -> list[Design | None]:
        """Each design with its point; None for those that do not fit the board, which cost nothing.

        Raises BudgetSpent if the budget has no room for all of them, once the first ones have been measured.
        """
        new: dict[tuple[bytes, ...], Candidates] = {}
        keys: list[tuple[bytes, ...] | None] = []
        for candidates in designs:
            fits = self.affordable(candidates) is not None
            keys.append(self._key(candidates) if fits else None)
            if keys[-1] is not None and keys[-1] not in self._entries:
                new.setdefault(keys[-1], self._prices.effective(candidates))
        self._add(new)
        return [None if key is None else self._entries[key][0] for key in keys]

    def cheapest(self) -> Point | None:
        """The point with the fewest cycles that meets the target."""
        points = [design.point for design in self.designs if design.candidates or self.affordable(())]
        meeting = [point for point in points if self.meets(point.accuracy)]
        return min(meeting, key=lambda point: (point.cycles, -point.accuracy), default=None)

    def _add(self, new: Mapping[tuple[bytes, ...], Candidates]) -> None:
        """Measure as many as the budget allows."""
        waiting = list(new.items())[: self._budget - self.used]
        for start in range(0, len(waiting), GROUP):
            group = waiting[start : start + GROUP]
            for (key, candidates), correct in zip(group, self._evaluate([c for _, c in group])):
                design = Design(candidates, self._point(candidates, correct))
                self._entries[key] = (design, correct)
                if candidates or self.affordable(()):
                    self._watch(design)
            self._progress(self.used, self._budget, self.cheapest())
        if len(waiting) < len(new):
            raise BudgetSpent

    def _point(self, candidates: Candidates, correct: BoolArray) -> Point:
        cost = self._prices.total(candidates)
        return Point(accuracy(correct), cost.macs, cost.cycles, cost.flash_bytes, cost.ram_bytes, levels(candidates))

    def _key(self, candidates: Candidates) -> tuple[bytes, ...]:
        return tuple(fingerprint(candidate) for candidate in self._prices.effective(candidates))
