"""The kernel as the rest of the house sees it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.packed.plan import MEMORIES, PackedPlan
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.pairs import Numbers, is_packable, numbers_of
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.model.operator import Operator
from approx_plugin.operators.fully_connected import FullyConnected


class Packed(Kernel):
    """Fully connected layers."""

    name: ClassVar[str] = PackedPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single one."""
        return len(operators) == 1 and isinstance(operators[0], FullyConnected)

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Where two weights do not go into a halfword, or the arithmetic would not be exact."""
        missing = missing_core(platform)
        if missing:
            return missing
        dense = _dense(operators)
        if not is_packable(dense.weights.astype(int)):
            return "a weight of -128, or sums that 256 would take out of int32"
        return None if numbers(dense) else "no exact constants were found"

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """The table in flash, or in RAM."""
        dense = _dense(operators)
        found = numbers(dense)
        assert found is not None
        return [PackedPlan(dense, found, platform.core, memory) for memory in MEMORIES]


@functools.lru_cache(maxsize=64)
def numbers(dense: FullyConnected) -> Numbers | None:
    """Remembered: a layer is asked about, planned and priced."""
    return numbers_of(dense, wide=False)


def _dense(operators: Sequence[Operator]) -> FullyConnected:
    (operator,) = operators
    assert isinstance(operator, FullyConnected)
    return operator
