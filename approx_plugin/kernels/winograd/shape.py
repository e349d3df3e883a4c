"""Sizes of a layer, its tiles, stripes of tiles, and where things stand in the scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from approx_plugin.operators.geometry import Padding
from approx_plugin.operators.winograd import Transform

LANES = 4
"""Tiles of a block: with two output channels the sums of a point fill eight registers."""

SUM_BYTES = 4 * LANES * 2
"""Of a point in a block: they stand behind its slots."""

SLOT_BYTES = 4 * LANES


@dataclass(frozen=True)
class Shape:
    """height, width, channels: of the input, out_height, out_width, outputs: of the output; form: the transform."""

    form: Transform
    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    outputs: int
    padding: Padding

    @property
    def slots(self) -> int:
        """Pairs of input channels."""
        return self.channels // 2

    @property
    def tile_rows(self) -> int:
        """Rows of tiles."""
        return -(-self.out_height // self.form.tile[0])

    @property
    def tile_columns(self) -> int:
        """Tiles of a row."""
        return -(-self.out_width // self.form.tile[1])

    @property
    def is_cropped(self) -> bool:
        """Whether tiles reach beyond the output."""
        down, across = self.form.tile
        return bool(self.out_height % down or self.out_width % across)

    @property
    def row_bytes(self) -> int:
        """Of a row with its padding, under all tiles of a row."""
        return columns_under(self.form, self.tile_columns) * self.channels

    @property
    def copied_bytes(self) -> int:
        """Of an input row that is copied into it."""
        return min(self.width * self.channels, self.row_bytes - self.padding.left * self.channels)


@dataclass(frozen=True)
class Stripes:
    """Tiles that are computed at a time: so many rows of so many tiles; parts of rows only one row at a time.

    Where they do not go into the rows or columns evenly, the last ones compute tiles again.
    """

    shape: Shape
    rows: int
    columns: int

    @property
    def down(self) -> int:
        """How many one below the other."""
        return -(-self.shape.tile_rows // self.rows)

    @property
    def first_rows(self) -> list[int]:
        """Of each stripe the first row of tiles."""
        last = self.shape.tile_rows - self.rows
        return [min(stripe * self.rows, last) for stripe in range(self.down)]

    @property
    def across(self) -> int:
        """How many side by side."""
        return -(-self.shape.tile_columns // self.columns)

    @property
    def count(self) -> int:
        """All of them."""
        return self.down * self.across

    @property
    def tiles(self) -> int:
        """Of a stripe."""
        return self.rows * self.columns

    @property
    def blocks(self) -> int:
        """Of a stripe."""
        return -(-self.tiles // LANES)

    @property
    def line_columns(self) -> int:
        """Columns under a row of its tiles."""
        return columns_under(self.shape.form, self.columns)

    @property
    def line_bytes(self) -> int:
        """A row of them after the vertical transform: int16."""
        return self.line_columns * self.shape.channels * 2


def columns_under(form: Transform, tiles: int) -> int:
    """Input columns under tiles side by side."""
    return (tiles - 1) * form.step[1] + form.patch[1]


@dataclass(frozen=True)
class Points:
    """How the points stand in a block: those with the same number of slots side by side, groups by falling number.

    What is added up to one sum (`Transform.sums`) is a point here. order: points in their order; counts: slots of each,
    in that order.
    """

    order: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, counts: Sequence[int]) -> Points:
        """counts: slots of each point, by its number."""
        order = sorted(range(len(counts)), key=lambda point: (-counts[point], point))
        return cls(tuple(order), tuple(counts[point] for point in order))

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """(slots, points) of each group."""
        return tuple((count, self.counts.count(count)) for count in dict.fromkeys(self.counts))

    @cached_property
    def offsets(self) -> dict[int, int]:
        """Point -> where its slots begin in a block."""
        found, at = {}, 0
        for point, count in zip(self.order, self.counts):
            found[point] = at
            at += point_bytes(count)
        return found

    @cached_property
    def sums(self) -> dict[int, int]:
        """Point -> where its sums stand in a block."""
        return {point: self.offsets[point] + SLOT_BYTES * count for point, count in zip(self.order, self.counts)}

    @property
    def block_bytes(self) -> int:
        """Of a block."""
        return sum(map(point_bytes, self.counts))

    @property
    def is_uniform(self) -> bool:
        """Whether all points have the same slots."""
        return len(self.groups) == 1


def point_bytes(slots: int) -> int:
    """Slots and sums of a point."""
    return SLOT_BYTES * slots + SUM_BYTES


@dataclass(frozen=True)
class Scratch:
    """Offsets: copied rows, lines after the vertical transform, blocks, and outputs that are cropped."""

    stripes: Stripes
    points: Points

    @property
    def row_buffer(self) -> int:
        """Bytes of copied rows."""
        shape = self.stripes.shape
        return -(-shape.form.patch[0] * shape.row_bytes // 16) * 16

    @property
    def lines(self) -> int:
        """Where the lines begin."""
        return self.row_buffer

    @property
    def blocks(self) -> int:
        """Where the blocks begin."""
        return self.lines + self.stripes.shape.form.patch[0] * self.stripes.line_bytes

    @property
    def outputs(self) -> int:
        """Where outputs stand that are cropped."""
        return self.blocks + self.stripes.blocks * self.points.block_bytes

    @property
    def output_row(self) -> int:
        """Bytes from one row of outputs to the next, in the scratch or the output itself."""
        shape = self.stripes.shape
        columns = self.stripes.columns * shape.form.tile[1] if shape.is_cropped else shape.out_width
        return columns * shape.outputs

    @property
    def size(self) -> int:
        """Bytes in all."""
        shape = self.stripes.shape
        cropped = self.stripes.rows * shape.form.tile[0] * self.output_row if shape.is_cropped else 0
        return -(-(self.outputs + cropped) // 4) * 4
