"""The last word: designs that meet the target on the exploration set are tried on images that the search never saw.

Every look at the confirmation set uses up some of its independence: of several designs that all just miss the target,
one may pass by luck. So the looks are few, they go from the cheapest design to milder ones until one passes, a small
number of them then tries what lies between that one and the last that failed, and the report says how many there were.
The confidence interval is that of a single look.

The search prefers designs whose measurement erred to the good side, so a higher accuracy on the exploration set alone
is no reason to expect more here; skipping less is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.exploration.comparison import BoolArray, accuracy
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.goal import Goal

LOOKS = 8
"""Designs that are tried on the confirmation set at most."""

REFINEMENTS = 2
"""How many of them may go back towards cheaper designs once one has passed."""

STEP_LEAST, STEP_MOST = 0.5, 0.9
"""Limits of the factor by which the saved cycles shrink from one look to the next."""

BAND = 0.9
"""Designs that save at least this share of what the cheapest one saves are as good: the most accurate is tried."""


@dataclass(frozen=True)
class Look:
    """A design that was tried. point: with the accuracy on the exploration set; accuracy: on the confirmation set."""

    point: Point
    accuracy: float
    met: bool


@dataclass(frozen=True, eq=False)
class Confirmation:
    """design: the one that passed, None if none did; correct: its bool [images]; looks: all, in order."""

    design: Design | None
    correct: BoolArray | None
    looks: tuple[Look, ...]


def confirm(
    designs: Sequence[Design], exact: Point, exploration: Goal, confirmation: Goal, evaluate: Evaluate
) -> Confirmation:
    """A design that meets the target on both sets, looked for from the cheapest one upwards.

    designs: what was measured; those that do not cost fewer cycles than `exact`, or do not meet the target on the
    exploration set, are left out. Where one loses L points on the confirmation set and A are allowed, the next one
    saves sqrt(A / L) of its cycles or less (losses grow faster than savings), within the limits above. From the first
    one that passes the way back is halved, as often as REFINEMENTS says.
    """
    untried = [d for d in designs if d.point.cycles < exact.cycles and exploration.met(d.point.accuracy)]
    looks: list[Look] = []
    passed: tuple[Design, BoolArray] | None = None
    floor, limit, failed = 0.0, math.inf, math.inf
    refined = 0
    while len(looks) < LOOKS and refined <= REFINEMENTS:
        design = _cheapest(untried, exact, floor, limit)
        if design is None:
            break
        untried.remove(design)
        saved = exact.cycles - design.point.cycles
        (correct,) = evaluate([design.candidates])
        reached = accuracy(correct)
        looks.append(Look(design.point, reached, confirmation.met(reached)))
        if looks[-1].met:
            passed, floor = (design, correct), saved
        else:
            failed = saved
        if passed is None:
            limit = saved * _step(confirmation, reached)
        elif math.isinf(failed):
            break
        else:
            limit = (floor + failed) / 2
            refined += 1
    if passed is None:
        return Confirmation(None, None, tuple(looks))
    return Confirmation(passed[0], passed[1], tuple(looks))


def _step(goal: Goal, reached: float) -> float:
    """The share of a failed design's saving that the next one may have."""
    return min(max(math.sqrt(max(goal.allowed, 0.0) / max(goal.exact - reached, 1e-9)), STEP_LEAST), STEP_MOST)


def _cheapest(designs: Sequence[Design], exact: Point, floor: float, limit: float) -> Design | None:
    """Of the designs that save more than `floor` and at most `limit` cycles: the one that saves most, or a better one.

    Better: close to it in what it saves, and more accurate on the exploration set.
    """
    saved = {design: exact.cycles - design.point.cycles for design in designs}
    within = [design for design in designs if floor < saved[design] <= limit]
    most = max((saved[design] for design in within), default=0.0)
    close = [design for design in within if saved[design] >= BAND * most]
    return max(close, key=lambda d: (d.point.accuracy, saved[d], d.point.levels), default=None)
