"""Two classifiers on the same images: how much accuracy the approximation costs, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: 95 % lie between it and its negative."""


@dataclass(frozen=True)
class Comparison:
    """exact, approximated: top-1 in percent on the same `images` images.

    difference: approximated - exact, in percentage points: negative where accuracy was lost.
    interval:   95 % confidence interval of the difference for images of the same kind, in points.
    """

    images: int
    exact: float
    approximated: float
    difference: float
    interval: tuple[float, float]


def accuracy(correct: BoolArray) -> float:
    """Top-1 in percent. correct: bool [images], at least one."""
    return 100.0 * int(np.count_nonzero(correct)) / len(correct)


def standard_error(exact: BoolArray, approximated: BoolArray) -> float:
    """Of the measured difference of both accuracies, in percentage points; arguments as for `compare`."""
    images = len(exact)
    differing = int(np.count_nonzero(exact ^ approximated)) / images
    difference = (int(np.count_nonzero(approximated)) - int(np.count_nonzero(exact))) / images
    return 100.0 * math.sqrt(max(0.0, differing - difference**2) / images)


@dataclass(frozen=True)
class Discord:
    """On how many of `images` images exactly one of two networks is right.

    Only these tell the networks apart (as in McNemar's test).
    """

    images: int
    lost: int
    gained: int

    @classmethod
    def of(cls, exact: BoolArray, approximated: BoolArray) -> Discord:
        """Arguments as for `compare`."""
        lost, gained = np.count_nonzero(exact & ~approximated), np.count_nonzero(approximated & ~exact)
        return cls(len(exact), int(lost), int(gained))

    @property
    def _middle_and_variance(self) -> tuple[float, float]:
        """Of the difference of a single image, as the adjusted Wald interval takes them."""
        p_lost, p_gained = (self.lost + 1) / (self.images + 2), (self.gained + 1) / (self.images + 2)
        middle = p_gained - p_lost
        return middle, max(0.0, p_gained + p_lost - middle**2)

    def ends(self, z: float, images: int | None = None) -> tuple[float, float]:
        """The difference's interval of z standard errors to either side, in points.

        images: if the interval was taken from so many images with the same shares; None: from those that there are.

        It is the adjusted Wald interval for paired proportions (D. G. Bonett, R. M. Price, "Adjusted Wald confidence
        interval for a difference of binomial proportions based on paired data", J. Educational and Behavioral
        Statistics 37(4), 2012): one image is added to either kind, so that it has a width even where both networks
        agree everywhere.
        """
        middle, variance = self._middle_and_variance
        half = z * math.sqrt(variance / ((self.images if images is None else images) + 2))
        return 100.0 * max(-1.0, middle - half), 100.0 * min(1.0, middle + half)

    def images_for(self, z: float, allowed: float) -> int | None:
        """How many images with these shares would show that no more than `allowed` points are lost; None: none would.

        It is an estimate: the shares of other images are others.
        """
        middle, variance = self._middle_and_variance
        spare = allowed / 100.0 + middle
        return math.ceil(z * z * variance / spare**2) if spare > 0.0 else None


def quantile(confidence: float) -> float:
    """Of the normal distribution: what lies below it with `confidence` percent."""
    return NormalDist().inv_cdf(confidence / 100.0)


def lowest_accuracy(right: int, images: int, z: float) -> float:
    """The lower end, z standard errors away, of Wilson's interval for an accuracy, in percent.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22(158), 1927.
    """
    share, square = right / images, z * z / images
    spread = z * math.sqrt(share * (1.0 - share) / images + square / (4 * images))
    return 100.0 * max(0.0, (share + square / 2 - spread) / (1.0 + square))


def compare(exact: BoolArray, approximated: BoolArray) -> Comparison:
    """Both bool [images]: which of the same images each network classifies correctly; at least one."""
    discord = Discord.of(exact, approximated)
    return Comparison(
        images=discord.images,
        exact=accuracy(exact),
        approximated=accuracy(approximated),
        difference=100.0 * (discord.gained - discord.lost) / discord.images,
        interval=discord.ends(Z_95),
    )
