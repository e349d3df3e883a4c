"""The kernel as the rest of the house sees it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.gemm.gather import REACH
from approx_plugin.kernels.gemm.geometry import BLOCK, Geometry
from approx_plugin.kernels.gemm.plan import GemmPlan, stripes_of
from approx_plugin.kernels.gemm.skipping import gathering_of
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.needs import DTCM, FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.pairs import Numbers, layer_sums, numbers_of
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.kernels.rolled.requantise import obstacle
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D

LARGEST_RAM_TABLE = 65536
"""Bytes of a table that is compared in RAM as well."""


class Gemm(Kernel):
    """Any convolution that is not grouped: windows become blocks, weights come from a table."""

    name: ClassVar[str] = GemmPlan.kernel
    skips: ClassVar[bool] = True

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single convolution of one group."""
        return len(operators) == 1 and isinstance(operators[0], Conv2D) and operators[0].groups == 1

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Where the arithmetic would not be exact, or offsets would not reach."""
        missing = missing_core(platform)
        if missing:
            return missing
        conv = _convolution(operators)
        if (BLOCK - 1) * conv.out_channels + 1 > REACH:
            return "it has too many output channels"
        if numbers(conv) is None:
            return obstacle(layer_sums(conv), 1) or "no exact constants were found"
        return None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """Stripes of several heights; scratch and table in other memories where there are some."""
        conv = _convolution(operators)
        found, geometry = numbers(conv), Geometry.of(conv)
        assert found is not None
        # A Cortex-M33 loads weights as quickly as it moves them, and needs fewer visits of the sums then.
        form = platform.fpu and platform.core == "cortex-m4"
        made: list[GemmPlan] = []
        for stripes in stripes_of(geometry, gathering_of(geometry, found.weights).slots):
            plan = GemmPlan(conv, found, stripes, platform.core, form, FLASH, RAM)
            made.append(plan)
            if 0 < plan.scratch[RAM] <= platform.dtcm:
                made.append(GemmPlan(conv, found, stripes, platform.core, form, FLASH, DTCM))
        quickest = made[0]
        if sum(quickest.needs.tables.values()) <= LARGEST_RAM_TABLE:
            made.append(GemmPlan(conv, found, quickest.stripes, platform.core, form, RAM, quickest.scratch_in))
        return made


@functools.lru_cache(maxsize=64)
def numbers(conv: Conv2D) -> Numbers | None:
    """Remembered: a layer is asked about, planned and priced."""
    return numbers_of(conv)


def _convolution(operators: Sequence[Operator]) -> Conv2D:
    (operator,) = operators
    assert isinstance(operator, Conv2D)
    return operator
