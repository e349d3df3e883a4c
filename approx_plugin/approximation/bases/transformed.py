"""The points of Winograd's transforms: a transformed weight times a transformed input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Basis, Float64Array, IntArray
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.transformed_conv2d import TransformedConv2D, tile_operands
from approx_plugin.operators.winograd import T22, T42, Transform

INT16 = np.iinfo(np.int16)


@dataclass(frozen=True)
class Transformed(Basis):
    """Coefficients: the transformed weights int16 [out_channels, points, in_channels] of a 3x3 convolution.

    Operands: the transformed inputs of a tile, with the input offset applied. A sample is a tile; its sums become the
    tile's outputs by the output transform, so that an operand counts differently in each of them.
    """

    form: Transform

    @property
    def name(self) -> str:
        """The transform's."""
        return self.form.name

    def suits(self, operator: Operator) -> bool:
        """3x3 convolutions with stride 1 whose transformed weights are int16."""
        if not isinstance(operator, Conv2D):
            return False
        return operator.kernel == (3, 3) and operator.stride == (1, 1) and operator.is_plain

    def coefficients(self, operator: Operator) -> IntArray:
        """See `Basis.coefficients`."""
        return self.form.weights(_convolution(operator).weights).astype(np.int16)

    def bias(self, operator: Operator) -> npt.NDArray[np.int64]:
        """See `Basis.bias`."""
        return self.form.scale * _convolution(operator).bias.astype(np.int64)

    def operands(self, operator: Operator, inputs: Int8Array) -> Iterator[Float64Array]:
        """See `Basis.operands`. A sample is a tile of an image."""
        conv = _convolution(operator)
        made = tile_operands(self.form, inputs, conv.padding, conv.input_zero_point, self._tiles(conv))
        for block in made:
            yield block.reshape(len(block), -1)

    def effects(self, operator: Operator) -> Float64Array:
        """See `Basis.effects`."""
        return np.repeat(self.form.outputs.astype(np.float64), _convolution(operator).in_channels, axis=1)

    def noise(self, operator: Operator) -> Float64Array:
        """See `Basis.noise`: noise of a pixel goes into many points."""
        alike = self.form.inputs @ self.form.inputs.T
        return np.kron(alike.astype(np.float64), np.eye(_convolution(operator).in_channels))

    def rebuild(self, operator: Operator, coefficients: IntArray, bias: npt.NDArray[np.int64]) -> Operator:
        """A transformed convolution. Raises ValueError where they leave int16, or sums could leave int32."""
        conv = _convolution(operator)
        if coefficients.min() < INT16.min or coefficients.max() > INT16.max:
            raise ValueError("transformed weights are int16")
        multipliers, exponent = _multipliers(conv, self.form.scale)
        return TransformedConv2D(
            index=conv.index,
            name=conv.name,
            label=conv.label,
            inputs=conv.inputs,
            output=conv.output,
            transform=self.form.name,
            coefficients=coefficients.astype(np.int16),
            bias=bias.astype(np.int64),
            multipliers=multipliers,
            addends=np.full(len(multipliers), (1 << exponent >> 1) + (conv.output_zero_point << exponent), np.int64),
            exponent=exponent,
            padding=conv.padding,
            activation_min=conv.activation_min,
            activation_max=conv.activation_max,
            direct_macs=conv.macs,
        )

    def uses(self, operator: Operator) -> int:
        """Tiles."""
        rows, columns = self._tiles(_convolution(operator))
        return rows * columns

    def _tiles(self, conv: Conv2D) -> tuple[int, int]:
        down, across = self.form.tile
        height, width, _ = conv.output_shape
        return -(-height // down), -(-width // across)


def _convolution(operator: Operator) -> Conv2D:
    if not isinstance(operator, Conv2D):
        raise ValueError(f"{operator.name} is a {operator.kind}, which has no transformed points")
    return operator


LARGEST_EXPONENT = 22
"""Up to this, zero point * 2**exponent leaves room for the product within int32."""


def _multipliers(conv: Conv2D, scale: int) -> tuple[npt.NDArray[np.int64], int]:
    """Of sums that are `scale` times as large, as int32 parts of 2**(32 + exponent), with the exponent for all of them.

    The highest exponent that leaves the largest one below 2**31 is the finest.
    """
    real = np.array([m.mantissa * 2.0 ** (m.shift - 31) / scale for m in conv.multipliers])
    real = np.broadcast_to(real, (conv.out_channels,))
    largest = float(real.max())
    exponent = LARGEST_EXPONENT if largest == 0.0 else min(LARGEST_EXPONENT, math.floor(-1 - math.log2(largest)))
    if exponent < 1:
        raise ValueError("the multiplier is too large for transformed sums")
    made = np.minimum(np.rint(np.ldexp(real, 32 + exponent)), 2.0**31 - 1)
    return made.astype(np.int64), exponent


POINTS_T22, POINTS_T42 = Transformed(T22), Transformed(T42)
