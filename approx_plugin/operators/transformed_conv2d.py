"""A 3x3 convolution that computes with transformed weights of its own, as approximation leaves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.native.products import Layer
from approx_plugin.operators.fixed_point import LARGEST_WITHOUT_WRAP
from approx_plugin.operators.geometry import Padding, padded
from approx_plugin.operators.host import transformed
from approx_plugin.operators.winograd import TRANSFORMS, Transform

Int16Array = npt.NDArray[np.int16]
Int64Array = npt.NDArray[np.int64]

_BLOCK_ELEMENTS = 1 << 21
"""Elements of transformed input that are made at a time (16 MiB of float64)."""


@dataclass(frozen=True, eq=False)
class TransformedConv2D(Operator):
    """What takes the place of a 3x3 convolution with stride 1.

    transform: its name, see `winograd.TRANSFORMS`. coefficients: int16 [out_channels, points, in_channels]; bias: int64
    [out_channels]. A sum is bias + the output transform of the products, `Transform.scale` times as large as that of
    the convolution. No sum leaves int32 for any input. An output is ((sum * multiplier >> 32) + addend) >> exponent,
    within int8 and the activation's limits; multipliers, addends: int64 [out_channels], each within int32.
    direct_macs: multiply-accumulates of the convolution, which is what its time is compared with.
    """

    kind: ClassVar[str] = "CONV_2D"

    transform: str
    coefficients: Int16Array
    bias: Int64Array
    multipliers: Int64Array
    addends: Int64Array
    exponent: int
    padding: Padding
    activation_min: int
    activation_max: int
    direct_macs: int

    def __post_init__(self) -> None:
        """Raises ValueError where a sum could leave int32."""
        lowest, highest = self.sum_limits
        if int(max(-lowest.min(), highest.max())) > LARGEST_WITHOUT_WRAP:
            raise ValueError("sums of the transformed products could leave int32")

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> TransformedConv2D:
        """No file has any."""
        raise UnsupportedError("transformed weights", "give the convolution itself")

    @property
    def form(self) -> Transform:
        """The transform itself."""
        return TRANSFORMS[self.transform]

    @property
    def out_channels(self) -> int:
        """Number of output channels."""
        return len(self.coefficients)

    @property
    def in_channels(self) -> int:
        """Number of input channels."""
        return int(self.coefficients.shape[2])

    @property
    def input_zero_point(self) -> int:
        """Zero point of the input, also the value of the padding."""
        return self.inputs[0].zero_point

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of tiles that cover the output."""
        height, width = self.output.shape[1:3]
        down, across = self.form.tile
        return -(-height // down), -(-width // across)

    @property
    def macs(self) -> int:
        """Of the convolution."""
        return self.direct_macs

    @property
    def parameter_bytes(self) -> int:
        """Coefficients and bias, four bytes each of the latter."""
        return int(self.coefficients.nbytes) + 4 * self.out_channels

    @cached_property
    def patch_weights(self) -> Int64Array:
        """int64 [out_channels, outputs of a tile, inputs of a patch, in_channels]: the sums as plain products."""
        form = self.form
        spread: Int64Array = np.einsum("jp,pd,opc->ojdc", form.outputs, form.inputs, self.coefficients.astype(np.int64))
        return spread

    @cached_property
    def sum_limits(self) -> tuple[Int64Array, Int64Array]:
        """Lowest and highest sum of each output channel over all inputs, int64 [out_channels]."""
        weights = self.patch_weights.reshape(self.out_channels, self.form.outputs.shape[0], -1)
        low, high = -128 - self.input_zero_point, 127 - self.input_zero_point
        lowest = np.minimum(weights * low, weights * high).sum(axis=2).min(axis=1)
        highest = np.maximum(weights * low, weights * high).sum(axis=2).max(axis=1)
        return self.bias + lowest, self.bias + highest

    def requantized(self, sums: Int64Array) -> Int8Array:
        """int8 of sums with their bias, int64 [..., out_channels]. No product leaves int64: both factors are int32."""
        values = ((sums * self.multipliers >> 32) + self.addends) >> self.exponent
        made: Int8Array = np.clip(values, self.activation_min, self.activation_max).astype(np.int8)
        return made

    @cached_property
    def _matrices(self) -> npt.NDArray[np.float64]:
        """[points, in_channels, out_channels]."""
        return np.ascontiguousarray(self.coefficients.transpose(1, 2, 0).astype(np.float64))

    @cached_property
    def _native(self) -> Layer | None:
        return transformed(self)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. In C where there is a compiler."""
        (values,) = inputs
        made = self._native(values) if self._native else None
        return self._by_matrices(values) if made is None else made

    def _by_matrices(self, values: Int8Array) -> Int8Array:
        """All products and sums are whole numbers far below 2**53: exact in float64."""
        form, (height, width) = self.form, self.output.shape[1:3]
        rows, columns = self.tiles
        output = np.empty((len(values), height, width, self.out_channels), np.int8)
        start = 0
        for operands in self.operands(values):
            count = len(operands) // (rows * columns)
            products = np.matmul(operands.transpose(1, 0, 2), self._matrices)
            sums = np.tensordot(form.outputs.astype(np.float64), products, 1)
            made = self.requantized(sums.reshape(-1, self.out_channels).astype(np.int64) + self.bias)
            tiled = made.reshape(*form.tile, count, rows, columns, self.out_channels).transpose(2, 3, 0, 4, 1, 5)
            whole = tiled.reshape(count, rows * form.tile[0], columns * form.tile[1], self.out_channels)
            output[start : start + count] = whole[:, :height, :width]
            start += count
        return output

    def operands(self, values: Int8Array) -> Iterator[npt.NDArray[np.float64]]:
        """V of the tiles of a few images at a time: float64 [images * tiles, points, in_channels], whole numbers.

        values: int8 [images, height, width, in_channels].
        """
        yield from tile_operands(self.form, values, self.padding, self.input_zero_point, self.tiles)


def tile_operands(
    form: Transform, values: Int8Array, padding: Padding, zero_point: int, tiles: tuple[int, int]
) -> Iterator[npt.NDArray[np.float64]]:
    """V of all tiles, a few images at a time; see `TransformedConv2D.operands`."""
    rows, columns = tiles
    (down, across), (tall, wide) = form.tile, form.patch
    channels = values.shape[3]
    height, width = (rows - 1) * down + tall, (columns - 1) * across + wide
    # Tiles may reach beyond the padding. Their outputs are cut off there, but where coefficients have been changed what
    # lies there counts in the others, too: it is the zero point.
    bottom = max(0, height - values.shape[1] - padding.top)
    right = max(0, width - values.shape[2] - padding.left)
    around = Padding(padding.top, padding.left, bottom, right)
    step = max(1, _BLOCK_ELEMENTS // (rows * columns * form.points * channels))
    for start in range(0, len(values), step):
        block = padded(values[start : start + step], around, zero_point, np.float64) - zero_point
        views = np.lib.stride_tricks.sliding_window_view(block, form.patch, axis=(1, 2))  # type: ignore[call-overload]
        views = views[:, : rows * down : down, : columns * across : across]
        patches = views.transpose(0, 1, 2, 4, 5, 3).reshape(-1, tall, wide, channels)
        yield form.transformed(patches)
