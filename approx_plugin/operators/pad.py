"""PAD: rows and columns of zero points around an activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading
from approx_plugin.operators.geometry import Padding, padded


@dataclass(frozen=True, eq=False)
class Pad(Operator):
    """Zero padding of height and width, as a layer of its own."""

    kind: ClassVar[str] = "PAD"

    padding: Padding

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Pad:
        """See `Operator.read`."""
        source, result = reading.activation(node, rank=4), reading.output(node, rank=4)
        reading.same_quantization(node, source, result)
        table = node.inputs[1] if len(node.inputs) > 1 else None
        if table is None or table.data is None:
            raise UnsupportedError("its paddings are computed at run time", "pad by constant amounts")
        if table.shape != (4, 2) or table.dtype not in ("int32", "int64") or int(table.data.min()) < 0:
            raise UnsupportedError("its paddings are not four pairs of numbers >= 0", reading.REEXPORT_HINT)
        (before_n, after_n), (top, bottom), (left, right), (before_c, after_c) = table.data.tolist()
        if before_n or after_n or before_c or after_c:
            raise UnsupportedError(
                f"paddings {table.data.tolist()} reach beyond height and width", "pad height and width only"
            )
        _, height, width, channels = source.shape
        reading.same_shape(result, (1, height + top + bottom, width + left + right, channels))
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            padding=Padding(top, left, bottom, right),
        )

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        return padded(inputs[0], self.padding, self.output.zero_point, np.int8)
