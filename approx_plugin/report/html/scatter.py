"""The front as a picture: accuracy against cycles, the flash as the size of a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.report.html.scale import Scale, Tick, round_scale, short

SMALLEST, LARGEST = 4.0, 11.0
"""Radius of a point, pixels."""

BELOW = 2.0
"""By how many times the allowed loss (at least 1 point) the picture goes below what is worth looking at."""


@dataclass(frozen=True)
class Item:
    """A measured design. kind: "front", "chosen" or "other"; interval: of the accuracy in percent."""

    key: str
    title: str
    kind: str
    x: float
    y: float
    size: int
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Dot:
    """Where a design is: x, y, low, high in percent from the upper left corner; radius in pixels."""

    item: Item
    x: float
    y: float
    radius: float
    whisker: tuple[float, float] | None


@dataclass(frozen=True)
class Scatter:
    """target: y of what the target asks for, None where there is none or it lies outside. line: between the designs
    that nothing beats in cycles and accuracy alone, (x1, y1, x2, y2). left_out: how many designs lie below the picture.
    """

    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    target: float | None
    line: tuple[tuple[float, float, float, float], ...]
    left_out: int


def scatter(items: Sequence[Item], required: float | None, allowed: float | None) -> Scatter:
    """items: at least one. required: what the target asks for, in percent; allowed: the loss, in points."""
    worth = [item.y for item in items if item.kind == "chosen"] or [max(item.y for item in items)]
    floor = min([*worth, *([required] if required is not None else [])])
    floor -= BELOW * max(allowed or 0.0, 1.0)
    shown = [item for item in items if item.y >= floor]
    heights = [y for item in shown for y in (item.y, *(item.interval or ()) * (item.kind != "other"))]
    if required is not None:
        heights.append(required)
    y_scale, y_marks = round_scale(max(min(heights), floor), min(max(heights), 100.0))
    x_scale, x_marks = round_scale(min(item.x for item in shown), max(item.x for item in shown), 4)
    smallest = min(item.size for item in shown)
    sizes = Scale(smallest, max(smallest + 1, *(item.size for item in shown)))

    def down(value: float) -> float:
        return round(100.0 - y_scale.at(value), 2)

    order = {"other": 0, "front": 1, "chosen": 2}
    dots = [
        Dot(
            item,
            x_scale.at(item.x),
            down(item.y),
            round(SMALLEST + (LARGEST - SMALLEST) * math.sqrt(sizes.at(item.size) / 100.0), 1),
            (down(item.interval[1]), down(item.interval[0])) if item.interval and item.kind != "other" else None,
        )
        for item in sorted(shown, key=lambda i: (order[i.kind], -i.size, i.x, i.key))
    ]
    best: list[Dot] = []
    for dot in sorted(dots, key=lambda d: (d.item.x, -d.item.y)):
        if not best or dot.item.y > best[-1].item.y:
            best.append(dot)
    line = tuple((a.x, a.y, b.x, b.y) for a, b in zip(best, best[1:]))
    target = down(required) if required is not None and y_scale.low <= required <= y_scale.high else None
    digits = 0 if y_marks[1] - y_marks[0] >= 1 else 1
    return Scatter(
        tuple(dots),
        tuple(Tick(x_scale.at(mark), short(mark)) for mark in x_marks),
        tuple(Tick(down(mark), f"{mark:.{digits}f} %") for mark in y_marks),
        target,
        line,
        len(items) - len(shown),
    )
