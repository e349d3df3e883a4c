"""Windows that slide over height and width: padding, output extents, and the input around which they slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.model.tensor import Int8Array

AnyArray = npt.NDArray[Any]

SAME, VALID = 0, 1
"""TFLite's numbers of the two padding schemes."""


@dataclass(frozen=True)
class Padding:
    """Rows and columns of zero points around the input, already resolved from SAME or VALID."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Window:
    """A window and how it moves.

    kernel, stride: (vertical, horizontal). output: (height, width) of the result.
    dilation: how far apart neighbouring taps of the kernel are, (vertical, horizontal).
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding
    output: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def resolve(
        cls,
        scheme: int,
        extent: tuple[int, int],
        kernel: tuple[int, int],
        stride: tuple[int, int],
        dilation: tuple[int, int] = (1, 1),
    ) -> Window:
        """The window for an input of `extent` (height, width) under SAME or VALID.

        SAME gives ceil(extent / stride) outputs; where the padding is odd, the additional row or column is at the
        bottom or right. Source: TensorFlow's definition of the two schemes.
        An output extent is 0 or negative where a VALID window does not fit.
        """
        outputs: list[int] = []
        before: list[int] = []
        after: list[int] = []
        for size, taps, step, apart in zip(extent, kernel, stride, dilation):
            window = (taps - 1) * apart + 1
            count = -(-size // step) if scheme == SAME else (size - window) // step + 1
            total = max((count - 1) * step + window - size, 0) if scheme == SAME else 0
            outputs.append(count)
            before.append(total // 2)
            after.append(total - total // 2)
        padding = Padding(before[0], before[1], after[0], after[1])
        return cls(kernel, stride, padding, (outputs[0], outputs[1]), dilation)

    def taps(self, padded: AnyArray, row: int, column: int) -> AnyArray:
        """What tap (row, column) of the window sees at every position: a view [N, out_h, out_w, C] of `padded`."""
        down, across = self.stride
        height, width = self.output
        row, column = row * self.dilation[0], column * self.dilation[1]
        return padded[:, row : row + height * down : down, column : column + width * across : across]


def padded(values: AnyArray, padding: Padding, fill: int, dtype: npt.DTypeLike) -> AnyArray:
    """[N, H, W, C] as `dtype` with `fill` around it."""
    if padding == Padding(0, 0, 0, 0):
        return values.astype(dtype, copy=False)
    count, height, width, channels = values.shape
    shape = (count, height + padding.top + padding.bottom, width + padding.left + padding.right, channels)
    result = np.full(shape, fill, dtype=dtype)
    result[:, padding.top : padding.top + height, padding.left : padding.left + width] = values
    return result


def patches(values: Int8Array, window: Window, fill: int, dtype: npt.DTypeLike) -> AnyArray:
    """im2col: [N * out_h * out_w, kernel_h * kernel_w * C] of [N, H, W, C], padded with `fill`, as `dtype`."""
    count, channels = values.shape[0], values.shape[3]
    height, width = window.output
    if window.kernel == (1, 1) and window.stride == (1, 1):
        return values.reshape(-1, channels).astype(dtype)
    around = padded(values, window.padding, fill, dtype)
    spread = tuple((taps - 1) * apart + 1 for taps, apart in zip(window.kernel, window.dilation))
    views = np.lib.stride_tricks.sliding_window_view(around, spread, axis=(1, 2))  # type: ignore[call-overload]
    views = views[:, :: window.stride[0], :: window.stride[1]][:, :height, :width]
    views = views[..., :: window.dilation[0], :: window.dilation[1]]
    depth = window.kernel[0] * window.kernel[1] * channels
    result: AnyArray = views.transpose(0, 1, 2, 4, 5, 3).reshape(count * height * width, depth)
    return result
