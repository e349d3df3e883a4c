"""ADD: the sum of two activations of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import offset_and_clamp, requantize

LEFT_SHIFT = 20
"""Bits that both inputs gain before they are scaled. Source: TensorFlow Lite's int8 ADD."""


@dataclass(frozen=True, eq=False)
class Add(Operator):
    """An elementwise sum.

    multipliers: one an input, that bring both to the scale 2 * max(input scales) / 2**20.
    output_multiplier: from there to the output's scale.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kind: ClassVar[str] = "ADD"

    multipliers: tuple[Multiplier, Multiplier]
    output_multiplier: Multiplier
    activation_min: int
    activation_max: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Add:
        """See `Operator.read`. Multipliers: TensorFlow Lite's ADD, in double precision."""
        first, second, result = reading.activation(node, 0), reading.activation(node, 1), reading.output(node)
        if first.shape != second.shape:
            raise UnsupportedError(
                f"broadcast of shapes {list(first.shape)} and {list(second.shape)}", "add tensors of the same shape"
            )
        reading.same_shape(result, first.shape)
        low, high = reading.activation_limits(node, result)
        twice_the_larger = 2.0 * max(first.scale, second.scale)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(first, second),
            output=result,
            multipliers=(
                quantize_multiplier(first.scale / twice_the_larger),
                quantize_multiplier(second.scale / twice_the_larger),
            ),
            output_multiplier=reading.checked_multiplier(twice_the_larger / ((1 << LEFT_SHIFT) * result.scale)),
            activation_min=low,
            activation_max=high,
        )

    @cached_property
    def _table(self) -> Int8Array:
        """int8 [256 * 256]: the result of every pair of inputs, the first one's index in the high byte."""
        values = np.arange(-128, 128, dtype=np.int64)
        first, second = (
            requantize((values - tensor.zero_point) << LEFT_SHIFT, (multiplier,))
            for tensor, multiplier in zip(self.inputs, self.multipliers)
        )
        sums = requantize(first[:, None] + second[None, :], (self.output_multiplier,))
        limited = offset_and_clamp(sums, self.output.zero_point, self.activation_min, self.activation_max)
        table: Int8Array = limited.astype(np.int8).reshape(-1)
        return table

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        first, second = ((values.view(np.uint8) ^ 0x80).astype(np.uint16) for values in inputs)
        return np.take(self._table, (first << 8) | second)
