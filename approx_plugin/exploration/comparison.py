"""Two classifiers on the same images: how much accuracy the approximation costs, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def compare(exact: BoolArray, approximated: BoolArray) -> Comparison:
    """Both bool [images]: which of the same images each network classifies correctly; at least one.

    Only the images on which exactly one of both is right tell them apart (as in McNemar's test). The interval is
    the adjusted Wald interval for paired proportions (D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for
    a difference of binomial proportions based on paired data", J. Educational and Behavioral Statistics 37(4), 2012):
    one image is added to either kind, so that it has a width even where both networks agree everywhere.
    """
    images = len(exact)
    lost = int(np.count_nonzero(exact & ~approximated))
    gained = int(np.count_nonzero(approximated & ~exact))
    p_lost, p_gained = (lost + 1) / (images + 2), (gained + 1) / (images + 2)
    middle = p_gained - p_lost
    half = Z_95 * math.sqrt(max(0.0, p_gained + p_lost - middle**2) / (images + 2))
    return Comparison(
        images=images,
        exact=accuracy(exact),
        approximated=accuracy(approximated),
        difference=100.0 * (gained - lost) / images,
        interval=(100.0 * max(-1.0, middle - half), 100.0 * min(1.0, middle + half)),
    )
