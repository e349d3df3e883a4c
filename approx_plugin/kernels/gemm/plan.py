"""One way to compute a layer: how many blocks at a time, and in which memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.approximation.grouping import Grouping
from approx_plugin.cores.core import load_core
from approx_plugin.kernels.gemm.code import Code
from approx_plugin.kernels.gemm.gather import Gathering
from approx_plugin.kernels.gemm.geometry import BLOCK, Geometry, Stripes
from approx_plugin.kernels.gemm.skipping import gathering_of, grouping_of
from approx_plugin.kernels.gemm.table import stream
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.needs import FLASH, RAM, Bytes
from approx_plugin.kernels.overlap import Overlap, in_stripes
from approx_plugin.kernels.rolled.pairs import Numbers
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D


@dataclass(frozen=True, eq=False)
class GemmPlan(RolledPlan):
    """core: gcc's name; from_singles: weights go through the FPU's registers; table_in, scratch_in: kinds of memory."""

    kernel: ClassVar[str] = "gemm"

    conv: Conv2D
    numbers: Numbers
    stripes: Stripes
    core: str
    from_singles: bool
    table_in: str
    scratch_in: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The convolution."""
        return (self.conv,)

    @property
    def geometry(self) -> Geometry:
        """Of the layer."""
        return self.stripes.geometry

    @property
    def variant(self) -> str:
        """Blocks of a stripe and memories."""
        where = [f"table in {self.table_in}"] if self.table_in != FLASH else []
        where += [f"scratch in {self.scratch_in}"] if self.scratch_in != RAM else []
        return ", ".join([f"{min(self.stripes.blocks, self.geometry.blocks)} blocks", *where])

    @property
    def macs(self) -> int:
        """All but those of taps that are not read: other weights of 0 are multiplied all the same."""
        return self.geometry.pixels * self.geometry.outputs * int(np.count_nonzero(self.gathering.pairs >= 0))

    @cached_property
    def gathering(self) -> Gathering:
        """How windows are read."""
        return gathering_of(self.geometry, self.numbers.weights)

    @cached_property
    def grouping(self) -> Grouping:
        """Taps that are 0 for every output channel are not read."""
        return grouping_of(self.conv)

    def _code(self, symbol: str) -> Code:
        return Code(
            self.geometry,
            self.stripes,
            self.gathering,
            self.numbers,
            self.conv.input_zero_point,
            load_core(self.core),
            self.core,
            self.from_singles,
            f"{symbol}_table",
        )

    @cached_property
    def _any_code(self) -> Code:
        return self._code("step")

    def routines(self, symbol: str) -> Sequence[Routine]:
        """One."""
        return (self._code(symbol).routine(f"{symbol}_gemm"),)

    def tables(self, symbol: str) -> Sequence[Table]:
        """One."""
        words = stream(self.numbers, self._any_code.gathering.pairs)
        return (Table(f"{symbol}_table", words, self._table_legend(), self.table_in),)

    @property
    def streams(self) -> Sequence[Stream]:
        """The table for every stripe, the blocks for every pair of channels, the input once."""
        code, stripes = self._any_code, self.stripes
        table = 4.0 * code.pairs * (code.words_a_slot * code.slots + code.constant_words)
        blocks = self.geometry.blocks / stripes.count * code.block_bytes
        found = [
            Stream(self.table_in, table, stripes.count),
            Stream(RAM, float(self.conv.inputs[0].elements)),
        ]
        if self.scratch_in == RAM:
            found.append(Stream(RAM, blocks, float(stripes.count * code.pairs), written=True))
        return found

    @property
    def scratch(self) -> Bytes:
        """Copied rows, blocks, sums that wait."""
        return {self.scratch_in: self._any_code.scratch}

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """Behind the stripes that have been gathered."""
        stripes, geometry = self.stripes, self.geometry
        pixels = [min((stripe + 1) * stripes.blocks * BLOCK, geometry.pixels) for stripe in range(stripes.count)]
        written = [count * geometry.outputs for count in pixels]
        return (in_stripes(written, stripes.first_bytes, self.conv.inputs[0].elements),)

    def legend(self) -> Sequence[str]:
        """What it computes and how to read it."""
        conv, code, geometry = self.conv, self._any_code, self.geometry
        height, width, channels = conv.input_shape
        out_height, out_width, outputs = conv.output_shape
        tall, wide = conv.kernel
        rows = (
            f"Rows are copied with their padding first, {self.stripes.rows} at a time. "
            if geometry.is_copied
            else "Windows are read where they are. "
        )
        if self.from_singles:
            registers = (
                "While products are added up: r0-r3 hold a slot of four pixels, r4 reads slots, r5-r8 the sums of the "
                "pair's first channel, r9-r12 those of the second, lr the weights of a slot out of s0-s31."
            )
        else:
            registers = (
                "While products are added up: r0-r3 hold the sums of the pair's first channel, r4-r7 those of the "
                "second, r8 and r9 the weights of a slot, r10 and r11 two pixels of it; r12 reads the table, lr slots."
            )
        return [
            f"{conv.label}: convolution of {height}x{width}x{channels} with {tall}x{wide} taps to "
            f"{out_height}x{out_width}x{outputs}.",
            "",
            f"{rows}A window becomes {code.slots} slots, each of them two taps as the halves of a word; four pixels "
            f"make a block: [slot][pixel]. {self.stripes.blocks} blocks are gathered at a time. Then, for each pair of "
            "output channels, all of them are multiplied with the words of the table.",
            registers,
            f"Sums come out {self.numbers.scale} times as large as the layer's; SMMLA and SSAT requantise them.",
            "",
        ]

    def _table_legend(self) -> list[str]:
        words = "one word of 256 * A + B" if self.numbers.packed else "a word of A and one of B"
        made = self.numbers.requantisation
        more = ", signs" if made.signs is not None else ""
        more += ", exponents" if made.exponent is None else ""
        return [
            f"For each pair of output channels A and B: {words} for each slot, two taps in its halves; then biases, "
            f"multipliers, addends{more} of both.",
        ]


STRIPE_BLOCKS = (4, 8, 16, 32)
"""Blocks of a stripe that are compared."""

LARGEST_WHOLE = 16384
"""Bytes of scratch up to which all blocks at once are compared as well."""


def stripes_of(geometry: Geometry, slots: int) -> list[Stripes]:
    """Those worth comparing: evenly cut. The last block must not need what its stripe does not have."""
    sizes = {min(blocks, geometry.blocks) for blocks in STRIPE_BLOCKS}
    if geometry.blocks * slots * 16 <= LARGEST_WHOLE:
        sizes.add(geometry.blocks)
    found: dict[int, Stripes] = {}
    for most in sizes:
        count = -(-geometry.blocks // most)
        for size in range(-(-geometry.blocks // count), geometry.blocks + 1):
            stripes = Stripes(geometry, size)
            if _is_possible(stripes):
                found.setdefault(size, stripes)
                break
    return [found[size] for size in sorted(found, reverse=True)]


def _is_possible(stripes: Stripes) -> bool:
    """Whether pixels that the last block borrows lie in its own stripe."""
    return stripes.count == 1 or not stripes.borrowed or stripes.last_blocks > 1
