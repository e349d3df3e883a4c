"""Horizontal bars in groups: their names stand above a group, their figures after each bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.report.html.scale import percent

LONGEST = 0.5
"""Share of the width that the longest bar takes; the rest is for its figure."""

BAR, TITLE, GAP = 16, 20, 8
"""Pixels: a bar with the space after it, the line above a group, the space after a group."""


@dataclass(frozen=True)
class Part:
    """A piece of a bar. value >= 0; kind: the style's name; title: what it is, for whoever points at it."""

    value: float
    kind: str
    title: str


@dataclass(frozen=True)
class Bar:
    """parts: from left to right; text: what stands after it."""

    parts: tuple[Part, ...]
    text: str

    @property
    def value(self) -> float:
        """Of all parts."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True)
class Mark:
    """A range on the bars' scale that somebody else has measured; low == high for a single figure."""

    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Group:
    """title: above it; bars, then marks, one below the other."""

    title: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class PlacedPart:
    """x, width: percent."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class PlacedBar:
    """y: pixels; end: percent, where the text begins. span: of a mark, (x, width) in percent; None for a bar."""

    y: int
    end: float
    text: str
    parts: tuple[PlacedPart, ...]
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class PlacedGroup:
    """y: pixels of the title's base line."""

    y: int
    title: str
    bars: tuple[PlacedBar, ...]


@dataclass(frozen=True)
class BarChart:
    """height: pixels."""

    height: int
    groups: tuple[PlacedGroup, ...]


def bar_chart(groups: Sequence[Group]) -> BarChart:
    """All groups on one scale from 0."""
    values = [bar.value for group in groups for bar in group.bars]
    values += [mark.high for group in groups for mark in group.marks]
    longest = max(values, default=0.0) or 1.0
    placed, y = [], 0
    for group in groups:
        title = y + TITLE - 6
        y += TITLE
        rows = []
        for bar in group.bars:
            rows.append(_placed(bar, longest, y))
            y += BAR
        for mark in group.marks:
            low, high = percent(LONGEST * mark.low / longest), percent(LONGEST * mark.high / longest)
            rows.append(PlacedBar(y, high, mark.text, (), (low, max(round(high - low, 2), 0.3))))
            y += BAR
        placed.append(PlacedGroup(title, group.title, tuple(rows)))
        y += GAP
    return BarChart(max(y, 1), tuple(placed))


def _placed(bar: Bar, longest: float, y: int) -> PlacedBar:
    parts, total = [], 0.0
    for part in bar.parts:
        left = percent(LONGEST * total / longest)
        total += part.value
        right = percent(LONGEST * total / longest)
        if part.value > 0:
            parts.append(PlacedPart(left, round(right - left, 2), part.kind, part.title))
    return PlacedBar(y, percent(LONGEST * total / longest), bar.text, tuple(parts))
