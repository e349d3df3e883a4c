"""When a target is kept: on the images at hand, or, with a confidence, on all images like them.

With a confidence the one-sided bound has to keep the target: of the paired difference where a drop is allowed, of the
accuracy itself where one is demanded. With 95 % it fails in at most one of twenty searches, whatever was tried:

Several designs are tried on the same images, and of many that just miss the target one would pass by luck. So they are
tried in an order that does not depend on these images, from the mildest to the cheapest, and the first one that fails
ends it. A design that breaks the target can only be taken if the first such design of the order passes, and that has
the probability of a single test (the fixed-sequence procedure: W. Maurer, L. A. Hothorn, W. Lehmacher, "Multiple
comparisons in drug clinical trials and preclinical assays: a-priori ordered hypotheses", 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from approx_plugin.exploration.comparison import (
    BoolArray,
    Discord,
    accuracy,
    lowest_accuracy,
    quantile,
)
from approx_plugin.exploration.goal import Goal
from approx_plugin.spec.spec import Target


@dataclass(frozen=True, eq=False)
class Promise:
    """exact: bool [images], what the exact network classifies correctly on the confirmation set.

    confidence: in percent; None: the images at hand decide.
    """

    target: Target
    exact: BoolArray
    confidence: float | None

    @property
    def goal(self) -> Goal:
        """The target on these images themselves."""
        return Goal.on(self.target, accuracy(self.exact))

    @property
    def images(self) -> int:
        """How many there are."""
        return len(self.exact)

    def bound(self, correct: BoolArray) -> float | None:
        """What is certain of a design, bool [images]: points gained (negative: lost) where a drop is allowed, else the
        accuracy in percent. None without a confidence.
        """
        if self.confidence is None:
            return None
        z = quantile(self.confidence)
        if self.target.max_accuracy_drop is not None:
            return Discord.of(self.exact, correct).ends(z)[0]
        return lowest_accuracy(int(np.count_nonzero(correct)), self.images, z)

    def kept(self, correct: BoolArray) -> bool:
        """Whether a design keeps the target."""
        bound = self.bound(correct)
        if bound is None:
            return self.goal.met(accuracy(correct))
        if self.target.max_accuracy_drop is not None:
            return bound >= -self.target.max_accuracy_drop
        return self.goal.met(bound)

    def images_needed(self, correct: BoolArray) -> int | None:
        """About how many images would show that a design keeps the target; None where no number would, or where none
        was asked for.
        """
        drop = self.target.max_accuracy_drop
        if self.confidence is None or drop is None:
            return None
        return Discord.of(self.exact, correct).images_for(quantile(self.confidence), drop)


@dataclass(frozen=True)
class Outlook:
    """Whether a design that was measured on the exploration set can be expected to keep the promise.

    images: of the confirmation set.
    """

    target: Target
    confidence: float | None
    images: int

    def hopeful(self, exact: BoolArray, correct: BoolArray) -> bool:
        """Whether confirmation images on which it does as well would show it. Both bool [exploration images]."""
        if self.confidence is None:
            return True
        z = quantile(self.confidence)
        if self.target.max_accuracy_drop is not None:
            return Discord.of(exact, correct).ends(z, self.images)[0] >= -self.target.max_accuracy_drop
        assert self.target.accuracy is not None
        right = round(accuracy(correct) / 100.0 * self.images)
        return lowest_accuracy(right, self.images, z) >= self.target.accuracy


def fewest_images(drop: float, confidence: float) -> int:
    """With fewer images than this, not even a design that changes nothing shows that no more than `drop` points are
    lost. drop > 0.
    """
    z, low, high = quantile(confidence), 1, 1

    def shown(images: int) -> bool:
        return Discord(images, 0, 0).ends(z)[0] >= -drop

    while not shown(high):
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle + 1, high)
    return low


def too_few(target: Target, confidence: float | None, images: int) -> str | None:
    """What to say before a search that cannot keep any promise, as so few images show nothing; None if they can.

    images: of the confirmation set.
    """
    drop = target.max_accuracy_drop
    if confidence is None or drop is None:
        return None
    otherwise = "ask for `search: {confidence: point}` to let these images alone decide"
    if drop == 0:
        return f"no number of images shows with {confidence:g} % confidence that nothing is lost: {otherwise}"
    fewest = fewest_images(drop, confidence)
    if images >= fewest:
        return None
    return (
        f"{images:,} confirmation images cannot show with {confidence:g} % confidence that at most {drop:g} points are "
        f"lost, not even of a design that changes nothing: give at least {fewest:,}, several times that for one that "
        f"does, or {otherwise}"
    )
