"""One way to approximate one operator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import IntArray
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator


@dataclass(frozen=True, eq=False)
class Candidate:
    """An operator that takes the place of another one, with products left out.

    operator: the replacement; index, inputs and output are those of the exact one, kind and arithmetic need not be.
    level:    what made it: the threshold or share, for reports and for the search.
    products: coefficients of the exact operator that are not 0; kept: how many of them are left.
    skipped_macs: multiply-accumulates of one inference that are left out by it; products of a coefficient that was 0
              already are not among them.
    grouping: the basis in which products were left out, and what fell together.
    coefficients, bias: what the replacement was rebuilt from, in that basis; `grouping.basis.rebuild` makes the same
              replacement of them again.
    """

    operator: Operator
    level: float
    products: int
    kept: int
    skipped_macs: int
    grouping: Grouping
    coefficients: IntArray
    bias: npt.NDArray[np.int64]

    @property
    def layer(self) -> int:
        """Index of the operator."""
        return self.operator.index

    @property
    def kept_share(self) -> float:
        """Share of the products that are kept, 0 to 1; 1 for an operator that has none."""
        return self.kept / self.products if self.products else 1.0


def apply(graph: Graph, candidates: Iterable[Candidate]) -> Graph:
    """The integer network that the candidates mean: whatever measures accuracy or generates code starts from it."""
    return graph.with_operators({candidate.layer: candidate.operator for candidate in candidates})
