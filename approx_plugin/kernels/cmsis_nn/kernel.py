"""A call into CMSIS-NN: every operator has one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.cmsis_nn.call import CmsisCall, Constant
from approx_plugin.kernels.cmsis_nn.registry import SERVICES
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.kernel import Schedule, layer_symbol
from approx_plugin.kernels.program import Emission, LoweredLayer
from approx_plugin.kernels.target import Target
from approx_plugin.model.operator import Operator

VALUES_A_LINE = 20


class CmsisNn(Schedule):
    """The library's own kernel, with multipliers, shifts and scratch sizes filled in."""

    name: ClassVar[str] = "cmsis_nn"

    def obstacle(self, operator: Operator, target: Target) -> str | None:
        """None: what the reader accepts, the library computes."""
        return None

    def cost(self, operator: Operator, target: Target) -> LayerCost:
        """From the counts of the library's loops."""
        return _cost(operator, SERVICES[operator.kind].call(operator), target)

    def lower(self, operator: Operator, target: Target) -> LoweredLayer:
        """Constants and one static function around the call."""
        call = SERVICES[operator.kind].call(operator)
        symbol = layer_symbol(operator)
        names = {c.name: f"{symbol}_{c.name}" for c in call.constants}
        definitions = [constant_text(names[c.name], c) for c in call.constants]
        body = "\n".join("    " + line for line in call.body.format_map(names).strip("\n").split("\n"))
        # Without a function of the library, its header, which has the context's type, may not be there either.
        context, unused, buffer = "", "", ""
        if call.functions:
            context, unused = ", const cmsis_nn_context *context", "    (void)context;\n"
            buffer = f", &(const cmsis_nn_context){{.buf = scratch, .size = {call.context_bytes}}}"
        definitions.append(
            f"static int32_t {symbol}_cmsis_nn(const int8_t *input, const int8_t *input_2, int8_t *output{context})\n"
            f"{{\n    (void)input_2;\n{unused}{body}\n}}\n"
        )
        wanted = call.context_size
        definitions.append(f"static int32_t {symbol}_context_size(void)\n{{\n    return {wanted};\n}}\n")
        emission = Emission(
            sources={},
            definitions="\n".join(definitions),
            prototypes="",
            call=f"{symbol}_cmsis_nn(input, input_2, output{buffer})",
            scratch_bytes=call.context_bytes,
            cmsis_nn=call.functions,
            context_size=f"{symbol}_context_size()",
        )
        return LoweredLayer(operator, self.name, emission, _cost(operator, call, target))


def constant_text(name: str, constant: Constant) -> str:
    """A constant array as C text."""
    types: dict[str, str] = {"int8": "int8_t", "int32": "int32_t", "int16": "int16_t"}
    flat: npt.NDArray[np.int64] = constant.data.reshape(-1).astype(np.int64)
    values = [str(v) if v > -(2**31) else "(-2147483647 - 1)" for v in flat.tolist()]
    lines = [", ".join(values[i : i + VALUES_A_LINE]) for i in range(0, len(values), VALUES_A_LINE)]
    inside = ",\n    ".join(lines)
    return f"static const {types[constant.data.dtype.name]} {name}[{len(values)}] = {{\n    {inside},\n}};\n"


def _cost(operator: Operator, call: CmsisCall, target: Target) -> LayerCost:
    cycles = target.model.cycles(SERVICES[operator.kind].work(operator, target.model.memories))
    return LayerCost(cycles, sum(c.data.nbytes for c in call.constants), call.context_bytes, operator.macs)
