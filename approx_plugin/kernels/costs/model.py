"""Cycles from counts: a linear model with coefficients that are data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from approx_plugin.kernels.costs.counting import Memories, Work


@dataclass(frozen=True)
class CostModel:
    """origin: what the coefficients were fitted to, for reports: "the virtual board of NUCLEO-U575ZI-Q".

    memories: the board's caches, of which counts depend.
    kinds:    kind of kernel -> name of a count -> cycles for each, none negative.
    """

    origin: str
    memories: Memories
    kinds: Mapping[str, Mapping[str, float]]

    def cycles(self, work: Work) -> float:
        """Estimated cycles. Raises KeyError for a kind or a count without a coefficient, assumed ones included.

        The sum is rounded once: `sum` adds floats in one way before Python 3.12 and in another one since.
        """
        coefficients = self.kinds[work.kind] if work.assumed is None else self.kinds.get(work.kind, work.assumed)
        return math.fsum(coefficients[name] * count for name, count in work.counts.items())

    def knows(self, work: Work) -> bool:
        """Whether there are coefficients, fitted or assumed, for work of this kind."""
        return work.kind in self.kinds or work.assumed is not None

    def is_assumed(self, work: Work) -> bool:
        """Whether its cycles come from coefficients that were not fitted to anything."""
        return work.kind not in self.kinds and work.assumed is not None
