"""TRANSPOSE_CONV: a convolution the other way round, as decoders use it to enlarge maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import Requantizer


@dataclass(frozen=True, eq=False)
class TransposeConv(Operator):
    """A transposed convolution: every input pixel adds its kernel to the output, `stride` pixels apart.

    weights: int8 [out_channels, kernel_h, kernel_w, in_channels]; bias: int32 [out_channels].
    multipliers: one an output channel. stride: (vertical, horizontal).
    crop: rows and columns that are cut off at the top and on the left.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kind: ClassVar[str] = "TRANSPOSE_CONV"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[Multiplier, ...]
    stride: tuple[int, int]
    crop: tuple[int, int]
    activation_min: int
    activation_max: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> TransposeConv:
        """See `Operator.read`. The operands are the output's shape, weights, activation and bias.

        The crop is the padding of the convolution from the output to the input (TensorFlow Lite's
        ComputePaddingHeightWidth).
        """
        target = reading.integers(node, 0)
        moved = replace(node, inputs=(*node.inputs[2:3], *node.inputs[1:2], *node.inputs[3:4]))
        source, result = reading.activation(moved, rank=4), reading.output(node, rank=4)
        filters, weights = reading.weights(moved, (None, None, None, source.shape[3]), channel_axis=0)
        out_channels, kernel_h, kernel_w, _ = filters.shape
        reading.own_shape(result, target)
        extent = (result.shape[1], result.shape[2])
        options = {**node.options, "FusedActivationFunction": node.options.get("FusedActivationFunction", 0)}
        moved = replace(moved, options=options)
        window = reading.window(moved, extent, (kernel_h, kernel_w))
        if (1, *window.output, source.shape[3]) != source.shape or result.shape[3] != out_channels:
            raise UnsupportedError(
                f"shapes {list(source.shape)} and {list(result.shape)} do not belong together", reading.REEXPORT_HINT
            )
        low, high = reading.activation_limits(moved, result)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            weights=weights,
            bias=reading.bias(moved, out_channels),
            multipliers=reading.channel_multipliers(source, filters, result, out_channels),
            stride=window.stride,
            crop=(window.padding.top, window.padding.left),
            activation_min=low,
            activation_max=high,
        )

    @property
    def macs(self) -> int:
        """Products of one inference, those that fall outside of the output included."""
        return self.inputs[0].shape[1] * self.inputs[0].shape[2] * int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """Weights and bias."""
        return int(self.weights.nbytes + self.bias.nbytes)

    @cached_property
    def _requantizer(self) -> Requantizer:
        largest = int(np.abs(self.weights.astype(np.int64)).sum(axis=(1, 2, 3)).max()) * 256
        bias = self.bias.astype(np.int64)
        return Requantizer(
            self.multipliers,
            bias=bias,
            largest=largest + int(np.abs(bias).max()),
            zero_point=self.output.zero_point,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
        )

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. One matrix product a tap; float64 holds every sum exactly."""
        values = inputs[0].astype(np.float64) - self.inputs[0].zero_point
        count, height, width, _ = values.shape
        channels, kernel_h, kernel_w, _ = self.weights.shape
        down, across = self.stride
        rows, columns = self.output.shape[1], self.output.shape[2]
        top, left = self.crop
        # Large enough for every tap and for the output, which may reach beyond them.
        full_rows = max((height - 1) * down + kernel_h, top + rows)
        full_columns = max((width - 1) * across + kernel_w, left + columns)
        sums = np.zeros((count, full_rows, full_columns, channels))
        for row in range(kernel_h):
            for column in range(kernel_w):
                products = values @ self.weights[:, row, column].T.astype(np.float64)
                sums[:, row : row + height * down : down, column : column + width * across : across] += products
        kept = sums[:, top : top + rows, left : left + columns]
        return self._requantizer(kept.reshape(-1, channels)).reshape(count, rows, columns, channels)
