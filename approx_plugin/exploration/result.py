"""What a search has found."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.exploration.comparison import Comparison
from approx_plugin.exploration.confirmation import Look
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.front import Front, Point


@dataclass(frozen=True, eq=False)
class Exploration:
    """What the search found.

    front:   Pareto front of all measured designs that fit, the exact network among them if it does; accuracies on the
             exploration set.
    points:  all that was measured, in that order; the first one is the exact network. intervals: of each of them, the
             95 % confidence interval of the difference to it on the exploration set, in points of accuracy.
    exact_fits: whether the exact network does.
    chosen:  the design to use; without candidates if it is the exact network.
    exploration, confirmation: the chosen design against the exact network on either set.
    target_met: whether the chosen design keeps the target on the confirmation set, with the confidence asked for.
    confidence: in percent, None where none was asked for. bound: what is certain of the chosen design with it
             (`Promise.bound`), None where nothing was approximated or no confidence was asked for.
    looks:   the designs that were tried on the confirmation set, in that order.
    evaluations: how many designs were measured on the exploration set.
    message: one or two sentences for the person who reads the report: what was chosen and why; empty never.
    """

    front: Front
    points: tuple[Point, ...]
    intervals: tuple[tuple[float, float], ...]
    exact_fits: bool
    chosen: Design
    exploration: Comparison
    confirmation: Comparison
    target_met: bool
    confidence: float | None
    bound: float | None
    looks: tuple[Look, ...]
    evaluations: int
    message: str


class NothingMeetsTheTarget(Exception):  # noqa: N818 (a finding; the pipeline says to the user what it means)
    """The exact network does not fit, and no design that fits meets the target. str() says what was tried."""
