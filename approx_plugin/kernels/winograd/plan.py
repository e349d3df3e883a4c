"""One way to compute a layer: which transform, how many tiles at a time, and in which memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.approximation.bases.transformed import Transformed
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.needs import FLASH, RAM, Bytes
from approx_plugin.kernels.overlap import Overlap, in_stripes
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.kernels.winograd.code import Code
from approx_plugin.kernels.winograd.shape import Shape, Stripes
from approx_plugin.kernels.winograd.table import Convolution, Numbers, constant_words, slot_channels, stream
from approx_plugin.model.operator import Operator
from approx_plugin.operators.winograd import TRANSFORMS

SLOT_GROUPS = {"cortex-m4": 2, "cortex-m33": 8}
OTHER_SLOT_GROUP = 16
"""Slots of all points that are written in one straight line where points keep different ones: the caches' sizes."""


@dataclass(frozen=True, eq=False)
class WinogradPlan(RolledPlan):
    """core: gcc's name; from_singles: weights go through the FPU's registers; scratch_in: a kind of memory."""

    kernel: ClassVar[str] = "winograd"

    conv: Convolution
    numbers: Numbers
    stripes: Stripes
    core: str
    from_singles: bool
    scratch_in: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The convolution."""
        return (self.conv,)

    @property
    def shape(self) -> Shape:
        """Of the layer."""
        return self.stripes.shape

    @property
    def variant(self) -> str:
        """The transform, the stripes, and where the scratch is."""
        stripes = self.stripes
        tiles = f"{stripes.rows}x{stripes.columns} tiles"
        where = [f"scratch in {self.scratch_in}"] if self.scratch_in != RAM else []
        return ", ".join([f"{self.numbers.form.name} {tiles}", *where])

    @property
    def macs(self) -> int:
        """What it multiplies: fewer products than the convolution has."""
        tiles = self.shape.tile_rows * self.shape.tile_columns
        return tiles * self.numbers.products

    @property
    def spared_products(self) -> int:
        """What the transform makes of the convolution's products, before any is left out."""
        shape = self.shape
        dense = self.numbers.form.points * shape.channels * shape.outputs
        return self.conv.macs - shape.tile_rows * shape.tile_columns * dense

    @cached_property
    def grouping(self) -> Grouping | None:
        """What shortens its loops: a pair of input channels at a point, for all output channels at once."""
        if self.numbers.form.name not in TRANSFORMS:
            return None
        channels = self.numbers.channels
        groups = np.empty((self.numbers.form.points, channels), np.int64)
        for slot, pair in enumerate(slot_channels(channels)):
            groups[:, pair] = (np.arange(len(groups)) * (channels // 2) + slot)[:, None]
        return Grouping(
            Transformed(self.numbers.form), "pairs of input channels at a point, for all outputs", groups, True
        )

    def _code(self, symbol: str) -> Code:
        return Code(
            self.shape,
            self.stripes,
            self.numbers,
            self.conv.input_zero_point,
            load_core(self.core),
            self.core,
            self.from_singles,
            SLOT_GROUPS.get(self.core, OTHER_SLOT_GROUP),
            f"{symbol}_table",
        )

    @cached_property
    def _any_code(self) -> Code:
        return self._code("step")

    def routines(self, symbol: str) -> Sequence[Routine]:
        """One."""
        return (self._code(symbol).routine(f"{symbol}_winograd"),)

    def tables(self, symbol: str) -> Sequence[Table]:
        """One."""
        return (Table(f"{symbol}_table", stream(self.numbers), self._table_legend()),)

    @property
    def streams(self) -> Sequence[Stream]:
        """The table for every stripe, the blocks for every pair of channels, the input about once."""
        code, stripes, numbers = self._any_code, self.stripes, self.numbers
        words = sum(2 * len(slots) for slots in numbers.kept) + 2 * constant_words(numbers)
        found = [
            Stream(FLASH, 4.0 * code.pairs * words, stripes.count),
            Stream(RAM, float(self.conv.inputs[0].elements)),
        ]
        if self.scratch_in == RAM:
            blocks = float(stripes.blocks * numbers.points.block_bytes)
            found.append(Stream(RAM, blocks, float(stripes.count * code.pairs), written=True))
        return found

    @property
    def scratch(self) -> Bytes:
        """Copied rows, lines, blocks, outputs that are cropped."""
        return {self.scratch_in: self._any_code.scratch.size}

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """Behind the rows that have been copied."""
        shape, stripes = self.shape, self.stripes
        written, needed = [], []
        for first in stripes.first_rows:
            rows = min((first + stripes.rows) * shape.form.tile[0], shape.out_height)
            written.append(rows * shape.out_width * shape.outputs)
            needed.append(max(0, first * shape.form.step[0] - shape.padding.top) * shape.width * shape.channels)
        return (in_stripes(written, needed, self.conv.inputs[0].elements),)

    def legend(self) -> Sequence[str]:
        """What it computes and how to read it."""
        shape, stripes, form = self.shape, self.stripes, self.numbers.form
        down, across = form.tile
        point = self._point
        if self.from_singles:
            registers = (
                "While products are added up: r0-r3 hold a slot of four tiles, r4 reads slots, r5-r12 the sums (tile 0 "
                "of the pair's first channel, of its second one, tile 1 of the first, ...), lr a word of weights from "
                "s0-s31."
            )
        else:
            registers = (
                "While products are added up: r0-r7 hold the sums (tile 0 of the pair's first channel, of its second "
                "one, tile 1 of the first, ...), r8 and r9 weights, r10 and r11 two tiles of a slot; r12 reads the "
                "table, lr slots."
            )
        return [
            f"{self.conv.label}: 3x3 convolution of {shape.height}x{shape.width}x{shape.channels} to "
            f"{shape.out_height}x{shape.out_width}x{shape.outputs} {self._algorithm} in int16: "
            f"{form.points} products for {down * across} outputs instead of {9 * down * across}.",
            "",
            f"{stripes.rows}x{stripes.columns} tiles are computed at a time. Rows are copied with their padding, "
            f"transformed downwards into lines and across into blocks of four tiles: for each {point} its slots, two "
            "input channels as the halves of a word for each tile, and behind them room for its sums. Then, for each "
            "pair of output channels, the slots are multiplied with the words of the table, and the sums transformed "
            "back.",
            registers,
            f"Sums come out {self.numbers.scale} times as large as those that SMMLA and SSAT requantise by definition.",
            "",
        ]

    def _table_legend(self) -> list[str]:
        made = self.numbers.requantisation
        more = ", sign" if made.signs is not None else ""
        more += ", exponent" if made.exponent is None else ""
        form, columns = self.numbers.form, self.numbers.form.grid[1]
        first = [form.sums[number][0] for number in self.numbers.points.order]
        order = " ".join(f"{point // columns},{point % columns}" for point in first)
        return [
            f"For each pair of output channels and each {self._point}: two words for each slot, one of each channel, "
            f"input channels in the halves; then bias, multiplier, addend{more} of each channel. Points (row, "
            f"column): {order}.",
        ]

    @property
    def _algorithm(self) -> str:
        down, across = self.numbers.form.tile
        if self.numbers.form.stride == (1, 1):
            return f"by Winograd's F({down}x{across}, 3x3)"
        return f"with stride 2, {down}x{across} outputs by Karatsuba's identity both ways,"

    @property
    def _point(self) -> str:
        """What has a sum of its own."""
        return "point" if len(self.numbers.form.sums) == self.numbers.form.points else "sum of points"


STRIPE_ROWS = (1, 2, 4)
"""Rows of tiles that are compared, besides all of them."""

PART_TILES = (8, 4)
"""Tiles of a part of a row, where half a row is no fewer."""

REACH = 4095
"""Of an offset: two of three rows, or lines, are reached from the first one."""


def stripes_of(shape: Shape) -> list[Stripes]:
    """Those worth comparing, the largest first; none where rows are too long."""
    rows, columns = shape.tile_rows, shape.tile_columns
    sizes = sorted({rows, *(size for size in STRIPE_ROWS if size < rows)}, reverse=True)
    found = [Stripes(shape, size, columns) for size in sizes]
    if not shape.is_cropped:
        found += [Stripes(shape, 1, part) for part in PART_TILES if columns >= 2 * part and columns % part == 0]
    further = (shape.form.patch[0] - 1) // 2
    return [one for one in found if further * max(shape.row_bytes, one.line_bytes + 4) <= REACH]
