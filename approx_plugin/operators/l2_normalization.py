"""L2_NORMALIZATION: rows of the last axis, brought to the length 1."""

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
from approx_plugin.operators.inverse_root import inverse_roots, scaled

_OUTPUT_BITS = 7
"""The output's scale is 1/128."""

MAX_ROW = 1 << 15
"""Values whose squares add up within 31 bits."""


@dataclass(frozen=True, eq=False)
class L2Normalization(Operator):
    """Each vector along the last axis divided by its length; the output has scale 1/128 and zero point 0."""

    kind: ClassVar[str] = "L2_NORMALIZATION"

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> L2Normalization:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_shape(result, source.shape)
        if result.zero_point or not math.isclose(result.scale, 1 / 128, rel_tol=1e-5):
            raise UnsupportedError(
                f"its output has scale {result.scale:g} and zero point {result.zero_point}",
                "an int8 L2 normalization needs scale 1/128 and zero point 0; " + reading.REEXPORT_HINT,
            )
        if node.options.get("FusedActivationFunction", reading.NONE) != reading.NONE:
            raise UnsupportedError("it has a fused activation", reading.REEXPORT_HINT)
        if source.shape[-1] > MAX_ROW:
            raise UnsupportedError(f"its rows have {source.shape[-1]:,} values", "normalize shorter vectors")
        return cls(index=index, name=name, label=result.name, inputs=(source,), output=result)

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. Source: TensorFlow Lite's integer reference L2Normalization."""
        above = inputs[0].astype(np.int64) - self.inputs[0].zero_point
        mantissas, shifts = inverse_roots((above * above).sum(axis=-1, keepdims=True))
        values = scaled(above, mantissas, shifts + _OUTPUT_BITS)
        return np.clip(values, -128, 127).astype(np.int8)
