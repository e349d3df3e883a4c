"""DEPTHWISE_CONV_2D: every input channel has filters of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array, Int32Array
from approx_plugin.native.products import Layer
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import FloatArray, Requantizer
from approx_plugin.operators.geometry import Padding, Window, padded
from approx_plugin.operators.host import depthwise

_BLOCK_ELEMENTS = 1 << 18
"""Output elements that are computed at a time: accumulator and product stay in the cache."""


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(Operator):
    """A depthwise convolution. Output channel c reads input channel c // depth_multiplier.

    weights: int8 [kernel_h, kernel_w, out_channels]; bias: int32 [out_channels].
    multipliers: one an output channel. stride: (vertical, horizontal).
    activation_min, activation_max: the fused activation as int8 limits, -128 and 127 for none.
    dilation: how far apart neighbouring taps are, (vertical, horizontal).
    """

    kind: ClassVar[str] = "DEPTHWISE_CONV_2D"

    weights: Int8Array
    bias: Int32Array
    multipliers: tuple[Multiplier, ...]
    depth_multiplier: int
    stride: tuple[int, int]
    padding: Padding
    activation_min: int
    activation_max: int
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> DepthwiseConv2D:
        """See `Operator.read`. The depth multiplier follows from the shapes, as in TensorFlow Lite."""
        source, result = reading.activation(node, rank=4), reading.output(node, rank=4)
        filters, weights = reading.weights(node, (1, None, None, None), channel_axis=3)
        _, kernel_h, kernel_w, out_channels = filters.shape
        if out_channels % source.shape[3]:
            raise UnsupportedError(
                f"{out_channels} output channels are no multiple of {source.shape[3]} input channels",
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
            weights=weights[0],
            bias=reading.bias(node, out_channels),
            multipliers=reading.channel_multipliers(source, filters, result, out_channels),
            depth_multiplier=out_channels // source.shape[3],
            stride=window.stride,
            padding=window.padding,
            activation_min=low,
            activation_max=high,
            dilation=window.dilation,
        )

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the kernel."""
        return int(self.weights.shape[0]), int(self.weights.shape[1])

    @property
    def window(self) -> Window:
        """Kernel, stride, padding and output extents together."""
        extent = (self.output.shape[1], self.output.shape[2])
        return Window(self.kernel, self.stride, self.padding, extent, self.dilation)

    @property
    def macs(self) -> int:
        """Products of one inference, those with padding included."""
        return self.output.shape[1] * self.output.shape[2] * int(self.weights.size)

    @property
    def parameter_bytes(self) -> int:
        """Weights and bias."""
        return int(self.weights.nbytes + self.bias.nbytes)

    @cached_property
    def _requantizer(self) -> Requantizer:
        wide = self.weights.astype(np.int64)
        bias = self.bias.astype(np.int64)
        largest = int(np.abs(wide).sum(axis=(0, 1)).max()) * 256 + int(np.abs(bias).max())
        return Requantizer(
            self.multipliers,
            bias=bias - self.inputs[0].zero_point * wide.sum(axis=(0, 1)),
            largest=largest,
            zero_point=self.output.zero_point,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
        )

    @cached_property
    def _native(self) -> Layer | None:
        return depthwise(self) if self.depth_multiplier == 1 else None

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. In C where there is one output per input channel, and a compiler."""
        (values,) = inputs
        made = self._native(values) if self._native else None
        return self._by_maps(values) if made is None else made

    def _by_maps(self, values: Int8Array) -> Int8Array:
        """One multiply-add of whole maps a tap.

        float32 sums are exact: a window would need more than 1000 taps to leave its 24 bits, and float64 serves then.
        """
        _, height, width, channels = self.output.shape
        exact_in_float32 = int(np.abs(self.weights.astype(np.int64)).sum(axis=(0, 1)).max()) * 128 <= 1 << 24
        dtype: npt.DTypeLike = np.float32 if exact_in_float32 else np.float64
        weights = self.weights.astype(dtype)
        output = np.empty((len(values), height, width, channels), dtype=np.int8)
        step = max(1, _BLOCK_ELEMENTS // (height * width * channels))
        for start in range(0, len(values), step):
            block = padded(values[start : start + step], self.padding, self.inputs[0].zero_point, dtype)
            if self.depth_multiplier > 1:
                block = np.repeat(block, self.depth_multiplier, axis=3)
            sums: FloatArray = np.zeros((len(block), height, width, channels), dtype=dtype)
            product = np.empty_like(sums)
            for row in range(self.kernel[0]):
                for column in range(self.kernel[1]):
                    np.multiply(self.window.taps(block, row, column), weights[row, column], out=product)
                    sums += product
            output[start : start + step] = self._requantizer(sums.reshape(-1, channels)).reshape(sums.shape)
        return output
