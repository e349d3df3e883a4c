"""A convolution unpacked: layout, block and slot order, what the code consists of, and the code."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.kernels.c_lines import call, folded
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.machine.text import head
from approx_plugin.kernels.needs import RAM, Needs
from approx_plugin.kernels.unpacked.assembly import Group, Phase, group_code, groups
from approx_plugin.kernels.unpacked.blocks import Block, candidates
from approx_plugin.kernels.unpacked.c_source import group_source
from approx_plugin.kernels.unpacked.counting import Counts, count, full_body, work
from approx_plugin.kernels.unpacked.geometry import BYTES, Geometry, Slots, geometry, pitches, slots
from approx_plugin.kernels.unpacked.kept import Kept, kept
from approx_plugin.kernels.unpacked.legend import assembly_legend, c_legend
from approx_plugin.kernels.unpacked.phases import count_phases, cut, sums_bytes
from approx_plugin.kernels.unpacked.requantise import ChannelConstants, fold
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D


@dataclass(frozen=True, eq=False)
class UnpackedPlan(Plan):
    """Everything that decides the code of a layer, and what that code consists of. backend: "assembly" or "c"."""

    kernel: ClassVar[str] = "unpacked"

    conv: Conv2D
    layout: Geometry
    slots: Slots
    block: Block
    order: tuple[int, ...]
    constants: ChannelConstants
    counts: Counts
    backend: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The convolution."""
        return (self.conv,)

    @property
    def variant(self) -> str:
        """The block, and how the widened input lies where that is a choice."""
        block = f"{self.block.width}x{self.block.height} pixels by {self.block.channels} channels"
        choice = len(pitches(self.layout.channels)) > 1
        return f"{block}, pitch {self.layout.channel_pitch}" if choice else block

    @cached_property
    def needs(self) -> Needs:
        """The code, the widened copy, and the sums that wait between two phases."""
        # How large C code becomes is the compiler's business: it has one phase only.
        phases = self.counts.phases if self.backend == "assembly" else 1
        sums = sums_bytes(self.layout, self.block, phases)
        return Needs(code=round(float(self.counts.bytes.sum())), scratch={RAM: self._widened_bytes + sums})

    @property
    def macs(self) -> int:
        """Products whose weight is not 0, in channels that are not constant."""
        products = int(np.count_nonzero(self.constants.weights))
        return products * self.layout.out_height * self.layout.out_width

    @property
    def constant_products(self) -> int:
        """Of channels that `fold` has found to be constant: it makes their weights 0."""
        products = int(np.count_nonzero(self.conv.weights)) - int(np.count_nonzero(self.constants.weights))
        return products * self.layout.out_height * self.layout.out_width

    def work(self, memories: Memories) -> Sequence[Work]:
        """Passes, loads and constants, hot and cold."""
        return (work(self.layout, self.block, self.counts, memories),)

    @cached_property
    def grouping(self) -> Grouping:
        """The products that one SMLAD does: the two operands of a slot, the same for all output channels."""
        shape = self.conv.weights.shape[1:]
        numbers = np.empty(int(np.prod(shape)), np.int64)
        for lane in (self.slots.low, self.slots.high):
            present = lane >= 0
            numbers[lane[present]] = np.flatnonzero(present)
        even = self.layout.channel_pitch % 2 == 0
        title = "pairs of input channels" if even else "pairs of neighbouring taps of a kernel row"
        return Grouping(TAPS, title, numbers.reshape(shape))

    @property
    def _widened_bytes(self) -> int:
        """Of the widened copy, so that what follows is aligned."""
        return -(-self.layout.scratch_bytes // 8) * 8

    def emit(self, symbol: str) -> Emission:
        """One file with the functions of each channel group; a function widens the input and calls them."""
        parts = groups(self.slots, self.constants, self.block)
        phases = count_phases(parts, self.block) if self.backend == "assembly" else 1
        names = [
            [f"{symbol}_group_{number:03d}" + _suffix(i, phases) for i in range(phases)] for number in range(len(parts))
        ]
        path, text = (self._assembly if self.backend == "assembly" else self._c)(symbol, parts, names)
        return Emission(
            call=f"{symbol}_unpacked(input, output, scratch)",
            can_fail=False,
            sources={path: text},
            definitions=self._definitions(symbol, names),
            prototypes=_prototypes(names),
        )

    def _assembly(self, symbol: str, parts: list[Group], names: Sequence[Sequence[str]]) -> tuple[str, str]:
        """Path and text of the layer's assembly file. names: of every phase of every group."""
        lines = head(assembly_legend(self.conv, self.layout, self.block, len(names[0])))
        for part, functions in zip(parts, names):
            last = len(functions) - 1
            runs = cut(self.order, part, self.block, len(functions))
            for number, (name, run) in enumerate(zip(functions, runs)):
                phase = Phase(tuple(run), first=number == 0, last=number == last)
                made = group_code(name, self.layout, self.slots, phase, self.block, part, self.constants)
                lines.append(made.text)
        return f"Src/{symbol}.s", "\n".join(lines)

    def _c(self, symbol: str, parts: list[Group], names: Sequence[Sequence[str]]) -> tuple[str, str]:
        """Path and text of the layer's C file. names: of every group's only phase."""
        legend = c_legend(self.conv, self.layout, self.block)
        start = [*legend, '#include "approx_runtime.h"', "", _prototypes(names)]
        body = [
            group_source(name, self.layout, self.slots, self.order, self.block, part, self.constants)
            for (name,), part in zip(names, parts)
        ]
        return f"Src/{symbol}.c", "\n".join([*start, *body])

    def _definitions(self, symbol: str, names: Sequence[Sequence[str]]) -> str:
        """The layer's own function: widen, then one call per channel group, so that its code stays in the cache."""
        layout = self.layout
        several = len(names[0]) > 1
        sums = f"(int32_t *)(widened + {self._widened_bytes // BYTES})" if several else "NULL"
        calls = [
            f"    {call(name, ['widened', f'output + {number * self.block.channels}', sums])};"
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
            "fill": self.conv.input_zero_point,
        }
        return folded(
            "\n".join(
                [
                    f"static void {symbol}_unpacked(const int8_t *input, int8_t *output, int16_t *widened)",
                    "{",
                    "    static const approx_widen_shape shape = {",
                    *(f"        .{field} = {value}," for field, value in fields.items()),
                    "    };",
                    "    approx_widen_s8(&shape, input, widened);",
                    *calls,
                    "}",
                    "",
                ]
            )
        )


def plans(conv: Conv2D, backend: str) -> list[UnpackedPlan]:
    """All that are compared, best guess first."""
    constants = fold(conv)
    found = []
    for pitch in pitches(conv.in_channels):
        layout = geometry(conv, pitch)
        all_slots = slots(layout)
        keeps = kept(all_slots, constants)
        found += [_plan(conv, layout, all_slots, block, constants, keeps, backend) for block in candidates(layout)]
    return found


def _plan(
    conv: Conv2D,
    layout: Geometry,
    all_slots: Slots,
    block: Block,
    constants: ChannelConstants,
    keeps: Kept,
    backend: str,
) -> UnpackedPlan:
    order = full_body(layout, block).order
    return UnpackedPlan(conv, layout, all_slots, block, order, constants, count(layout, block, keeps), backend)


def _suffix(phase: int, phases: int) -> str:
    """`_a`, `_b`, ... where a group has several phases."""
    return "" if phases == 1 else f"_{string.ascii_lowercase[phase]}" if phases <= 26 else f"_p{phase:03d}"


def _prototypes(names: Sequence[Sequence[str]]) -> str:
    return "".join(
        f"void {n}(const int16_t *input, int8_t *output, int32_t *sums);\n" for group in names for n in group
    )
