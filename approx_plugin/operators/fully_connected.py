"""FULLY_CONNECTED: a matrix product with per-tensor or per-channel weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.matrix import Matrix


@dataclass(frozen=True, eq=False)
class FullyConnected(Operator):
    """A fully connected layer over `rows` vectors (1 unless the input has dimensions that are not flattened).

    weights: int8 [out_features, in_features]; bias: int32 [out_features].
    multipliers: one for all outputs, or one an output.
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kind: ClassVar[str] = "FULLY_CONNECTED"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[Multiplier, ...]
    rows: int
    activation_min: int
    activation_max: int

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> FullyConnected:
        """See `Operator.read`. The input is taken as [rows, in_features] whatever its shape is."""
        source, result = reading.activation(node), reading.output(node)
        if node.options.get("WeightsFormat", 0):
            raise UnsupportedError("its weights are stored shuffled", "export with the default weights format")
        filters, weights = reading.weights(node, (None, None), channel_axis=0)
        out_features, in_features = filters.shape
        if source.elements % in_features:
            raise UnsupportedError(
                f"its input has {source.elements} elements, which {in_features} weights an output do not divide",
                reading.REEXPORT_HINT,
            )
        rows = source.elements // in_features
        if result.elements != rows * out_features:
            raise UnsupportedError(
                f"its output has shape {list(result.shape)}, expected {rows} x {out_features} elements",
                reading.REEXPORT_HINT,
            )
        low, high = reading.activation_limits(node, result)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            weights=weights,
            bias=reading.bias(node, out_features),
            multipliers=_multipliers(source, filters, result),
            rows=rows,
            activation_min=low,
            activation_max=high,
        )

    @property
    def macs(self) -> int:
        """Products of one inference."""
        return self.rows * int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """Weights and bias."""
        return int(self.weights.nbytes + self.bias.nbytes)

    @cached_property
    def _matrix(self) -> Matrix:
        return Matrix(
            self.weights,
            self.bias,
            self.multipliers,
            input_zero_point=self.inputs[0].zero_point,
            output_zero_point=self.output.zero_point,
            activation=(self.activation_min, self.activation_max),
        )

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`."""
        (values,) = inputs
        rows = values.reshape(-1, self._matrix.depth).astype(self._matrix.dtype)
        return self._matrix(rows).reshape(len(values), *self.output.shape[1:])


def _multipliers(source: Tensor, filters: Tensor, result: Tensor) -> tuple[Multiplier, ...]:
    """One multiplier for per-tensor weights, one an output for per-channel weights.

    Source: TensorFlow Lite's GetQuantizedConvolutionMultipler, which multiplies the two scales in float32 before it
    divides in double, unlike the convolutions, and PopulateConvolutionQuantizationParams for the per-channel form.
    """
    assert filters.quantization is not None
    if filters.quantization.per_channel:
        return reading.channel_multipliers(source, filters, result, filters.shape[0])
    with np.errstate(over="ignore", under="ignore"):
        product = float(np.float32(source.scale) * np.float32(filters.scale))
    return (reading.checked_multiplier(product / result.scale),)
