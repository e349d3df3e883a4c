"""Measured points, and those of them that no other point beats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One measured design.

    accuracy:  top-1 in percent on the exploration set.
    macs_kept: multiply-accumulates of one inference that are still computed, all layers.
    cycles, flash_bytes, ram_bytes: of the whole network, by the cost that the search was given.
    levels:    (operator index, level) of every approximated layer; the other layers are exact.
    """

    accuracy: float
    macs_kept: int
    cycles: float
    flash_bytes: int
    ram_bytes: int
    levels: tuple[tuple[int, float], ...] = ()

    def dominates(self, other: Point) -> bool:
        """At least as good in accuracy, cycles, flash and RAM, and better in one of them."""
        mine, others = self._goals, other._goals
        return mine != others and all(a <= b for a, b in zip(mine, others))

    @property
    def _goals(self) -> tuple[float, float, int, int]:
        """What is to be small."""
        return (-self.accuracy, self.cycles, self.flash_bytes, self.ram_bytes)


@dataclass(frozen=True)
class Front:
    """Pareto front: none of `points` dominates another. By ascending cycles; no two with the same figures."""

    points: tuple[Point, ...]

    @classmethod
    def of(cls, points: Iterable[Point]) -> Front:
        """The front of any number of points, the same for any order of them.

        Of points with equal accuracy, cycles, flash and RAM the one with fewer MACs, then lower levels, stays.
        """
        ranked = sorted(
            points, key=lambda p: (p.cycles, -p.accuracy, p.flash_bytes, p.ram_bytes, p.macs_kept, p.levels)
        )
        front: list[Point] = []
        for point in ranked:
            # Nothing that comes later can dominate what came before: it is not better in the first differing goal.
            if not any(kept.dominates(point) or kept._goals == point._goals for kept in front):
                front.append(point)
        return cls(tuple(front))
