"""The kernel: DEPTHWISE_CONV_2D on planes of int16 pairs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.planes.constants import Constants, constants_of
from approx_plugin.kernels.planes.plan import PlanesPlan, Target, plans
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.model.operator import Operator
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D


class Planes(Kernel):
    """Depthwise convolutions of any window, stride, dilation and depth multiplier."""

    name: ClassVar[str] = PlanesPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single depthwise convolution."""
        return len(operators) == 1 and isinstance(operators[0], DepthwiseConv2D)

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """A core without DSP instructions, constants that would not be exact, and windows out of reach."""
        missing = missing_core(platform)
        if missing is not None:
            return missing
        conv = _convolution(operators)
        constants = _constants(conv)
        if isinstance(constants, str):
            return constants
        if not self.plans(operators, platform):
            return "its window spans more of a plane than an offset reaches"
        return None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """Rows or columns paired, one to four planes at a time."""
        conv = _convolution(operators)
        constants = _constants(conv)
        assert isinstance(constants, Constants)
        return _plans(conv, constants, Target(platform.core, platform.fpu, platform.dtcm))


@functools.lru_cache(maxsize=64)
def _constants(conv: DepthwiseConv2D) -> Constants | str:
    """Remembered, for it is asked for once to refuse and once to plan."""
    return constants_of(conv)


@functools.lru_cache(maxsize=64)
def _plans(conv: DepthwiseConv2D, constants: Constants, target: Target) -> tuple[PlanesPlan, ...]:
    return tuple(plans(conv, constants, target))


def _convolution(operators: Sequence[Operator]) -> DepthwiseConv2D:
    (operator,) = operators
    assert isinstance(operator, DepthwiseConv2D)
    return operator
