"""AVERAGE_POOL_2D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.operators.geometry import padded
from approx_plugin.operators.pool2d import Pool2D


@dataclass(frozen=True, eq=False)
class AveragePool2D(Pool2D):
    """The mean of the values under the window, halves rounded away from zero; padding does not count."""

    kind: ClassVar[str] = "AVERAGE_POOL_2D"

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        (values,) = inputs
        sums = self._sum(values)
        counts = self._sum(np.ones((1, *values.shape[1:3], 1), dtype=np.int8))
        means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
        result: Int8Array = np.clip(means, self.activation_min, self.activation_max).astype(np.int8)
        return result

    def _sum(self, values: Int8Array) -> Int32Array:
        """int32 sums [N, out_h, out_w, C] over the window, 0 in the padding."""
        around = padded(values, self.padding, 0, np.int8)
        height, width = self.window.output
        sums = np.zeros((len(values), height, width, values.shape[3]), dtype=np.int32)
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                sums += self.window.taps(around, row, column)
        return sums
