"""What a search has found, as a report tells it."""

from __future__ import annotations

from approx_plugin.exploration.front import Point
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.result import Exploration
from approx_plugin.model.graph import Graph
from approx_plugin.report.data import FrontPoint, Tried
from approx_plugin.spec.spec import Spec

MOST_DOMINATED = 100
"""Designs beside the front that a report shows; design.json has all of them."""


def required(spec: Spec, exploration: Exploration | None) -> float | None:
    """Top-1 in percent that the target asks for on the exploration set; None where nothing was searched."""
    if exploration is None or spec.target is None or not spec.target.has_accuracy:
        return None
    return Goal.on(spec.target, exploration.exploration.exact).required


def front(exploration: Exploration | None, graph: Graph) -> tuple[FrontPoint, ...]:
    """The front, and among it the design that was taken if it is not on it: confirmation may prefer a milder one."""
    if exploration is None:
        return ()
    chosen = exploration.chosen.point
    best = list(exploration.front.points)
    shown = best if chosen in best else sorted([*best, chosen], key=lambda p: (p.cycles, -p.accuracy))
    return tuple(_point(p, exploration, graph) for p in shown)


def dominated(exploration: Exploration | None, graph: Graph) -> tuple[FrontPoint, ...]:
    """The first ones that were measured and are on no front."""
    if exploration is None:
        return ()
    shown = {*exploration.front.points, exploration.chosen.point}
    others = [p for p in dict.fromkeys(exploration.points) if p not in shown]
    return tuple(_point(p, exploration, graph) for p in others[:MOST_DOMINATED])


def _point(point: Point, exploration: Exploration, graph: Graph) -> FrontPoint:
    number = exploration.points.index(point)
    return FrontPoint(
        number,
        point.accuracy,
        point.macs_kept,
        point.cycles,
        point.flash_bytes,
        point.ram_bytes,
        point == exploration.chosen.point,
        point in exploration.front.points,
        tuple((graph.operators[layer].name, level) for layer, level in point.levels),
        exploration.intervals[number],
    )


def looks(exploration: Exploration | None) -> tuple[Tried, ...]:
    """The designs that were tried on the confirmation set."""
    if exploration is None:
        return ()
    return tuple(
        Tried(exploration.points.index(look.point), look.accuracy, look.met, look.bound, look.images_needed)
        for look in exploration.looks
    )
