"""The last word: designs that meet the target on the exploration set are tried on images that the search never saw.

Every look at the confirmation set uses up some of its independence: of several designs that all just miss the target,
one may pass by luck. How the looks are ordered depends on what is asked for.

With a confidence they go from the mildest design to the cheapest, as long as the promise is kept, and the last one that
keeps it is taken: then the number of looks needs no allowance (`promise.py`).

Without one they are few, they go from the cheapest design to milder ones until one passes, and the report says how many
there were. Which designs may be looked at then does not depend on the budget of the search beyond the question how far
it got: they are nominated after certain numbers of evaluations (`CHECKPOINTS`), by what had been measured until then.
Whoever allows more evaluations has the same nominees and perhaps more; and as the cheapest one that passes is taken,
the confirmed design never becomes slower by it.

The search prefers designs whose measurement erred to the good side, so a higher accuracy on the exploration set alone
is no reason to expect more here; skipping less is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from approx_plugin.exploration.comparison import BoolArray, accuracy
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.promise import Promise

STEPS = 16
"""With a confidence: designs that save about 1/16, 2/16, ... of what the cheapest one saves are tried."""

CHECKPOINTS = (5, 10, 15, 20, 30, 45, 60)
"""Evaluations after which designs are nominated; from there on the last two are doubled again and again."""

MILDER = (0.75, 0.5, 0.25)
"""Parts of what the cheapest design saves: at each of them a nominee is to fall back on, if the cheaper ones fail."""

NEAR = 2 / 3
"""A nominee that saves at least this share of such a part, and at most the part itself, is the one to fall back on."""

BAND = 0.9
"""Designs that save at least this share of what the cheapest one saves are as good: the most accurate is nominated."""

ALIKE = 0.97
"""A nominee that saves at least this share of what another design does, and is as accurate, stands for that one too."""


@dataclass(frozen=True)
class Look:
    """A design that was tried.

    point: with the accuracy on the exploration set; accuracy: on the confirmation set, in percent; bound: what is
    certain of it (`Promise.bound`), None where no confidence was asked for; met: it keeps the target. images_needed:
    about how many images would have shown that it does, None where that is not known.
    """

    point: Point
    accuracy: float
    met: bool
    bound: float | None = None
    images_needed: int | None = None


@dataclass(frozen=True, eq=False)
class Confirmation:
    """design: the one that passed, None if none did; correct: its bool [images]; looks: all, in order."""

    design: Design | None
    correct: BoolArray | None
    looks: tuple[Look, ...]


def checkpoints() -> Iterator[int]:
    """All of them, ascending, without an end."""
    yield from CHECKPOINTS
    for doubled in itertools.count(1):
        yield from (count << doubled for count in CHECKPOINTS[-2:])


def confirm(
    measured: Sequence[Design],
    ended: bool,
    origin: float | None,
    goal: Goal,
    promise: Promise,
    evaluate: Evaluate,
    hopeful: Callable[[Design], bool] = lambda _: True,
) -> Confirmation:
    """The cheapest nominee that meets the target on the exploration set and keeps the promise on the confirmation set.

    measured: in the order of measurement, the exact network first; ended: whether the search had nothing more to
    measure. origin: the cycles from which savings count, those of the exact network: designs that do not take fewer
    are not nominated, nor are those that miss the target on the exploration set. None: the exact network does not fit,
    so that no design has to be quicker, and savings count from the slowest one. hopeful: whether a design is expected
    to keep the promise.
    """
    looks: list[Look] = []
    mildest_first = promise.confidence is not None
    last: tuple[Design | None, BoolArray | None] = (None, None)
    designs = ladder(measured, origin, goal, hopeful) if mildest_first else nominees(measured, ended, origin, goal)
    for design in designs:
        (correct,) = evaluate([design.candidates])
        kept = promise.kept(correct)
        needed = None if kept else promise.images_needed(correct)
        looks.append(Look(design.point, accuracy(correct), kept, promise.bound(correct), needed))
        if kept:
            last = (design, correct)
        if kept is not mildest_first:
            break
    return Confirmation(*last, tuple(looks))


def ladder(
    measured: Sequence[Design], origin: float | None, goal: Goal, hopeful: Callable[[Design], bool]
) -> tuple[Design, ...]:
    """What may be looked at with a confidence, the mildest first; arguments as for `confirm`.

    A poor design among the mild ones would keep the good ones behind it from being tried: only those are taken that no
    cheaper one beats in accuracy, and that are expected to keep the promise, if there are any. What is cheaper than all
    of those may be tried after them: it keeps nothing from being tried.
    """
    fit, start = _usable(measured[1:], origin, goal)
    expected = [one for one in fit if hopeful(one)]
    cheapest = min((one.point.cycles for one in expected), default=start)
    fit = [one for one in fit if one in expected or one.point.cycles < cheapest]
    fit = [one for one in fit if not any(_beats(other, one) for other in fit)]
    most = max((start - design.point.cycles for design in fit), default=0.0)
    found: list[Design] = []
    for step in range(1, STEPS + 1):
        design = _best(fit, start, most * step / STEPS)
        if design is not None and design not in found:
            found.append(design)
    return tuple(sorted(found, key=lambda d: (-d.point.cycles, -d.point.accuracy, d.point.levels)))


def nominees(measured: Sequence[Design], ended: bool, origin: float | None, goal: Goal) -> tuple[Design, ...]:
    """What may be looked at, the cheapest first; arguments as for `confirm`."""
    found: list[Design] = []
    places = list(itertools.takewhile(lambda count: count <= len(measured), checkpoints()))
    if ended and len(measured) not in places:
        places.append(len(measured))
    for place in places:
        fit, start = _usable(measured[1:place], origin, goal)
        most = max((start - design.point.cycles for design in fit), default=0.0)
        design = _best(fit, start, most)
        if design is not None and not any(_stands_for(one, design, start) for one in found):
            found.append(design)
        for part in MILDER:
            limit = part * most
            design = _best(fit, start, limit)
            if design is not None and not any(NEAR * limit <= start - d.point.cycles <= limit for d in found):
                found.append(design)
    return tuple(sorted(found, key=lambda d: (d.point.cycles, -d.point.accuracy, d.point.levels)))


def _beats(one: Design, other: Design) -> bool:
    """Whether it is cheaper and no less accurate on the exploration set, or more accurate and no more expensive."""
    mine, others = (one.point.cycles, -one.point.accuracy), (other.point.cycles, -other.point.accuracy)
    return mine != others and mine[0] <= others[0] and mine[1] <= others[1]


def _usable(measured: Sequence[Design], origin: float | None, goal: Goal) -> tuple[list[Design], float]:
    """Those that meet the target on the exploration set and save something, and the cycles from which savings count."""
    fit = [design for design in measured if goal.met(design.point.accuracy)]
    slowest = max((design.point.cycles for design in fit), default=0.0)
    start = slowest + 1.0 if origin is None else origin
    return [design for design in fit if design.point.cycles < start], start


def _stands_for(nominee: Design, design: Design, origin: float) -> bool:
    """Whether a look at `nominee` says enough about `design`."""
    saved, others = origin - nominee.point.cycles, origin - design.point.cycles
    return nominee is design or (saved >= ALIKE * others and nominee.point.accuracy >= design.point.accuracy)


def _best(designs: Sequence[Design], origin: float, limit: float) -> Design | None:
    """Of the designs that save at most `limit` cycles: the one that saves most, or a better one.

    Better: close to it in what it saves, and more accurate on the exploration set.
    """
    saved = {design: origin - design.point.cycles for design in designs}
    within = [design for design in designs if saved[design] <= limit]
    most = max((saved[design] for design in within), default=0.0)
    close = [design for design in within if saved[design] >= BAND * most]
    return max(close, key=lambda d: (d.point.accuracy, saved[d], d.point.levels), default=None)
