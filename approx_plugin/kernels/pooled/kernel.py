"""The kernel as the rest of the house sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.pooled.plan import PooledPlan, walk_of
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.model.operator import Operator
from approx_plugin.operators.pool2d import Pool2D

MOST_COMPARED = 25
"""Values under a window whose largest one is found without a loop."""


class Pooled(Kernel):
    """MAX_POOL_2D and AVERAGE_POOL_2D."""

    name: ClassVar[str] = PooledPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single one."""
        return len(operators) == 1 and isinstance(operators[0], Pool2D)

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Where windows are too large, or means have padding."""
        missing = missing_core(platform)
        if missing:
            return missing
        pool = _pool(operators)
        if pool.kind == "MAX_POOL_2D" and pool.kernel[0] * pool.kernel[1] > MOST_COMPARED:
            return "its windows are too large"
        return walk_of(pool, platform.core).obstacle

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """One."""
        return (PooledPlan(_pool(operators), platform.core),)


def _pool(operators: Sequence[Operator]) -> Pool2D:
    (operator,) = operators
    assert isinstance(operator, Pool2D)
    return operator
