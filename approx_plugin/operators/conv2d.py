"""CONV_2D: int8 convolution with per-channel weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from approx_plugin.model.graph import Int8Array, Int32Array
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.base import Operator


@dataclass(frozen=True)
class Padding:
    """Rows and columns of zero points around the input, already resolved from SAME or VALID."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, eq=False)
class Conv2D(Operator):
    """A convolution.

    weights: int8 [out_channels, kernel_h, kernel_w, in_channels]; bias: int32 [out_channels].
    multipliers: one an output channel: input_scale * weight_scale / output_scale.
    stride: (vertical, horizontal).
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    """

    kind: ClassVar[str] = "CONV_2D"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[Multiplier, ...]
    stride: tuple[int, int]
    padding: Padding
    activation_min: int
    activation_max: int

    def with_constants(self, weights: Int8Array, bias: Int32Array) -> Conv2D:
        """The same layer with other weights and bias of the same shapes."""
        assert weights.shape == self.weights.shape and bias.shape == self.bias.shape
        return replace(self, weights=weights, bias=bias)
