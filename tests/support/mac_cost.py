"""The published cost: a cycle for every multiply-accumulate that is still computed."""

from __future__ import annotations

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.model.operator import Operator


def macs_kept(operator: Operator, candidate: Candidate | None) -> int:
    """Every product of a layer is computed equally often."""
    if candidate is None:
        return operator.macs
    return operator.macs // candidate.kept.size * int(candidate.kept.sum())


class MacCost:
    """Parameters as flash, no scratch."""

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        macs = macs_kept(operator, candidate)
        return LayerCost(float(macs), operator.parameter_bytes, 0, macs)
