"""Sizes of a pooling layer, and where its windows lie."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.operators.geometry import Padding
from approx_plugin.operators.pool2d import Pool2D

NO_PADDING = Padding(0, 0, 0, 0)

WORD = 4


@dataclass(frozen=True)
class PoolWindow:
    """height, width: of the input; kernel, stride: (vertical, horizontal).

    Windows that see whole rows are windows on one long row.
    """

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding

    @classmethod
    def of(cls, pool: Pool2D) -> PoolWindow:
        """A layer's."""
        _, height, width, channels = pool.inputs[0].shape
        _, out_height, out_width, _ = pool.output.shape
        kernel, stride, padding = pool.kernel, pool.stride, pool.padding
        if padding == NO_PADDING and kernel[1] == width and out_height == 1:
            kernel, height, width = (1, kernel[0] * width), 1, height * width
        return cls(height, width, channels, out_height, out_width, kernel, stride, padding)

    @property
    def taps(self) -> int:
        """Values under a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def is_copied(self) -> bool:
        """Whether rows are copied with their padding first."""
        return self.padding != NO_PADDING

    @property
    def left_bytes(self) -> int:
        """Where an input row begins in a copied one: a multiple of a word, at least the padding."""
        return -(-self.padding.left * self.channels // WORD) * WORD

    @property
    def first_byte(self) -> int:
        """Of the first window, from the start of a copied row."""
        return self.left_bytes - self.padding.left * self.channels

    @property
    def copied_bytes(self) -> int:
        """Of an input row that windows see."""
        return min(self.width, self._reach - self.padding.left) * self.channels

    @property
    def _reach(self) -> int:
        """Columns under all windows of a row, padding included."""
        return (self.out_width - 1) * self.stride[1] + self.kernel[1]

    @property
    def pitch(self) -> int:
        """Bytes from one row under a window to the next."""
        if not self.is_copied:
            return self.width * self.channels
        whole = self.first_byte + max(
            self._reach * self.channels, self.padding.left * self.channels + self.copied_bytes
        )
        return -(-whole // WORD) * WORD

    @property
    def step(self) -> int:
        """Bytes from one window to the next."""
        return self.stride[1] * self.channels
