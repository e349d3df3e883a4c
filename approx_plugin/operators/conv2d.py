"""CONV_2D: int8 convolution with per-channel weights."""

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
from approx_plugin.native.products import Layer
from approx_plugin.operators import reading
from approx_plugin.operators.geometry import Padding, Window, patches
from approx_plugin.operators.host import convolution
from approx_plugin.operators.matrix import Matrix

__all__ = ["Conv2D", "Padding"]

_BLOCK_ELEMENTS = 1 << 21
"""Elements of the im2col matrix that are made at a time (8 MiB as float32)."""


@dataclass(frozen=True, eq=False)
class Conv2D(Operator):
    """A convolution.

    weights: int8 [out_channels, kernel_h, kernel_w, in_channels]; bias: int32 [out_channels].
             in_channels are those of a group: the input's, unless it is a grouped convolution.
    multipliers: one an output channel: input_scale * weight_scale / output_scale.
    stride: (vertical, horizontal).
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    dilation: how far apart neighbouring taps are, (vertical, horizontal).
    """

    kind: ClassVar[str] = "CONV_2D"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[Multiplier, ...]
    stride: tuple[int, int]
    padding: Padding
    activation_min: int
    activation_max: int
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Conv2D:
        """See `Operator.read`."""
        source, result = reading.activation(node, rank=4), reading.output(node, rank=4)
        filters, weights = reading.weights(node, (None, None, None, None), channel_axis=0)
        out_channels, kernel_h, kernel_w, in_channels = filters.shape
        groups, rest = divmod(source.shape[3], in_channels)
        if rest or out_channels % groups:
            raise UnsupportedError(
                f"{in_channels} input channels a filter, {source.shape[3]} in the input, {out_channels} filters",
                reading.REEXPORT_HINT,
            )
        window = reading.window(node, (source.shape[1], source.shape[2]), (kernel_h, kernel_w))
        reading.same_shape(result, (1, *window.output, out_channels))
        low, high = reading.activation_limits(node, result)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            weights=weights,
            bias=reading.bias(node, out_channels),
            multipliers=reading.channel_multipliers(source, filters, result, out_channels),
            stride=window.stride,
            padding=window.padding,
            activation_min=low,
            activation_max=high,
            dilation=window.dilation,
        )

    def with_constants(self, weights: Int8Array, bias: Int32Array) -> Conv2D:
        """The same layer with other weights and bias of the same shapes."""
        assert weights.shape == self.weights.shape and bias.shape == self.bias.shape
        return replace(self, weights=weights, bias=bias)

    @property
    def out_channels(self) -> int:
        """Number of output channels."""
        return int(self.weights.shape[0])

    @property
    def in_channels(self) -> int:
        """Number of input channels of a filter."""
        return int(self.weights.shape[3])

    @property
    def groups(self) -> int:
        """How many groups of channels the convolution keeps apart; 1 for an ordinary one."""
        return self.inputs[0].shape[3] // self.in_channels

    @property
    def is_plain(self) -> bool:
        """Whether it is neither grouped nor dilated."""
        return self.groups == 1 and self.dilation == (1, 1)

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the kernel."""
        return int(self.weights.shape[1]), int(self.weights.shape[2])

    @property
    def input_zero_point(self) -> int:
        """Zero point of the input, also the value of the padding."""
        return self.inputs[0].zero_point

    @property
    def output_zero_point(self) -> int:
        """Zero point of the output."""
        return self.output.zero_point

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of the input."""
        _, height, width, channels = self.inputs[0].shape
        return height, width, channels

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of the output."""
        _, height, width, channels = self.output.shape
        return height, width, channels

    @property
    def window(self) -> Window:
        """Kernel, stride, padding and output extents together."""
        return Window(self.kernel, self.stride, self.padding, self.output_shape[:2], self.dilation)

    @property
    def macs(self) -> int:
        """Products of one inference; those with padding count, as everybody counts them."""
        return self.output_shape[0] * self.output_shape[1] * int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """Weights and bias."""
        return int(self.weights.nbytes + self.bias.nbytes)

    @cached_property
    def _matrices(self) -> tuple[Matrix, ...]:
        """One for each group."""
        size = self.out_channels // self.groups
        parts = [slice(start, start + size) for start in range(0, self.out_channels, size)]
        return tuple(
            Matrix(
                self.weights[part].reshape(size, -1),
                self.bias[part],
                self.multipliers[part],
                input_zero_point=self.input_zero_point,
                output_zero_point=self.output_zero_point,
                activation=(self.activation_min, self.activation_max),
            )
            for part in parts
        )

    @cached_property
    def _native(self) -> Layer | None:
        return convolution(self) if self.groups == 1 else None

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. In C; without it, im2col and one matrix product, a few inputs at a time."""
        (values,) = inputs
        made = self._native(values) if self._native else None
        return self._by_matrices(values) if made is None else made

    def _by_matrices(self, values: Int8Array) -> Int8Array:
        window = self.window
        output = np.empty((len(values), *self.output_shape), dtype=np.int8)
        rows = self.output_shape[0] * self.output_shape[1]
        size = self.out_channels // self.groups
        for group, matrix in enumerate(self._matrices):
            read = values[..., group * self.in_channels : (group + 1) * self.in_channels]
            step = max(1, _BLOCK_ELEMENTS // (rows * matrix.depth))
            for start in range(0, len(values), step):
                block = patches(read[start : start + step], window, self.input_zero_point, matrix.dtype)
                made = matrix(block).reshape(-1, *self.output_shape[:2], size)
                output[start : start + step, ..., group * size : (group + 1) * size] = made
        return output
