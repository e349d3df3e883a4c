"""Weights as a matrix: exact integer products by BLAS, then requantisation. Convolution and fully connected use it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.operators.fixed_point import FloatArray, Requantizer


class Matrix:
    """int8 rows [rows, depth] to int8 rows [rows, channels].

    A float has an exact integer product sum as long as no partial sum exceeds its mantissa, in whatever order BLAS adds
    and whether it fuses or not: sum |w| * 128 <= 2**24 for float32, 2**53 for float64 (always met: it takes 2**39
    weights to exceed it). The input's zero point goes into the bias: sum (x - z) w = sum x w - z sum w.
    """

    def __init__(
        self,
        weights: Int8Array,
        bias: Int32Array,
        multipliers: Sequence[Multiplier],
        *,
        input_zero_point: int,
        output_zero_point: int,
        activation: tuple[int, int],
    ) -> None:
        """weights: int8 [channels, depth]; bias: int32 [channels]; multipliers: one, or one a channel."""
        wide = weights.astype(np.int64)
        folded = bias.astype(np.int64) - input_zero_point * wide.sum(axis=1)
        largest_sum = int(np.abs(wide).sum(axis=1).max()) * 128
        self.depth = int(weights.shape[1])
        self.dtype: npt.DTypeLike = np.float32 if largest_sum <= 1 << 24 else np.float64
        self._weights = np.ascontiguousarray(weights.T.astype(self.dtype))
        largest = 2 * largest_sum + int(np.abs(bias.astype(np.int64)).max())
        self._requantizer = Requantizer(
            multipliers,
            bias=folded,
            largest=largest,
            zero_point=output_zero_point,
            activation_min=activation[0],
            activation_max=activation[1],
        )

    def __call__(self, rows: FloatArray) -> Int8Array:
        """`rows`: int8 values [rows, depth] in `self.dtype`."""
        return self._requantizer(rows @ self._weights)
