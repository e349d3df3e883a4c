"""Sizes of a convolution, and how its pixels fall into blocks of four and stripes of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import Padding

BLOCK = 4
"""Pixels of a block: with two output channels their sums fill eight registers."""

WORD = 4


@dataclass(frozen=True)
class Geometry:
    """height, width, channels: of the input; out_height, out_width, outputs: of the output.

    kernel, stride, dilation: (vertical, horizontal).
    """

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Padding

    @classmethod
    def of(cls, conv: Conv2D) -> Geometry:
        """A layer's. A 1x1 window that sees all pixels in their order is one long row."""
        height, width, channels = conv.input_shape
        out_height, out_width, outputs = conv.output_shape
        plain = conv.kernel == (1, 1) and conv.stride == (1, 1) and conv.padding == Padding(0, 0, 0, 0)
        if plain:
            height, width, out_height, out_width = 1, height * width, 1, out_height * out_width
        return cls(
            height,
            width,
            channels,
            out_height,
            out_width,
            outputs,
            conv.kernel,
            conv.stride,
            conv.dilation,
            conv.padding,
        )

    @property
    def pixels(self) -> int:
        """Of the output."""
        return self.out_height * self.out_width

    @property
    def blocks(self) -> int:
        """Of four pixels; the last one takes pixels of the one before it where there are not enough."""
        return -(-self.pixels // BLOCK)

    @property
    def is_copied(self) -> bool:
        """Whether rows are copied with their padding before they are gathered."""
        return self.padding != Padding(0, 0, 0, 0)

    @property
    def window_rows(self) -> int:
        """Input rows under one window."""
        return (self.kernel[0] - 1) * self.dilation[0] + 1

    @cached_property
    def copied_bytes(self) -> int:
        """Bytes of an input row that windows see."""
        reach = (self.out_width - 1) * self.stride[1] + (self.kernel[1] - 1) * self.dilation[1] + 1
        return max(0, min(self.width, reach - self.padding.left)) * self.channels

    @cached_property
    def left_bytes(self) -> int:
        """Where an input row begins in a copied one: a multiple of a word, at least the padding."""
        return -(-self.padding.left * self.channels // WORD) * WORD

    @cached_property
    def row_bytes(self) -> int:
        """From one row to the next of what is gathered from."""
        if not self.is_copied:
            return self.width * self.channels
        reach = (self.out_width - 1) * self.stride[1] + (self.kernel[1] - 1) * self.dilation[1] + 1
        whole = self.left_bytes + max(self.copied_bytes, reach * self.channels - self.padding.left * self.channels)
        return -(-whole // WORD) * WORD

    @property
    def first_byte(self) -> int:
        """Of the first window, from the start of a copied row."""
        return self.left_bytes - self.padding.left * self.channels if self.is_copied else 0

    @property
    def pixel_bytes(self) -> int:
        """From one pixel's window to the next."""
        return self.stride[1] * self.channels

    @property
    def line_bytes(self) -> int:
        """From the first window of one row of pixels to that of the next."""
        return self.stride[0] * self.row_bytes


@dataclass(frozen=True)
class Stripes:
    """The blocks in portions: what is gathered at a time. blocks: of all stripes but the last one."""

    geometry: Geometry
    blocks: int

    @property
    def count(self) -> int:
        """Stripes."""
        return -(-self.geometry.blocks // self.blocks)

    @property
    def last_blocks(self) -> int:
        """Of the last stripe."""
        return self.geometry.blocks - (self.count - 1) * self.blocks

    @property
    def borrowed(self) -> int:
        """Pixels that the last block has in common with the one before it."""
        geometry = self.geometry
        return geometry.blocks * BLOCK - geometry.pixels if geometry.pixels > BLOCK else 0

    @property
    def block_pixels(self) -> int:
        """Of a block: fewer than four where the layer has fewer."""
        return min(BLOCK, self.geometry.pixels)

    @cached_property
    def starts(self) -> tuple[tuple[int, int], ...]:
        """(row, column) of each stripe's first pixel."""
        width = self.geometry.out_width
        return tuple(divmod(stripe * self.blocks * BLOCK, width) for stripe in range(self.count))

    @property
    def first_bytes(self) -> list[int]:
        """Of each stripe the first byte of the input that it reads."""
        geometry = self.geometry
        if geometry.is_copied:
            rows = [max(0, row * geometry.stride[0] - geometry.padding.top) for row, _ in self.starts]
            return [row * geometry.width * geometry.channels for row in rows]
        return [row * geometry.line_bytes + column * geometry.pixel_bytes for row, column in self.starts]

    @property
    def borrowing(self) -> tuple[int, int]:
        """(row, column) of the first pixel of the last block, where it borrows."""
        return divmod(self.geometry.pixels - BLOCK, self.geometry.out_width)

    @cached_property
    def rows(self) -> int:
        """Input rows that are copied for a stripe."""
        geometry, most = self.geometry, 0
        for stripe, (row, column) in enumerate(self.starts):
            blocks = self.blocks if stripe < self.count - 1 else self.last_blocks
            pixels = min(blocks * BLOCK, geometry.pixels)
            last = min(column + pixels - 1, geometry.pixels - 1 - row * geometry.out_width)
            most = max(most, last // geometry.out_width)
        return most * geometry.stride[0] + geometry.window_rows

    @cached_property
    def rows_inside(self) -> float:
        """Of the copied rows of a stripe, how many are rows of the input, on average."""
        geometry = self.geometry
        inside = 0
        for row, _ in self.starts:
            first = row * geometry.stride[0] - geometry.padding.top
            inside += sum(0 <= first + number < geometry.height for number in range(self.rows))
        return inside / self.count
