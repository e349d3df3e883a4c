"""RESIZE_BILINEAR, in the integer arithmetic of TensorFlow Lite's reference kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from approx_plugin.model.node import Node
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.operators import reading
from approx_plugin.operators.resize_nearest_neighbor import resized

FRACTION_BITS = 10
"""Of a place between two rows or columns."""


@dataclass(frozen=True, eq=False)
class ResizeBilinear(Operator):
    """Height and width of [n, h, w, c] scaled; every pixel is a weighted mean of four.

    rows, columns: int32 [output extent, 3] each: the input row in front, the one behind, and the weight of the latter
    in 1/1024.
    """

    kind: ClassVar[str] = "RESIZE_BILINEAR"

    rows: Int32Array
    columns: Int32Array

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> ResizeBilinear:
        """See `Operator.read`."""
        source, result = reading.activation(node), reading.output(node)
        reading.same_quantization(node, source, result)
        height, width = resized(node, source)
        reading.own_shape(result, (source.own_shape[0], height, width, source.own_shape[3]))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            rows=_places(node, source.own_shape[1], height),
            columns=_places(node, source.own_shape[2], width),
        )

    @property
    def maps(self) -> int:
        """Number of maps that are resized: the first axis as the file has it."""
        return self.inputs[0].own_shape[0]

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        count, own = len(inputs[0]), self.inputs[0].own_shape
        values = inputs[0].reshape(-1, *own[1:]).astype(np.int64)
        one = 1 << FRACTION_BITS
        total: Any = 0
        for row in (0, 1):
            # Places in front of the first row have a negative weight, as the reference kernel has it.
            down = self.rows[:, 2] if row else one - self.rows[:, 2]
            line = values[:, self.rows[:, row]] * down.astype(np.int64)[None, :, None, None]
            for column in (0, 1):
                across = self.columns[:, 2] if column else one - self.columns[:, 2]
                total = total + line[:, :, self.columns[:, column]] * across.astype(np.int64)[None, None, :, None]
        half = 1 << (2 * FRACTION_BITS - 1)
        rounded = np.sign(total) * ((np.abs(total) + half) >> (2 * FRACTION_BITS))
        results: Int8Array = rounded.astype(np.int8)
        return results.reshape(count, *self.output.shape[1:])


def _places(node: Node, extent: int, count: int) -> Int32Array:
    """int32 [count, 3]. Source: TensorFlow Lite's ResizeBilinearInteger and ComputeInterpolationValuesInteger."""
    one = 1 << FRACTION_BITS
    scale = (one * extent + count // 2) // count
    if node.options.get("AlignCorners", False) and count > 1:
        scale = (one * (extent - 1) + (count - 1) // 2) // (count - 1)
    half = scale // 2 - one // 2 if node.options.get("HalfPixelCenters", False) else 0
    found = np.empty((count, 3), dtype=np.int32)
    for place in range(count):
        scaled = place * scale + half
        front = max(int(scaled / one), 0)
        behind = min(int((scaled + one - 1) / one), extent - 1)
        found[place] = min(front, extent - 1), max(behind, 0), scaled - one * front
    found.flags.writeable = False
    return found
