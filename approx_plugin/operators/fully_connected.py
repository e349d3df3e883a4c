"""FULLY_CONNECTED: a matrix product with per-tensor or per-channel weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from approx_plugin.model.graph import Int8Array, Int32Array, Tensor
from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators import c_text, reading
from approx_plugin.operators.base import CmsisCall, Constant, Operator
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

    def cmsis_call(self) -> CmsisCall:
        """`arm_fully_connected_s8`, or `arm_fully_connected_wrapper_s8` for a multiplier an output; no buffer."""
        out_features, in_features = self.weights.shape
        per_channel = len(self.multipliers) > 1
        params = c_text.fields(
            input_offset=-self.inputs[0].zero_point,
            filter_offset=0,
            output_offset=self.output.zero_point,
            activation=c_text.limits(self.activation_min, self.activation_max),
        )
        filter_dims = c_text.dims((in_features, 1, 1, out_features))
        declarations = [
            c_text.declare("cmsis_nn_fc_params", "fc_params", params),
            c_text.declare("cmsis_nn_dims", "input_dims", c_text.dims((self.rows, 1, 1, in_features))),
            c_text.declare("cmsis_nn_dims", "filter_dims", filter_dims),
            c_text.declare("cmsis_nn_dims", "bias_dims", c_text.dims((1, 1, 1, out_features))),
            c_text.declare("cmsis_nn_dims", "output_dims", c_text.dims((self.rows, 1, 1, out_features))),
        ]
        constants = [Constant("weights", self.weights), Constant("bias", self.bias)]
        if per_channel:
            function = "arm_fully_connected_wrapper_s8"
            constants += c_text.requantisation(self.multipliers)
            quantization = (
                "const cmsis_nn_quant_params quant_params =\n"
                "    {{.multiplier = (int32_t *){multipliers}, .shift = (int32_t *){shifts}, .is_per_channel = 1}};\n"
            )
        else:
            function = "arm_fully_connected_s8"
            (only,) = self.multipliers
            scaling = c_text.fields(multiplier=only.mantissa, shift=only.shift)
            declarations.append(c_text.declare("cmsis_nn_per_tensor_quant_params", "quant_params", scaling))
            quantization = ""
        return CmsisCall(
            functions=(function, "arm_fully_connected_s8_get_buffer_size"),
            constants=tuple(constants),
            body=c_text.body(
                declarations,
                quantization + f"return (int32_t){function}(context, &fc_params, &quant_params, &input_dims, input,\n"
                "    &filter_dims, {weights}, &bias_dims, {bias}, &output_dims, output);",
            ),
            context_size=f"arm_fully_connected_s8_get_buffer_size({c_text.address('cmsis_nn_dims', filter_dims)})",
        )


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
