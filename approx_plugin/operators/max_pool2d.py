"""MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.geometry import padded
from approx_plugin.operators.pool2d import Pool2D


@dataclass(frozen=True, eq=False)
class MaxPool2D(Pool2D):
    """The largest value under the window."""

    kind: ClassVar[str] = "MAX_POOL_2D"

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. Padding with -128 never wins against a value."""
        (values,) = inputs
        around = padded(values, self.padding, -128, np.int8)
        result: Int8Array = np.full((len(values), *self.output.shape[1:]), self.activation_min, dtype=np.int8)
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                np.maximum(result, self.window.taps(around, row, column), out=result)
        return np.minimum(result, np.int8(self.activation_max), out=result)
