"""A depthwise convolution on planes: layout, constants, the lines' shape, and the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.idioms import constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Half, Pointer, Registers
from approx_plugin.kernels.machine.registers import CORE, LR, PC, R0, R1, R2, R3, R8, SINGLES, SP
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.needs import DTCM, FLASH, RAM, Bytes
from approx_plugin.kernels.overlap import Overlap
from approx_plugin.kernels.planes import frame
from approx_plugin.kernels.planes.body import Ending, Line, NoRegisterError
from approx_plugin.kernels.planes.border import fill
from approx_plugin.kernels.planes.constants import Constants, Places, places, records
from approx_plugin.kernels.planes.filtering import Shape, best_shape, filters
from approx_plugin.kernels.planes.frame import CALLER_SAVED, Frame
from approx_plugin.kernels.planes.geometry import MOST_AT_ONCE, WORD, Geometry, geometry
from approx_plugin.kernels.planes.legend import legend
from approx_plugin.kernels.planes.making import REACH, make_planes
from approx_plugin.kernels.planes.weights import Arrangement, arrangement
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.model.operator import Operator
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D

SAVED = (*CORE[4:12], LR)

MOST_INSTRUCTIONS = {"cortex-m4": 190}
"""Of a line: where the instruction cache may hold 1 KB, so that the line stays in it with what is around it."""

MANY_INSTRUCTIONS = 320

MOST_PLANES = 16
"""At a time. With more of them the code for making planes and that for using them push each other out of a small
instruction cache less often."""

WITHOUT_SINGLES = ("cortex-m7",)
"""Cores on which a load from the stack is quicker than a move from the FPU."""


class Target(NamedTuple):
    """What of a platform decides the plans. fpu, dtcm: see `Platform`."""

    core: str
    fpu: bool
    dtcm: int


@dataclass(frozen=True, eq=False)
class PlanesPlan(RolledPlan):
    """Everything that decides the code of a layer. memory: where the planes are."""

    kernel: ClassVar[str] = "planes"

    conv: DepthwiseConv2D
    layout: Geometry
    arranged: Arrangement
    constants: Constants
    places: Places
    near: bool
    kept: Frame
    core: str
    shape: Shape
    memory: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The convolution."""
        return (self.conv,)

    @property
    def variant(self) -> str:
        """The planes at a time, what shares a word, and where they are."""
        count = f"{self.layout.planes} plane{'s' if self.layout.planes > 1 else ''}"
        paired = "columns" if self.layout.columns_paired else "rows"
        return f"{count} of paired {paired}" + (", in DTCM" if self.memory == DTCM else "")

    @property
    def macs(self) -> int:
        """All products: those with weights of 0 are made."""
        return self.conv.macs

    @property
    def scratch(self) -> Bytes:
        """The planes."""
        return {self.memory: self.layout.scratch_bytes}

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """Channel over channel: a group of channels is read before it is written."""
        layout, size = self.layout, self.conv.inputs[0].elements
        if layout.planes == layout.channels:
            return (Overlap(size),)
        return (Overlap(size, layout.channels),) if layout.multiplier == 1 else (None,)

    @property
    def streams(self) -> Sequence[Stream]:
        """The table once. With each group of channels the whole input, whose bytes lie apart, the planes and the whole
        output, which share a cache; with each further filter of a group the output again.
        """
        layout = self.layout
        groups, filters = layout.channels // layout.planes, layout.planes * layout.multiplier
        planes = layout.plane_bytes if self.memory == RAM else 0
        source, result = float(self.conv.inputs[0].elements), float(self.conv.output.elements)
        return (
            Stream(FLASH, WORD * self.places.size * layout.channels * layout.multiplier),
            Stream(RAM, source + result + layout.planes * planes, groups),
            Stream(RAM, result + planes, groups * (filters - 1), written=True),
        )

    def tables(self, symbol: str) -> Sequence[Table]:
        """One record for each output channel."""
        words = records(self.layout, self.arranged, self.constants, self.places)
        said = f"{self.places.size} words for each output channel: {self.places.words} of weights, bias, multiplier, "
        said += "addend" + ("" if self.places.sign < 0 else ", sign") + ("" if self.places.shift < 0 else ", shift")
        said += "" if self.places.row < 0 else ", bytes of a row of outputs"
        return (Table(f"{symbol}_constants", words, (f"{said}.",)),)

    def legend(self) -> Sequence[str]:
        """Of the file."""
        return legend(self.conv, self.layout, self.shape, self.kept, self.arranged)

    @cached_property
    def code(self) -> Sequence[Routine]:
        """The functions under any name: what prices need."""
        return self._anonymous[0]

    @cached_property
    def _line(self) -> Line:
        return _line(self.layout, self.arranged, self.places, self.constants, self.near, self.kept)

    def routines(self, symbol: str) -> Sequence[Routine]:
        """The function."""
        layout = self.layout
        table = f"{symbol}_constants"
        start: list[Instruction] = [instruction("push", Registers(SAVED)), *_down(self.kept.size)]
        saved = SINGLES[CALLER_SAVED:]
        where = [instruction("add", R3, SP, self.kept.saved_at)]
        if self.kept.saves:
            start += [*where, instruction("vstmia", Pointer(R3, False, "frame"), Registers(saved))]
        start += [frame.store(R0, frame.INPUT), frame.store(R1, frame.OUTPUT), frame.store(R2, frame.SCRATCH)]
        start += [
            instruction("movw", R3, Half(table, "lower16")),
            instruction("movt", R3, Half(table, "upper16")),
            frame.store(R3, frame.TABLE),
        ]
        groups = layout.channels // layout.planes
        body: list[Part] = [*make_planes(layout), *filters(self._line, self.shape, layout)]
        if groups > 1:
            start += [*constant(R8, groups), frame.store(R8, frame.GROUPS)]
            body = [Loop("group", groups, tuple(body), frame.count_down(R8, frame.GROUPS))]
        end: list[Instruction] = []
        if self.kept.saves:
            end += [*where, instruction("vldmia", Pointer(R3, False, "frame"), Registers(saved))]
        end += [*_up(self.kept.size), instruction("pop", Registers((*SAVED[:-1], PC)))]
        parts = (straight(start), *fill(layout, self.conv.inputs[0].zero_point), *body, straight(end))
        return (Routine(symbol + "_planes", parts, load_core(self.core)),)


def _line(
    layout: Geometry, arranged: Arrangement, where: Places, constants: Constants, near: bool, kept: Frame
) -> Line:
    """What does not decide the lines' code is left out of the layout."""
    plain = replace(layout, channels=1, multiplier=1, planes=1)
    return Line(plain, arranged, where, Ending.of(constants.requantisation), near, kept)


def _down(size: int) -> list[Instruction]:
    return [instruction("subw", SP, SP, size)]


def _up(size: int) -> list[Instruction]:
    return [instruction("addw", SP, SP, size)]


def plans(conv: DepthwiseConv2D, constants: Constants, target: Target) -> list[PlanesPlan]:
    """All that are compared, the one expected to be the quickest first; none where nothing is within reach.

    Rows or columns may be paired; what is quicker there with a few planes is tried with fewer and more of them, too.
    """
    few, counts = numbers(conv.inputs[0].shape[3])
    both = [
        plan
        for columns_paired in (False, True)
        for plan in [_plan(conv, constants, target, geometry(conv, columns_paired, few), RAM)]
        if plan is not None
    ]
    if not both:
        return []
    found = sorted(both, key=_cycles)
    best = found[0]
    for planes in counts:
        layout = replace(best.layout, planes=planes)
        memories = [RAM] if planes != few else []
        memories += [DTCM] if 0 < layout.scratch_bytes <= target.dtcm else []
        found += [replace(best, layout=layout, memory=memory) for memory in memories]
    return sorted(found, key=lambda plan: (_cycles(plan), plan.layout.scratch_bytes, plan.memory))


def numbers(channels: int) -> tuple[int, tuple[int, ...]]:
    """How many planes there may be at a time: a few, and all that are compared."""
    possible = [count for count in range(1, MOST_PLANES + 1) if channels % count == 0]
    few = max(count for count in possible if count <= MOST_AT_ONCE)
    several = max(count for count in possible if count % few == 0)
    return few, tuple(sorted({1, few, several, *({2, 2 * few} & set(possible))}))


def _cycles(plan: PlanesPlan) -> float:
    """While no memory lets the core wait."""
    return sum(routine.cycles for routine in plan.code)


def _plan(
    conv: DepthwiseConv2D,
    constants: Constants,
    target: Target,
    layout: Geometry,
    memory: str,
) -> PlanesPlan | None:
    """None where nothing is within reach."""
    arranged = arrangement(layout)
    most = MOST_INSTRUCTIONS.get(target.core, MANY_INSTRUCTIONS)
    far_at = (layout.group - 1) * layout.paired.output_pitch
    for near in (True, False):
        where = places(len(arranged.words), constants.requantisation, not near and layout.group > 1)
        singles = target.fpu and target.core not in WITHOUT_SINGLES
        kept = Frame(where.size, min(where.size, len(SINGLES)) if singles else 0)
        if frame.FIRST_CONSTANT + 4 * (kept.constants + kept.saves) > REACH:
            return None
        base = _line(layout, arranged, where, constants, near, kept)
        try:
            shape = best_shape(base, most)
        except (NoRegisterError, ValueError):
            continue
        if near and far_at + (shape.wide - 1) * layout.slid.output_pitch > REACH:
            continue
        return PlanesPlan(conv, layout, arranged, constants, where, near, kept, target.core, shape, memory)
    return None
