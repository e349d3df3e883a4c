"""The kernel as the rest of the house sees it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.added.constants import Constants, constants_of
from approx_plugin.kernels.added.plan import AddedPlan
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.model.operator import Operator
from approx_plugin.operators.add import Add


class Added(Kernel):
    """ADD and SUB of two activations of the output's shape."""

    name: ClassVar[str] = AddedPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single one, without broadcasting or a constant operand."""
        if len(operators) != 1 or not isinstance(operators[0], Add):
            return False
        return operators[0].same_shapes and len(operators[0].inputs) == 2

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Where no constants are exact for all pairs of inputs."""
        missing = missing_core(platform)
        if missing:
            return missing
        return None if constants(_add(operators)) else "no exact constants were found"

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """One."""
        add = _add(operators)
        found = constants(add)
        assert found is not None
        return (AddedPlan(add, found, platform.core),)


@functools.lru_cache(maxsize=64)
def constants(add: Add) -> Constants | None:
    """Remembered: a layer is asked about, planned and priced."""
    return constants_of(add)


def _add(operators: Sequence[Operator]) -> Add:
    (operator,) = operators
    assert isinstance(operator, Add)
    return operator
