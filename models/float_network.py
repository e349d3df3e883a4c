"""A trained network in real numbers, before quantisation: its layers, and what they compute.

Arrays are float64 in NHWC order, [batch, height, width, channels]. Only what calibration and evaluation of small
networks need is here: forward passes in plain numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Union

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pair = tuple[int, int]

_LIMITS = {"NONE": (-np.inf, np.inf), "RELU": (0.0, np.inf), "RELU6": (0.0, 6.0)}


@dataclass(frozen=True, eq=False)
class Conv2D:
    """weights: [out_channels, kernel_h, kernel_w, in_channels]; bias: [out_channels]. padding: "SAME" or "VALID"."""

    weights: Array
    bias: Array
    stride: Pair = (1, 1)
    padding: str = "SAME"
    dilation: Pair = (1, 1)
    activation: str = "NONE"
    channel_axis: ClassVar[int] = 0

    def forward(self, x: Array) -> Array:
        """The convolution and its fused activation."""
        seen = windows(x, self.weights.shape[1:3], self.stride, self.dilation, self.padding)
        return _activate(np.tensordot(seen, self.weights, ([3, 4, 5], [3, 1, 2])) + self.bias, self.activation)


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D:
    """weights: [1, kernel_h, kernel_w, channels * multiplier]; bias: [channels * multiplier]."""

    weights: Array
    bias: Array
    stride: Pair = (1, 1)
    padding: str = "SAME"
    dilation: Pair = (1, 1)
    activation: str = "NONE"
    channel_axis: ClassVar[int] = 3

    def forward(self, x: Array) -> Array:
        """The convolution and its fused activation."""
        height, width = self.weights.shape[1:3]
        seen = windows(x, (height, width), self.stride, self.dilation, self.padding)
        weights = self.weights.reshape(height, width, x.shape[3], -1)
        products = np.zeros((*seen.shape[:4], weights.shape[3]))
        for row, column in np.ndindex(height, width):
            products += seen[..., row, column, np.newaxis] * weights[row, column]
        return _activate(products.reshape(*products.shape[:3], -1) + self.bias, self.activation)


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """weights: [outputs, inputs]; bias: [outputs]. Whatever comes in is flattened."""

    weights: Array
    bias: Array
    activation: str = "NONE"
    channel_axis: ClassVar[int] = 0

    def forward(self, x: Array) -> Array:
        """[batch, outputs]."""
        return _activate(x.reshape(len(x), -1) @ self.weights.T + self.bias, self.activation)


@dataclass(frozen=True)
class MaxPool2D:
    """The maximum of every window."""

    size: Pair
    stride: Pair
    padding: str = "VALID"
    activation: str = "NONE"

    def forward(self, x: Array) -> Array:
        """The pooled map and its fused activation."""
        seen = windows(x, self.size, self.stride, (1, 1), self.padding, fill=-np.inf)
        return _activate(seen.max(axis=(4, 5)), self.activation)


@dataclass(frozen=True)
class AveragePool2D:
    """The mean of every window; what "SAME" puts around the map does not count."""

    size: Pair
    stride: Pair
    padding: str = "VALID"
    activation: str = "NONE"

    def forward(self, x: Array) -> Array:
        """The pooled map and its fused activation."""
        sums = windows(x, self.size, self.stride, (1, 1), self.padding).sum(axis=(4, 5))
        inside = windows(np.ones_like(x[:1]), self.size, self.stride, (1, 1), self.padding).sum(axis=(4, 5))
        return _activate(sums / inside, self.activation)


@dataclass(frozen=True)
class Add:
    """The sum of two values of one shape."""

    activation: str = "NONE"

    def forward(self, a: Array, b: Array) -> Array:
        """The sum and its fused activation."""
        return _activate(a + b, self.activation)


@dataclass(frozen=True)
class Reshape:
    """shape: without the batch dimension."""

    shape: tuple[int, ...]

    def forward(self, x: Array) -> Array:
        """The same numbers in the same order."""
        return x.reshape(len(x), *self.shape)


@dataclass(frozen=True)
class Softmax:
    """Over the last dimension."""

    beta: float = 1.0

    def forward(self, x: Array) -> Array:
        """Probabilities."""
        powers = np.exp(self.beta * (x - x.max(axis=-1, keepdims=True)))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Pad:
    """Rows and columns of zeros: (before, after) for height and width."""

    rows: Pair
    columns: Pair

    def forward(self, x: Array) -> Array:
        """The larger map."""
        return np.pad(x, ((0, 0), self.rows, self.columns, (0, 0)))


Layer = Union[Conv2D, DepthwiseConv2D, FullyConnected, MaxPool2D, AveragePool2D, Add, Reshape, Softmax, Pad]


@dataclass(frozen=True, eq=False)
class Node:
    """A layer and the numbers of its input values. Value 0 is the network's input, value i + 1 node i's output."""

    layer: Layer
    inputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """Nodes in execution order; the last one's output is the network's. input_shape: without the batch dimension."""

    input_shape: tuple[int, ...]
    nodes: tuple[Node, ...]

    @classmethod
    def chain(cls, input_shape: tuple[int, ...], layers: Sequence[Layer]) -> FloatNetwork:
        """A network without branches."""
        return cls(input_shape, tuple(Node(layer, (number,)) for number, layer in enumerate(layers)))

    def values(self, x: Array) -> list[Array]:
        """The input and every node's output for a batch of inputs."""
        values = [np.asarray(x, dtype=np.float64)]
        for node in self.nodes:
            values.append(node.layer.forward(*(values[number] for number in node.inputs)))
        return values

    def predict(self, x: Array, batch: int = 100) -> Array:
        """The last node's output, computed in batches so that large sets fit into memory."""
        return np.concatenate([self.values(x[start : start + batch])[-1] for start in range(0, len(x), batch)])


def _activate(x: Array, activation: str) -> Array:
    return np.clip(x, *_LIMITS[activation])


def windows(x: Array, size: Sequence[int], stride: Pair, dilation: Pair, padding: str, *, fill: float = 0.0) -> Array:
    """[batch, out_h, out_w, channels, kernel_h, kernel_w]: what each output position sees."""
    reach = [(window - 1) * spread + 1 for window, spread in zip(size, dilation)]
    if padding == "SAME":
        # TensorFlow's rule: ceil(extent / stride) positions, the odd row or column at the end.
        around = []
        for extent, step, span in zip(x.shape[1:3], stride, reach):
            missing = max((-(-extent // step) - 1) * step + span - extent, 0)
            around.append((missing // 2, missing - missing // 2))
        x = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view
    every: Array = view(view(x, reach[0], 1), reach[1], 2)
    return every[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
