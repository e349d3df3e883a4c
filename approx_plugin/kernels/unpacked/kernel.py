"""The unpacked schedule as the rest of the house sees it."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.kernel import Schedule, layer_symbol
from approx_plugin.kernels.machine.text import head
from approx_plugin.kernels.program import Emission, LoweredLayer
from approx_plugin.kernels.target import Target
from approx_plugin.kernels.unpacked import requantise
from approx_plugin.kernels.unpacked.assembly import Group, Phase, group_code, groups
from approx_plugin.kernels.unpacked.c_source import group_source
from approx_plugin.kernels.unpacked.geometry import BYTES
from approx_plugin.kernels.unpacked.legend import assembly_legend, c_legend
from approx_plugin.kernels.unpacked.phases import count_phases, cut, sums_bytes
from approx_plugin.kernels.unpacked.plan import Plan, plan
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D


class Unpacked(Schedule):
    """Convolutions as straight-line code with constant weights; products of weight zero are not there."""

    name: ClassVar[str] = "unpacked"

    def obstacle(self, operator: Operator, target: Target) -> str | None:
        """Only convolutions, only where the folded arithmetic is exact; assembly needs the DSP extension."""
        if not isinstance(operator, Conv2D):
            return f"{operator.kind} is not a convolution"
        if target.backend == "assembly" and not target.dsp:
            return f"{target.core} has no SMLAD"
        return requantise.obstacle(operator)

    def cost(self, operator: Operator, target: Target) -> LayerCost:
        """By counting the code that is left."""
        assert isinstance(operator, Conv2D)
        return _cost(plan(operator, target.model), target)

    def lower(self, operator: Operator, target: Target) -> LoweredLayer:
        """One file with the functions of each channel group; the layer's function widens the input and calls them."""
        assert isinstance(operator, Conv2D)
        return self.lower_plan(operator, plan(operator, target.model), target)

    def lower_plan(self, operator: Conv2D, chosen: Plan, target: Target) -> LoweredLayer:
        """The same with a given plan."""
        symbol = layer_symbol(operator)
        parts = groups(chosen.slots, chosen.constants, chosen.block)
        phases = count_phases(parts, chosen.block) if target.backend == "assembly" else 1
        names = [
            [f"{symbol}_group_{number:03d}" + _suffix(i, phases) for i in range(phases)] for number in range(len(parts))
        ]
        write = _assembly_file if target.backend == "assembly" else _c_file
        path, text = write(symbol, operator, chosen, parts, names)
        emission = Emission(
            sources={path: text},
            definitions=_definitions(symbol, operator.input_zero_point, chosen, names),
            prototypes=_prototypes(names),
            call=f"{symbol}_unpacked(input, output, scratch)",
            scratch_bytes=_widened_bytes(chosen) + sums_bytes(chosen.layout, chosen.block, phases),
        )
        return LoweredLayer(operator, self.name, emission, _cost(chosen, target))


def _suffix(phase: int, phases: int) -> str:
    """`_a`, `_b`, ... where a group has several phases."""
    return "" if phases == 1 else f"_{string.ascii_lowercase[phase]}" if phases <= 26 else f"_p{phase:03d}"


def _prototypes(names: Sequence[Sequence[str]]) -> str:
    return "".join(
        f"void {n}(const int16_t *input, int8_t *output, int32_t *sums);\n" for group in names for n in group
    )


def _widened_bytes(chosen: Plan) -> int:
    """Of the widened copy, so that what follows is aligned."""
    return -(-chosen.layout.scratch_bytes // 8) * 8


def _cost(chosen: Plan, target: Target) -> LayerCost:
    cycles = target.model.cycles(chosen.work(target.model.memories))
    scratch = _widened_bytes(chosen) + sums_bytes(chosen.layout, chosen.block, chosen.counts.phases)
    products = int(np.count_nonzero(chosen.constants.weights))
    return LayerCost(cycles, chosen.flash_bytes, scratch, products * chosen.layout.out_height * chosen.layout.out_width)


def _assembly_file(
    symbol: str, operator: Conv2D, chosen: Plan, parts: list[Group], names: Sequence[Sequence[str]]
) -> tuple[str, str]:
    """Path and text of the layer's assembly file. names: of every phase of every group."""
    lines = head(assembly_legend(operator, chosen.layout, chosen.block, len(names[0])))
    for part, functions in zip(parts, names):
        last = len(functions) - 1
        runs = cut(chosen.order, part, chosen.block, len(functions))
        for number, (name, run) in enumerate(zip(functions, runs)):
            phase = Phase(tuple(run), first=number == 0, last=number == last)
            made = group_code(name, chosen.layout, chosen.slots, phase, chosen.block, part, chosen.constants)
            lines.append(made.text)
    return f"Src/{symbol}.s", "\n".join(lines)


def _c_file(
    symbol: str, operator: Conv2D, chosen: Plan, parts: list[Group], names: Sequence[Sequence[str]]
) -> tuple[str, str]:
    """Path and text of the layer's C file. names: of every group's only phase."""
    legend = c_legend(operator, chosen.layout, chosen.block)
    start = [*legend, '#include "approx_runtime.h"', "", _prototypes(names)]
    body = [
        group_source(name, chosen.layout, chosen.slots, chosen.order, chosen.block, part, chosen.constants)
        for (name,), part in zip(names, parts)
    ]
    return f"Src/{symbol}.c", "\n".join([*start, *body])


def _definitions(symbol: str, zero_point: int, chosen: Plan, names: Sequence[Sequence[str]]) -> str:
    """The layer's own function: widen, then one call a channel group, so that a group's code stays in the cache."""
    layout = chosen.layout
    several = len(names[0]) > 1
    sums = f"(int32_t *)(widened + {_widened_bytes(chosen) // BYTES})" if several else "NULL"
    calls = [
        f"    {name}(widened, output + {number * chosen.block.channels}, {sums});"
        for number, group in enumerate(names)
        for name in group
    ]
    fields = {
        "input_height": layout.input_height,
        "input_width": layout.input_width,
        "channels": layout.channels,
        "pad_top": layout.pad_top,
        "pad_left": layout.pad_left,
        "rows": layout.rows,
        "columns": layout.columns,
        "channel_pitch": layout.channel_pitch,
        "row_pitch": layout.row_pitch,
    }
    return "\n".join(
        [
            f"static int32_t {symbol}_unpacked(const int8_t *input, int8_t *output, int16_t *widened)",
            "{",
            "    static const approx_widen_shape shape = {",
            *(f"        .{field} = {value}," for field, value in fields.items()),
            f"        .fill = {zero_point},",
            "    };",
            "    approx_widen_s8(&shape, input, widened);",
            *calls,
            "    return 0;",
            "}",
            "",
        ]
    )
