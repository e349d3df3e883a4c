"""The kernel as the rest of the house sees it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.plan import missing_core
from approx_plugin.kernels.winograd.plan import WinogradPlan, stripes_of
from approx_plugin.kernels.winograd.shape import Shape, point_bytes
from approx_plugin.kernels.winograd.table import Convolution, Numbers, numbers_of
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.transformed_conv2d import TransformedConv2D
from approx_plugin.operators.winograd import P22, T22, T42, Transform

FORMS = (T42, T22, P22)

REACH = 4095
"""Of an offset: three points side by side, and two output rows."""


class Winograd(Kernel):
    """3x3 convolutions with stride 1 or 2 in a transformed domain; also those that approximation has left there."""

    name: ClassVar[str] = WinogradPlan.kernel
    skips: ClassVar[bool] = True

    def suits(self, operators: Sequence[Operator]) -> bool:
        """A single 3x3 convolution with stride 1 or 2, neither grouped nor dilated; or a transformed one."""
        if len(operators) != 1:
            return False
        (operator,) = operators
        if isinstance(operator, TransformedConv2D):
            return True
        if not isinstance(operator, Conv2D) or not operator.is_plain:
            return False
        return operator.kernel == (3, 3) and bool(_forms(operator))

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Where channels do not come in fours, offsets would not reach, or the arithmetic would not be exact."""
        missing = missing_core(platform)
        if missing:
            return missing
        conv = _convolution(operators)
        if conv.inputs[0].shape[3] % 4:
            return "its input channels are no multiple of 4"
        if 3 * point_bytes(conv.inputs[0].shape[3] // 2) + 16 > REACH:
            return "it has too many input channels"
        if 2 * conv.output.shape[3] > REACH:
            return "it has too many output channels"
        if not any(stripes_of(shape_of(conv, form)) for form in _forms(conv)):
            return "its rows are too long"
        if not any(numbers(conv, form) and stripes_of(shape_of(conv, form)) for form in _forms(conv)):
            return "no exact constants were found"
        return None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """All transforms, stripes of several sizes, scratch in the core's own memory where there is some."""
        conv = _convolution(operators)
        # A Cortex-M7 loads weights as quickly as it moves them.
        form = platform.fpu and platform.core != "cortex-m7"
        made: list[WinogradPlan] = []
        for transform in _forms(conv):
            found = numbers(conv, transform)
            if found is None:
                continue
            for stripes in stripes_of(shape_of(conv, transform)):
                plan = WinogradPlan(conv, found, stripes, platform.core, form, RAM)
                made.append(plan)
                if plan.scratch[RAM] <= platform.dtcm:
                    made.append(WinogradPlan(conv, found, stripes, platform.core, form, DTCM))
        return made


@functools.lru_cache(maxsize=64)
def numbers(conv: Convolution, form: Transform) -> Numbers | None:
    """Remembered: a layer is asked about, planned and priced."""
    return numbers_of(conv, form)


def shape_of(conv: Convolution, form: Transform) -> Shape:
    """A layer's."""
    _, height, width, channels = conv.inputs[0].shape
    _, out_height, out_width, outputs = conv.output.shape
    return Shape(form, height, width, channels, out_height, out_width, outputs, conv.padding)


def _forms(conv: Convolution) -> Sequence[Transform]:
    """For its stride."""
    stride = conv.form.stride if isinstance(conv, TransformedConv2D) else conv.stride
    return [form for form in FORMS if form.stride == stride]


def _convolution(operators: Sequence[Operator]) -> Convolution:
    (operator,) = operators
    assert isinstance(operator, (Conv2D, TransformedConv2D))
    return operator
