"""SOFTMAX with an int16 output: as `softmax`, with 16 of the result's bits instead of 8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Int64Array
from approx_plugin.operators.softmax import LONG_ROW, differences_scaled_by, exponentials, probabilities


@dataclass(frozen=True, eq=False)
class WideSoftmax(Operator):
    """A softmax over rows of the last dimension, int16 with scale 1/65536 and zero point -32768, as bytes.

    exponentials: int32 [256] of exp(beta * scale * -d) in Q0.31.
    """

    kind: ClassVar[str] = "SOFTMAX_INT16"

    exponentials: Int64Array

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> WideSoftmax:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        if result.element != "int16" or result.elements != 2 * source.elements:
            raise UnsupportedError("its output is not int16", reading.REEXPORT_HINT)
        if result.zero_point != -32768 or not math.isclose(result.scale, 1 / 65536, rel_tol=1e-4):
            raise UnsupportedError(
                f"its output has scale {result.scale:g} and zero point {result.zero_point}",
                "an int16 softmax of int8 numbers needs scale 1/65536 and zero point -32768",
            )
        beta = float(node.options.get("Beta", 0.0))
        multiplier, difference_min = differences_scaled_by(max(0.0, beta) * source.scale)
        if not 0.0 < beta < math.inf or multiplier.shift < 0 or source.shape[-1] >= LONG_ROW:
            raise UnsupportedError(f"beta {beta:g}, scale {source.scale:g}", "use an int8 output")
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            exponentials=exponentials(multiplier, difference_min),
        )

    @property
    def size(self) -> int:
        """Values of a row."""
        return self.inputs[0].shape[-1]

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        rows = inputs[0].reshape(-1, self.size).astype(np.int64)
        found = probabilities(self.exponentials, rows, 16) - 32768
        content = np.clip(found, -32768, 32767).astype("<i2").tobytes()
        return np.frombuffer(content, np.int8).reshape(len(inputs[0]), *self.output.shape[1:])
