"""One way to compute a pooling layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.needs import NOTHING, RAM, Bytes
from approx_plugin.kernels.overlap import Overlap, in_stripes
from approx_plugin.kernels.pooled.average import Average, factor_of
from approx_plugin.kernels.pooled.maximum import Maximum
from approx_plugin.kernels.pooled.walk import Walk
from approx_plugin.kernels.pooled.window import PoolWindow
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.model.operator import Operator
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.pool2d import Pool2D

LOWEST = -128


def walk_of(pool: Pool2D, core: str) -> Walk:
    """The code of a layer. core: gcc's name."""
    window, timing = PoolWindow.of(pool), load_core(core)
    low, high = pool.activation_min, pool.activation_max
    if isinstance(pool, AveragePool2D):
        return Average(window, low, high, 0, timing, factor_of(window.taps))
    return Maximum(window, low, high, LOWEST, timing)


@dataclass(frozen=True, eq=False)
class PooledPlan(RolledPlan):
    """core: gcc's name."""

    kernel: ClassVar[str] = "pooled"

    pool: Pool2D
    core: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The layer."""
        return (self.pool,)

    @property
    def macs(self) -> int:
        """None that anybody counts."""
        return self.pool.macs

    @cached_property
    def _walk(self) -> Walk:
        return walk_of(self.pool, self.core)

    def routines(self, symbol: str) -> Sequence[Routine]:
        """One."""
        return (self._walk.routine(f"{symbol}_pooled"),)

    def tables(self, symbol: str) -> Sequence[Table]:
        """None."""
        return ()

    @property
    def streams(self) -> Sequence[Stream]:
        """The input and the output once."""
        return [Stream(RAM, float(self.pool.inputs[0].elements)), Stream(RAM, float(self.pool.output.elements))]

    @property
    def scratch(self) -> Bytes:
        """Rows with their padding."""
        return {RAM: self._walk.scratch} if self._walk.scratch else NOTHING

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """In place: no window begins before its output. With padding: behind the rows that have been copied."""
        window = self._walk.window
        if not window.is_copied:
            return (Overlap(0),)
        rows, wide = range(window.out_height), window.width * window.channels
        written = [(row + 1) * window.out_width * window.channels for row in rows]
        needed = [max(0, row * window.stride[0] - window.padding.top) * wide for row in rows]
        return (in_stripes(written, needed, self.pool.inputs[0].elements),)

    def legend(self) -> Sequence[str]:
        """What it computes and how to read it."""
        pool = self.pool
        (_, height, width, channels), (_, out_height, out_width, _) = pool.inputs[0].shape, pool.output.shape
        down, across = pool.kernel
        return [
            f"{pool.label}: {pool.kind} of {height}x{width}x{channels} with windows of {down}x{across} to "
            f"{out_height}x{out_width}x{channels}.",
            "",
            "Four channels at a time, what is left of them byte by byte. r0 stands at the window's first value, r1 at "
            "the output; where an offset does not reach further rows, r2 to r4 stand there. r11 counts pixels, r12 "
            "words.",
            self._walk.told,
            "",
        ]
