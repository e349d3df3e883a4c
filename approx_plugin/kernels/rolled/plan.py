"""A plan whose code is assembly: routines that loop over tables of constants."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from approx_plugin.kernels.c_lines import call, folded
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.machine.text import head
from approx_plugin.kernels.needs import DTCM, NOTHING, RAM, Bytes, Needs
from approx_plugin.kernels.overlap import Overlap
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.stream import Stream, work_of
from approx_plugin.kernels.rolled.table import Table

ANY_SYMBOL = "step"
"""Stands for the step's name where only sizes and cycles are asked for: they do not depend on it."""


class RolledPlan(Plan):
    """What subclasses say: the routines, the tables, what is read over and over, scratch and legend.

    A step calls its routines in their order, each as `void name(inputs..., int8_t *output, void *scratch)`; one without
    scratch as `void name(inputs..., int8_t *output)`.
    """

    @abstractmethod
    def routines(self, symbol: str) -> Sequence[Routine]:
        """The functions of the step; their names, and those of the tables, begin with `symbol`."""

    @abstractmethod
    def tables(self, symbol: str) -> Sequence[Table]:
        """The constants."""

    @property
    @abstractmethod
    def streams(self) -> Sequence[Stream]:
        """What is read over and over, for the cost model."""

    @property
    def scratch(self) -> Bytes:
        """Bytes by memory: RAM or DTCM, one of them at most."""
        return NOTHING

    @property
    def layouts(self) -> tuple[tuple[Layout, ...], Layout]:
        """Of the inputs and of the output."""
        made = {operator.output.index for operator in self.operators}
        inputs = [tensor for operator in self.operators for tensor in operator.inputs if tensor.index not in made]
        return (NHWC,) * len(inputs), NHWC

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """See `Needs`."""
        return ()

    @abstractmethod
    def legend(self) -> Sequence[str]:
        """Paragraphs at the head of the file: what it computes, and what a reader has to know to follow the code."""

    @cached_property
    def _anonymous(self) -> tuple[Sequence[Routine], Sequence[Table]]:
        return self.routines(ANY_SYMBOL), self.tables(ANY_SYMBOL)

    @cached_property
    def needs(self) -> Needs:
        """Code and tables, and the scratch."""
        routines, tables = self._anonymous
        held: Counter[str] = Counter()
        for table in tables:
            held[table.memory] += table.size
        inputs, output = self.layouts
        code = sum(routine.size for routine in routines)
        return Needs(
            code=code, tables=dict(held), scratch=self.scratch, inputs=inputs, output=output, overlaps=self.overlaps
        )

    def work(self, memories: Memories) -> Sequence[Work]:
        """Cycles of the core, and what is waited for."""
        return (work_of(self.kernel, self._anonymous[0], self.streams, memories),)

    def emit(self, symbol: str) -> Emission:
        """One file of assembly; the step's function calls its routines."""
        routines, tables = self.routines(symbol), self.tables(symbol)
        text = "\n".join([*head(self.legend()), *(r.text for r in routines), *(t.text for t in tables)])
        inputs = ["input", *(f"input_{number}" for number in range(2, len(self.layouts[0]) + 1))]
        scratch = [name for memory, name in ((RAM, "scratch"), (DTCM, "scratch_dtcm")) if memory in self.scratch]
        arguments = [*inputs, "output", *scratch]
        types = [*("const int8_t *" for _ in inputs), "int8_t *", *("void *" for _ in scratch)]
        names = [*inputs, "output", *("scratch" for _ in scratch)]
        declared = [f"{kind}{name}" for kind, name in zip(types, names)]
        prototypes = "".join(f"{call(f'void {routine.name}', declared)};\n" for routine in routines)
        made = {f"Src/{symbol}.s": text}
        if len(routines) == 1:
            return Emission(call(routines[0].name, arguments), can_fail=False, sources=made, prototypes=prototypes)
        body = "".join(f"    {call(routine.name, names)};\n" for routine in routines)
        whole = f"static void {symbol}_all({', '.join(declared)})\n{{\n{body}}}\n"
        return Emission(
            call(f"{symbol}_all", arguments),
            can_fail=False,
            sources=made,
            definitions=folded(whole),
            prototypes=prototypes,
        )


def missing_core(platform: Platform, fpu: bool = False) -> str | None:
    """Why assembly with DSP instructions cannot be had on a platform; None if it can. fpu: with s0 to s31 as well."""
    if platform.backend != "assembly":
        return "it is written in assembly"
    if not platform.dsp:
        return f"{platform.core} has no SMLAD"
    return "its programs may not use the FPU's registers" if fpu and not platform.fpu else None
