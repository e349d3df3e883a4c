"""Where the operands of a convolution lie.

The int8 input [height, width, channels] is widened once into an int16 copy with its padding, of which only the part
that is read exists: [rows, columns, channel_pitch], rows `row_pitch` elements apart. Every operand of an output pixel
then stands at a constant distance from that pixel's first operand.

A *slot* is two neighbouring int16 operands in one 32-bit word: one SMLAD multiplies both with two weights. Slots begin
at even distances from the start of a kernel row. With an even channel pitch they are the pairs of channels (2i, 2i+1),
and every load is aligned; with an odd pitch they run on across the pixels of a kernel row: fewer slots where there are
few channels, but some loads are unaligned, which costs a cycle each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.operators.conv2d import Conv2D

BYTES = 2
"""Bytes of a widened element."""


@dataclass(frozen=True)
class Geometry:
    """The widened input and the output of a convolution. Distances are in elements (int16 in, int8 out)."""

    input_height: int
    input_width: int
    channels: int
    pad_top: int
    pad_left: int
    rows: int
    columns: int
    channel_pitch: int
    row_pitch: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    out_height: int
    out_width: int
    out_channels: int

    @property
    def scratch_bytes(self) -> int:
        """Size of the widened copy. The last word of the last slot may begin one element before its end."""
        return (self.rows * self.row_pitch + 2) * BYTES

    def pixel(self, y: int, x: int) -> int:
        """Distance of output pixel (y, x)'s first operand from that of pixel (0, 0)."""
        return y * self.stride[0] * self.row_pitch + x * self.stride[1] * self.channel_pitch

    def out_pixel(self, y: int, x: int) -> int:
        """Distance of output pixel (y, x) from pixel (0, 0) in the int8 output."""
        return (y * self.out_width + x) * self.out_channels


@dataclass(frozen=True, eq=False)
class Slots:
    """The slots of one output channel (the same for all).

    offset: int64 [slots]: distance of the slot's first operand from the pixel's first operand, in elements.
    low, high: int64 [slots]: which weight (flat index into [kernel_h, kernel_w, in_channels]) meets the first and the
        second operand; -1 for none.
    """

    offset: npt.NDArray[np.int64]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """How many."""
        return len(self.offset)

    def pairs(self, weights: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The weights [out_channels, taps] as (low, high), each [out_channels, slots], 0 where there is none."""
        padded = np.concatenate([weights, np.zeros((len(weights), 1), np.int64)], axis=1)
        return padded[:, self.low], padded[:, self.high]


def pitches(channels: int) -> tuple[int, ...]:
    """The channel pitches worth comparing: even ones load aligned words, odd ones waste no lane."""
    return (channels,) if channels % 2 == 0 else (channels + 1, channels)


def geometry(conv: Conv2D, channel_pitch: int) -> Geometry:
    """The layout for one of `pitches(conv.in_channels)`."""
    kernel_h, kernel_w = conv.kernel
    out_h, out_w, out_c = conv.output_shape
    in_h, in_w, in_c = conv.input_shape
    rows = (out_h - 1) * conv.stride[0] + kernel_h
    columns = (out_w - 1) * conv.stride[1] + kernel_w
    row = columns * channel_pitch
    return Geometry(
        input_height=in_h,
        input_width=in_w,
        channels=in_c,
        pad_top=conv.padding.top,
        pad_left=conv.padding.left,
        rows=rows,
        columns=columns,
        channel_pitch=channel_pitch,
        row_pitch=row + row % 2,
        kernel=(kernel_h, kernel_w),
        stride=conv.stride,
        out_height=out_h,
        out_width=out_w,
        out_channels=out_c,
    )


def slots(layout: Geometry) -> Slots:
    """All slots of the kernel, by kernel row, then by distance."""
    kernel_h, kernel_w = layout.kernel
    offset, low, high = [], [], []
    for ky in range(kernel_h):
        row = [-1] * (kernel_w * layout.channel_pitch + 1)
        for kx in range(kernel_w):
            for c in range(layout.channels):
                row[kx * layout.channel_pitch + c] = (ky * kernel_w + kx) * layout.channels + c
        for start in range(0, kernel_w * layout.channel_pitch, 2):
            if row[start] >= 0 or row[start + 1] >= 0:
                offset.append(ky * layout.row_pitch + start)
                low.append(row[start])
                high.append(row[start + 1])
    return Slots(np.array(offset, np.int64), np.array(low, np.int64), np.array(high, np.int64))


def describe_slot(layout: Geometry, slots: Slots, slot: int) -> str:
    """Which operands a slot multiplies: "row 0, column 1, channels 4 5" of the kernel and of the input."""
    places = [_place(layout, int(weight)) for weight in (slots.low[slot], slots.high[slot]) if weight >= 0]
    row, column, channel = places[0]
    if len(places) == 1:
        return f"row {row}, column {column}, channel {channel}"
    _, other_column, other_channel = places[1]
    if other_column == column:
        return f"row {row}, column {column}, channels {channel} {other_channel}"
    return f"row {row}, column {column} channel {channel}, column {other_column} channel {other_channel}"


def _place(layout: Geometry, weight: int) -> tuple[int, int, int]:
    """Kernel row, kernel column and input channel of a weight, a flat index into [kernel_h, kernel_w, in_channels]."""
    tap, channel = divmod(weight, layout.channels)
    row, column = divmod(tap, layout.kernel[1])
    return row, column, channel
