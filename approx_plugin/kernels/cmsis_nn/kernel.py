"""CMSIS-NN's own kernel: a call with multipliers, shifts and scratch sizes filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.c_lines import array, call, folded
from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant
from approx_plugin.kernels.cmsis_nn.registry import SERVICES, service_of
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.layout import NHWC
from approx_plugin.kernels.needs import FLASH, RAM, Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.operator import Operator

C_TYPES = {"int8": "int8_t", "int32": "int32_t", "int16": "int16_t"}


@dataclass(frozen=True, eq=False)
class LibraryPlan(Plan):
    """The call for one operator."""

    kernel: ClassVar[str] = "cmsis_nn"

    operator: Operator

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The one."""
        return (self.operator,)

    @cached_property
    def call(self) -> CmsisCall:
        """What is called, and with what."""
        made: CmsisCall = SERVICES[self.operator.kind].call(self.operator)
        return made

    @property
    def needs(self) -> Needs:
        """The constants, and the library's buffer. Its code is shared by all layers and counted by nobody."""
        constants = sum(constant.data.nbytes for constant in self.call.constants)
        inputs = (NHWC,) * len(self.operator.inputs)
        return Needs(tables={FLASH: constants}, scratch={RAM: self.call.context_bytes}, inputs=inputs)

    @property
    def macs(self) -> int:
        """All of them: the library multiplies by zeros, too."""
        return self.operator.macs

    def work(self, memories: Memories) -> Sequence[Work]:
        """The counts of the library's loops."""
        return (SERVICES[self.operator.kind].work(self.operator, memories),)

    def emit(self, symbol: str) -> Emission:
        """Constants and one static function around the call."""
        made = self.call
        names = {c.name: f"{symbol}_{c.name}" for c in made.constants}
        body = made.body.format_map(names).strip("\n")
        inputs = ["input", "input_2"][: len(self.operator.inputs)]
        parameters = [*(f"const int8_t *{name}" for name in inputs), "int8_t *output"]
        arguments = [*inputs, "output"]
        if "context" in body:
            parameters.append("const cmsis_nn_context *context")
            buffer = "scratch" if made.context_bytes else "NULL"
            arguments.append(f"&(const cmsis_nn_context){{.buf = {buffer}, .size = {made.context_bytes}}}")
        function = call(f"static int32_t {symbol}_cmsis_nn", parameters)
        indented = "\n".join("    " + line for line in body.split("\n"))
        definitions = [constant_text(names[c.name], c) for c in made.constants]
        definitions.append(f"{function}\n{{\n{indented}\n}}\n")
        checked = made.context_size != "0"
        if checked:
            wanted = f"static int32_t {symbol}_context_size(void)\n{{\n    return {made.context_size};\n}}\n"
            definitions.append(wanted)
        return Emission(
            call=call(f"{symbol}_cmsis_nn", arguments),
            can_fail=True,
            sources={},
            definitions=folded("\n".join(definitions)),
            cmsis_nn=made.functions,
            context_size=f"{symbol}_context_size()" if checked else "",
        )


class CmsisNn(Kernel):
    """The library: one plan for each operator that it serves."""

    name: ClassVar[str] = LibraryPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """Every single operator of the registry, in a form that the library computes."""
        return len(operators) == 1 and service_of(operators[0]) is not None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """The one call."""
        (operator,) = operators
        return (LibraryPlan(operator),)


def constant_text(name: str, constant: Constant) -> str:
    """A constant array as C text."""
    flat: npt.NDArray[np.int64] = constant.data.reshape(-1).astype(np.int64)
    values = [str(v) if v > -(2**31) else "(-2147483647 - 1)" for v in flat.tolist()]
    inside = array(values)
    return f"static const {C_TYPES[constant.data.dtype.name]} {name}[{len(values)}] = {{\n{inside}\n}};\n"
