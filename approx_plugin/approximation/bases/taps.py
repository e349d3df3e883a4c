"""The taps of a direct convolution: a weight times what lies under it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Basis, Float64Array, IntArray
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import patches

CHUNK_ELEMENTS = 1 << 22
"""Operands that are held at a time (32 MB of float64), unless a single image has more."""


@dataclass(frozen=True)
class Taps(Basis):
    """Coefficients: the int8 weights [out_channels, kernel_h, kernel_w, in_channels].

    Operands: every tap at every output position, with the input offset applied: a = x - input zero point; 0 where the
    padding is.
    """

    @property
    def name(self) -> str:
        """See `Basis.name`."""
        return "taps"

    def suits(self, operator: Operator) -> bool:
        """Convolutions."""
        return isinstance(operator, Conv2D)

    def coefficients(self, operator: Operator) -> IntArray:
        """See `Basis.coefficients`."""
        return _convolution(operator).weights

    def bias(self, operator: Operator) -> npt.NDArray[np.int64]:
        """See `Basis.bias`."""
        return _convolution(operator).bias.astype(np.int64)

    def operands(self, operator: Operator, inputs: Int8Array) -> Iterator[Float64Array]:
        """See `Basis.operands`. A sample is an output position of an image."""
        conv = _convolution(operator)
        height, width, _ = conv.output_shape
        images = max(1, CHUNK_ELEMENTS // (height * width * conv.weights[0].size))
        for start in range(0, len(inputs), images):
            chunk = patches(inputs[start : start + images], conv.window, conv.input_zero_point, np.float64)
            yield chunk.astype(np.float64, copy=False) - conv.input_zero_point

    def rebuild(self, operator: Operator, coefficients: IntArray, bias: npt.NDArray[np.int64]) -> Operator:
        """The convolution with these weights and this bias. Raises ValueError where they leave int8 or int32."""
        conv = _convolution(operator)
        weights, sums = coefficients.astype(np.int8), bias.astype(np.int32)
        if not (np.array_equal(weights, coefficients) and np.array_equal(sums, bias)):
            raise ValueError("weights are int8 and a bias is int32")
        return conv.with_constants(weights, sums)

    def uses(self, operator: Operator) -> int:
        """Output positions."""
        height, width, _ = _convolution(operator).output_shape
        return height * width


def _convolution(operator: Operator) -> Conv2D:
    if not isinstance(operator, Conv2D):
        raise ValueError(f"{operator.name} is a {operator.kind}, which has no taps")
    return operator


TAPS = Taps()
