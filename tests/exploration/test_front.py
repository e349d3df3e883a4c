"""Pareto dominance and the front."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.exploration.front import Front, Point

POINTS = st.builds(
    Point,
    accuracy=st.integers(0, 4).map(float),
    macs_kept=st.integers(0, 3),
    cycles=st.integers(0, 4).map(float),
    flash_bytes=st.integers(0, 2),
    ram_bytes=st.integers(0, 2),
    levels=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), max_size=2).map(tuple),
)


def figures(point: Point) -> tuple[float, float, int, int]:
    return point.accuracy, point.cycles, point.flash_bytes, point.ram_bytes


def beats(one: Point, other: Point) -> bool:
    """By the definition, one goal after the other."""
    no_worse = (
        one.accuracy >= other.accuracy
        and one.cycles <= other.cycles
        and one.flash_bytes <= other.flash_bytes
        and one.ram_bytes <= other.ram_bytes
    )
    return no_worse and figures(one) != figures(other)


@given(POINTS, POINTS)
def test_dominance_is_its_definition(one: Point, other: Point) -> None:
    assert one.dominates(other) == beats(one, other)
    assert not (one.dominates(other) and other.dominates(one))
    assert not one.dominates(one)


@given(st.lists(POINTS, max_size=25), st.randoms(use_true_random=False))
def test_the_front_holds_exactly_what_nothing_beats(points: list[Point], rng: random.Random) -> None:
    front = Front.of(points).points
    assert {figures(p) for p in front} == {figures(p) for p in points if not any(beats(q, p) for q in points)}
    assert len({figures(p) for p in front}) == len(front)
    assert [p.cycles for p in front] == sorted(p.cycles for p in front)
    shuffled = list(points)
    rng.shuffle(shuffled)
    assert Front.of(shuffled).points == front
    assert Front.of(front).points == front


def test_of_equal_figures_the_one_with_fewer_macs_stays() -> None:
    mild = Point(90.0, 100, 5.0, 0, 0, ((0, 0.1),))
    lean = Point(90.0, 80, 5.0, 0, 0, ((0, 0.2),))
    lean_too = Point(90.0, 80, 5.0, 0, 0, ((1, 0.2),))
    assert Front.of([mild, lean_too, lean]).points == (lean,)
