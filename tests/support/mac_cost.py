"""The published cost: a cycle for every multiply-accumulate that is still computed."""

from __future__ import annotations

import numpy as np

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.exploration.design import Candidates, ordered
from approx_plugin.exploration.pricing import Price
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D


def macs_kept(operator: Operator, candidate: Candidate | None) -> int:
    """Every product of a layer is computed equally often."""
    if candidate is None:
        return operator.macs
    thin = candidate.operator
    assert isinstance(thin, Conv2D)
    return operator.macs // thin.weights.size * int(np.count_nonzero(thin.weights))


class MacCost:
    """Parameters as flash, no scratch."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def layer(self, operator: Operator, candidate: Candidate | None) -> Price:
        macs = macs_kept(operator, candidate)
        return Price(float(macs), macs, operator.parameter_bytes, 0)

    def total(self, candidates: Candidates) -> Price:
        by_layer = {candidate.layer: candidate for candidate in candidates}
        parts = [self.layer(operator, by_layer.get(operator.index)) for operator in self.graph.operators]
        return Price(
            sum(part.cycles for part in parts),
            sum(part.macs for part in parts),
            sum(part.flash_bytes for part in parts),
            max(part.ram_bytes for part in parts),
        )

    def unlimited(self, candidates: Candidates) -> float:
        return self.total(candidates).cycles

    def effective(self, candidates: Candidates) -> Candidates:
        return ordered(candidates)
