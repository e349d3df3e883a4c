"""What a design costs. The search asks, and does not know whether a formula, a simulation or a board answers."""

from __future__ import annotations

from typing import Protocol

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.exploration.design import Candidates
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.model.graph import Graph
from approx_plugin.operators.base import Operator


class Cost(Protocol):
    """Anything that prices a layer. Deterministic; may be slow, the search asks once for every distinct candidate."""

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        """The cost of one inference of `operator`; with None it is computed exactly."""
        ...


def macs_kept(operator: Operator, candidate: Candidate | None) -> int:
    """Multiply-accumulates of one inference that are still computed: each product at every output position."""
    if candidate is None:
        return operator.macs
    return operator.macs // candidate.kept.size * int(candidate.kept.sum())


class MacCost:
    """The published cost: a cycle for each multiply-accumulate still computed; parameters as flash, no scratch."""

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        """See `Cost`."""
        return LayerCost(float(macs_kept(operator, candidate)), operator.parameter_bytes, 0)


class PriceList:
    """Prices whole designs, asking for every (layer, candidate) once."""

    def __init__(self, graph: Graph, cost: Cost) -> None:
        """`cost` prices the layers of `graph`."""
        self._graph, self._cost = graph, cost
        self._known: dict[tuple[int, Candidate | None], tuple[LayerCost, int]] = {}

    def layer(self, index: int, candidate: Candidate | None) -> tuple[LayerCost, int]:
        """Cost and kept multiply-accumulates of one layer."""
        key = (index, candidate)
        if key not in self._known:
            operator = self._graph.operators[index]
            self._known[key] = (self._cost.layer(operator, candidate), macs_kept(operator, candidate))
        return self._known[key]

    def total(self, candidates: Candidates) -> tuple[LayerCost, int]:
        """Cost and kept multiply-accumulates of the network."""
        by_layer = {candidate.layer: candidate for candidate in candidates}
        cost, macs = LayerCost(0.0, 0, 0), 0
        for operator in self._graph.operators:
            layer, kept = self.layer(operator.index, by_layer.get(operator.index))
            cost, macs = cost + layer, macs + kept
        return cost, macs
