"""The search's notebook: what was measured, what it cost, and how much of the budget is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Protocol

from approx_plugin.exploration.comparison import BoolArray, accuracy
from approx_plugin.exploration.design import Candidates, Design, fingerprint, levels
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.pricing import Pricing

GROUP = 8
"""Designs that are measured together; results are stored and progress is told behind each group."""


class Progress(Protocol):
    """Told behind every group of evaluations."""

    def __call__(self, done: int, total: int, best: Point | None) -> None:
        """done of at most total designs; best: the cheapest measured so far that meets the target, if any."""
        ...


def silent(done: int, total: int, best: Point | None) -> None:
    """A `Progress` that says nothing."""


class Notebook:
    """Measures designs within a budget. A design that is asked for again is not counted again.

    What is measured of a design is what would be lowered: candidates that save nothing are left out.

    Whether a result was computed or came from the memo makes no difference to the budget: a search that goes on after
    an interruption takes the same way.
    """

    def __init__(self, evaluate: Evaluate, prices: Pricing, budget: int, progress: Progress) -> None:
        """budget: how many distinct designs may be measured, the exact network included."""
        self._evaluate, self._prices, self._budget, self._progress = evaluate, prices, budget, progress
        self._entries: dict[tuple[bytes, ...], tuple[Design, BoolArray]] = {}
        self.meets: Callable[[float], bool] = lambda _: False

    @property
    def used(self) -> int:
        """How many designs have been measured."""
        return len(self._entries)

    @property
    def left(self) -> int:
        """How many more may be."""
        return self._budget - len(self._entries)

    @property
    def designs(self) -> tuple[Design, ...]:
        """All that were measured, in that order."""
        return tuple(design for design, _ in self._entries.values())

    def known(self, candidates: Candidates) -> bool:
        """Whether it has been measured."""
        return self._key(candidates) in self._entries

    def correct(self, candidates: Candidates) -> BoolArray:
        """bool [images] of a measured design."""
        return self._entries[self._key(candidates)][1]

    def measure(self, designs: Sequence[Candidates]) -> list[Design | None]:
        """Each design with its point; None for those that the budget has no room for (the last ones)."""
        new: dict[tuple[bytes, ...], Candidates] = {}
        for candidates in designs:
            key = self._key(candidates)
            if key not in self._entries and len(new) < self.left:
                new.setdefault(key, self._prices.effective(candidates))
        waiting = list(new.items())
        for start in range(0, len(waiting), GROUP):
            group = waiting[start : start + GROUP]
            for (key, candidates), correct in zip(group, self._evaluate([c for _, c in group])):
                self._entries[key] = (Design(candidates, self._point(candidates, correct)), correct)
            self._progress(self.used, self._budget, self.cheapest())
        return [self._entries[key][0] if key in self._entries else None for key in map(self._key, designs)]

    def cheapest(self) -> Point | None:
        """The point with the fewest cycles that meets the target."""
        meeting = [design.point for design in self.designs if self.meets(design.point.accuracy)]
        return min(meeting, key=lambda point: (point.cycles, -point.accuracy), default=None)

    def _point(self, candidates: Candidates, correct: BoolArray) -> Point:
        cost = self._prices.total(candidates)
        return Point(accuracy(correct), cost.macs, cost.cycles, cost.flash_bytes, cost.ram_bytes, levels(candidates))

    def _key(self, candidates: Candidates) -> tuple[bytes, ...]:
        return tuple(fingerprint(candidate) for candidate in self._prices.effective(candidates))
