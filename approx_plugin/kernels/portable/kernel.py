"""Our own runtime as the rest of the house sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from approx_plugin.kernels.c_lines import call, folded
from approx_plugin.kernels.cmsis_nn import registry as library
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.layout import NHWC
from approx_plugin.kernels.needs import FLASH, Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.portable.call import RuntimeCall, Service
from approx_plugin.kernels.portable.registry import service_of
from approx_plugin.model.operator import Operator


@dataclass(frozen=True, eq=False)
class RuntimePlan(Plan):
    """The call for one operator."""

    kernel: ClassVar[str] = "runtime"

    operator: Operator

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The one."""
        return (self.operator,)

    @property
    def _service(self) -> Service:
        service = service_of(self.operator)
        assert service is not None
        return service

    def _call(self, symbol: str) -> RuntimeCall:
        made: RuntimeCall = self._service.call(self.operator, symbol)
        return made

    @cached_property
    def needs(self) -> Needs:
        """The constants. The code is shared by all layers and counted by nobody."""
        constants = self._call("step").table_bytes
        return Needs(tables={FLASH: constants}, inputs=(NHWC,) * len(self.operator.inputs))

    @property
    def macs(self) -> int:
        """All of them."""
        return self.operator.macs

    def work(self, memories: Memories) -> Sequence[Work]:
        """The counts of the function's loops."""
        return (self._service.work(self.operator, memories),)

    def emit(self, symbol: str) -> Emission:
        """Constants and one static function around the call."""
        made = self._call(symbol)
        count = len(self.operator.inputs)
        inputs = ["input", *(f"input_{number}" for number in range(2, count + 1))]
        head = call(f"static void {symbol}_runtime", [*(f"const int8_t *{name}" for name in inputs), "int8_t *output"])
        body = "\n".join(f"    {statement}" for statement in made.statements)
        return Emission(
            call=call(f"{symbol}_runtime", [*inputs, "output"]),
            can_fail=False,
            sources={},
            definitions=folded("\n".join([*made.definitions, f"{head}\n{{\n{body}\n}}\n"])),
        )


class Runtime(Kernel):
    """Portable C for what CMSIS-NN does not serve. Where the library serves an operator, it does not compete."""

    name: ClassVar[str] = RuntimePlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """Every single operator of the registry that the library does not serve."""
        if len(operators) != 1:
            return False
        (operator,) = operators
        return service_of(operator) is not None and library.service_of(operator) is None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """The one call."""
        (operator,) = operators
        return (RuntimePlan(operator),)
