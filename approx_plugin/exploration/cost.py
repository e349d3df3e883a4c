"""What a design costs. The search asks, and does not know whether a formula, a simulation or a board answers."""

from __future__ import annotations

from typing import Protocol

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.exploration.design import Candidates
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator


class Cost(Protocol):
    """Anything that prices a layer. Deterministic; may be slow, the search asks once for every distinct candidate."""

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        """The cost of one inference of `operator`; with None it is computed exactly."""
        ...


class PriceList:
    """Prices whole designs, asking for every (layer, candidate) once."""

    def __init__(self, graph: Graph, cost: Cost) -> None:
        """`cost` prices the layers of `graph`."""
        self._graph, self._cost = graph, cost
        self._known: dict[tuple[int, Candidate | None], LayerCost] = {}

    def layer(self, index: int, candidate: Candidate | None) -> LayerCost:
        """Cost of one layer."""
        key = (index, candidate)
        if key not in self._known:
            self._known[key] = self._cost.layer(self._graph.operators[index], candidate)
        return self._known[key]

    def total(self, candidates: Candidates) -> LayerCost:
        """Cost of the network."""
        by_layer = {candidate.layer: candidate for candidate in candidates}
        total = LayerCost(0.0, 0, 0)
        for operator in self._graph.operators:
            total = total + self.layer(operator.index, by_layer.get(operator.index))
        return total
