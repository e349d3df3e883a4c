"""The unpacked kernel as the rest of the house sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.unpacked import requantise
from approx_plugin.kernels.unpacked.plan import UnpackedPlan, plans
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D


class Unpacked(Kernel):
    """Convolutions as straight-line code with constant weights; products of weight zero are not there."""

    name: ClassVar[str] = UnpackedPlan.kernel
    skips: ClassVar[bool] = True

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single convolution, neither grouped nor dilated."""
        return len(operators) == 1 and isinstance(operators[0], Conv2D) and operators[0].is_plain

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Only where the folded arithmetic is exact; assembly needs the DSP extension."""
        if platform.backend == "assembly" and not platform.dsp:
            return f"{platform.core} has no SMLAD"
        return requantise.obstacle(_convolution(operators))

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """Every block of pixels and channels, on every layout of the widened input."""
        return plans(_convolution(operators), platform.backend)


def _convolution(operators: Sequence[Operator]) -> Conv2D:
    (operator,) = operators
    assert isinstance(operator, Conv2D)
    return operator
