"""One way to approximate one convolution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.operators.conv2d import Conv2D


@dataclass(frozen=True, eq=False)
class Candidate:
    """A convolution with products left out.

    layer:   index of the operator.
    kept:    bool [out_channels, kernel_h, kernel_w, in_channels]: the products that are still computed.
    weights: int8, same shape, 0 where not kept.
    bias:    int32 [out_channels], adjusted where the method compensates.
    level:   what made it: the threshold or share, for reports and for the search.
    """

    layer: int
    kept: npt.NDArray[np.bool_]
    weights: Int8Array
    bias: Int32Array
    level: float

    @property
    def kept_share(self) -> float:
        """Share of the products that are kept, 0 to 1."""
        return float(self.kept.mean())


def apply(graph: Graph, candidates: Iterable[Candidate]) -> Graph:
    """The integer network that the candidates mean: whatever measures accuracy or generates code starts from it."""
    changed = {}
    for candidate in candidates:
        operator = graph.operators[candidate.layer]
        assert isinstance(operator, Conv2D)
        changed[candidate.layer] = operator.with_constants(candidate.weights, candidate.bias)
    return graph.with_operators(dict(changed))
