"""How a channel lies in its plane: which rows share a word, which words an output reads, what is input, what border."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D

WORD = 4
"""Bytes."""

MOST_AT_ONCE = 4
"""Planes that are made side by side."""


@dataclass(frozen=True)
class Axis:
    """One direction of a convolution: its input and output extents, and how its window moves.

    before: padding in front of the input. input_pitch, output_pitch: bytes from one element to the next.
    """

    extent: int
    outputs: int
    taps: int
    stride: int
    dilation: int
    before: int
    input_pitch: int
    output_pitch: int


class Product(NamedTuple):
    """What an output row of a group takes from a word row: taps for the lower and the upper half, None for none.

    row: of the plane's words, counted from the group's first one.
    """

    output: int
    row: int
    low: int | None
    high: int | None


class Run(NamedTuple):
    """Neighbouring rows of words of one kind. low, high: whether these halves hold input rather than border."""

    first: int
    length: int
    low: bool
    high: bool


@dataclass(frozen=True)
class Geometry:
    """The planes of a layer.

    paired: the direction in which two elements share a word; "row" means an element of it from here on. slid: the other
    one, along which the words of a row lie side by side: "columns".
    columns_paired: whether that is so the other way round: neighbouring columns of the image share a word.
    channels: of the input. multiplier: filters of each. planes: how many there are at a time, a divisor of channels.
    """

    paired: Axis
    slid: Axis
    columns_paired: bool
    channels: int
    multiplier: int
    planes: int

    @property
    def twins(self) -> bool:
        """Whether two neighbouring outputs read the same words: one as they lie, the other one half a word further."""
        return self.paired.stride == 1 and self.paired.dilation == 1 and self.paired.outputs > 1

    @property
    def every(self) -> int:
        """How many rows of the input lie between the lower halves of neighbouring rows of words."""
        return 2 if self.twins else math.gcd(self.paired.stride, 2 * self.paired.dilation)

    @property
    def group(self) -> int:
        """Rows of outputs that are computed together: two where they read some of the same words."""
        axis = self.paired
        if self.twins:
            return 2
        apart, left = divmod(axis.stride, 2 * axis.dilation)
        return 2 if not left and apart < -(-axis.taps // 2) and axis.outputs > 1 else 1

    @property
    def step(self) -> int:
        """Rows of words from one group of outputs to the next."""
        return 1 if self.twins else self.group * self.paired.stride // self.every

    def products(self, outputs: int) -> Iterator[Product]:
        """Of the first `outputs` output rows of a group, in the order of the rows of words."""
        taps = self.paired.taps
        found: list[Product] = []
        for output in range(outputs):
            if self.twins:
                pairs = [(row, 2 * row - output, 2 * row + 1 - output) for row in range((taps + output) // 2 + 1)]
            else:
                start = output * self.paired.stride
                rows = range(-(-taps // 2))
                pairs = [((start + 2 * self.paired.dilation * m) // self.every, 2 * m, 2 * m + 1) for m in rows]
            for row, low, high in pairs:
                taken = (low if 0 <= low < taps else None, high if high < taps else None)
                if taken != (None, None):
                    found.append(Product(output, row, *taken))
        return iter(sorted(found, key=lambda product: (product.row, product.output)))

    @property
    def groups(self) -> int:
        """Whole groups of output rows."""
        return self.paired.outputs // self.group

    @property
    def left_over(self) -> int:
        """Output rows that do not fill a group."""
        return self.paired.outputs % self.group

    @cached_property
    def rows(self) -> int:
        """Rows of words of a plane."""
        whole = (self.groups - 1) * self.step + max(product.row for product in self.products(self.group))
        if not self.left_over:
            return whole + 1
        last = self.groups * self.step + max(product.row for product in self.products(self.left_over))
        return max(whole, last) + 1

    @property
    def columns(self) -> int:
        """Words of a row."""
        axis = self.slid
        return axis.stride * (axis.outputs - 1) + axis.dilation * (axis.taps - 1) + 1

    @property
    def filled(self) -> int:
        """Columns that hold input; they begin at `slid.before`."""
        return min(self.slid.extent, self.columns - self.slid.before)

    @property
    def batch(self) -> int:
        """How many planes are made side by side: as many as divide them, up to `MOST_AT_ONCE`."""
        return max(count for count in range(1, MOST_AT_ONCE + 1) if self.planes % count == 0)

    @property
    def plane_bytes(self) -> int:
        """Of one plane."""
        return WORD * self.rows * self.columns

    @property
    def scratch_bytes(self) -> int:
        """Of all planes, so that what follows is aligned."""
        return -(-self.planes * self.plane_bytes // 8) * 8

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The rows of words that hold any input, in runs of one kind."""
        axis = self.paired
        apart = 1 if self.twins else axis.dilation

        def kind(row: int) -> tuple[bool, bool]:
            low = self.first_input(row)
            return 0 <= low < axis.extent, 0 <= low + apart < axis.extent

        found = []
        for (low, high), rows in itertools.groupby(range(self.rows), kind):
            numbers = list(rows)
            found += [Run(numbers[0], len(numbers), low, high)] if low or high else []
        return tuple(found)

    def first_input(self, row: int) -> int:
        """The row of the input in the lower halves of a row of words; negative in front of it."""
        return self.every * row - self.paired.before

    @property
    def apart(self) -> int:
        """Rows of the input between the two halves of a word."""
        return 1 if self.twins else self.paired.dilation


def geometry(conv: DepthwiseConv2D, columns_paired: bool, planes: int) -> Geometry:
    """The layout of a layer. columns_paired: neighbouring columns share a word; False: neighbouring rows."""
    _, height, width, channels = conv.inputs[0].shape
    _, out_height, out_width, out_channels = conv.output.shape

    def axis(which: int, extent: int, outputs: int, before: int, pitches: tuple[int, int]) -> Axis:
        taps = conv.kernel[which]
        # One tap has no distance, one output takes no step.
        stride = conv.stride[which] if outputs > 1 else 1
        dilation = conv.dilation[which] if taps > 1 else 1
        return Axis(extent, outputs, taps, stride, dilation, before, *pitches)

    down = axis(0, height, out_height, conv.padding.top, (width * channels, out_width * out_channels))
    across = axis(1, width, out_width, conv.padding.left, (channels, out_channels))
    paired, slid = (across, down) if columns_paired else (down, across)
    return Geometry(paired, slid, columns_paired, channels, conv.depth_multiplier, planes)
