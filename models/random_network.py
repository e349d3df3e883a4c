"""Small random int8 networks for tests: every supported operator, odd shapes, outputs that are not all saturated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from float_network import (
    Add,
    Array,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FloatNetwork,
    FullyConnected,
    Layer,
    MaxPool2D,
    Node,
    Pad,
    Reshape,
    Softmax,
)
from quantise import quantise

_CALIBRATION_INPUTS = 4
_ACTIVATIONS = ("NONE", "RELU", "RELU6")


class _Grower:
    """A network that grows at its end. `values` are real calibration inputs and what the layers make of them."""

    def __init__(self, rng: np.random.RandomState, x: Array, dilation: bool) -> None:
        self.rng, self.dilation = rng, dilation
        self.values = [x]
        self.nodes: list[Node] = []

    @property
    def last(self) -> Array:
        return self.values[-1]

    def append(self, layer: Layer, *inputs: int) -> None:
        numbers = inputs or (len(self.nodes),)
        self.nodes.append(Node(layer, numbers))
        self.values.append(layer.forward(*(self.values[number] for number in numbers)))

    def below(self, limit: int) -> int:
        return int(self.rng.randint(limit))

    def activation(self) -> str:
        return _ACTIVATIONS[self.below(len(_ACTIVATIONS))]

    def parameters(self, shape: tuple[int, ...], fan_in: int, channel_axis: int) -> tuple[Array, Array]:
        """Weights that keep an activation's size about the same, in channels of different size, some of them zero."""
        channels = shape[channel_axis]
        sizes = self.rng.uniform(0.3, 2.0, channels) * (self.rng.uniform(size=channels) > 0.05)
        extents = [1] * len(shape)
        extents[channel_axis] = channels
        rms = float(np.sqrt(np.mean(self.last**2))) or 1.0
        weights = self.rng.standard_normal(shape) * sizes.reshape(extents) / (np.sqrt(fan_in) * rms)
        return weights, self.rng.standard_normal(channels) * 0.2

    def window(self, largest: int) -> tuple[tuple[int, int], tuple[int, int], str, tuple[int, int]]:
        """Size, stride, padding and dilation of a sliding window that fits into the map."""
        height, width = self.last.shape[1:3]
        size = (1 + self.below(min(largest, height)), 1 + self.below(min(largest, width)))
        stride = ((1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (3, 2))[self.below(6)]
        dilation = (1, 1)
        if self.dilation and self.below(2):
            dilation = (
                1 + self.below(max(1, min(2, (height - 1) // max(1, size[0] - 1)))),
                1 + self.below(max(1, min(2, (width - 1) // max(1, size[1] - 1)))),
            )
            stride = (1, 1)  # TensorFlow trains no layer with both
        return size, stride, ("SAME", "VALID")[self.below(2)], dilation


def _conv2d(net: _Grower) -> None:
    size, stride, padding, dilation = net.window(5)
    channels = net.last.shape[3]
    weights, bias = net.parameters((1 + net.below(9), *size, channels), size[0] * size[1] * channels, 0)
    net.append(Conv2D(weights, bias, stride, padding, dilation, net.activation()))


def _depthwise_conv2d(net: _Grower) -> None:
    size, stride, padding, dilation = net.window(5)
    channels = net.last.shape[3] * (1, 1, 1, 2, 3)[net.below(5)]
    weights, bias = net.parameters((1, *size, channels), size[0] * size[1], 3)
    net.append(DepthwiseConv2D(weights, bias, stride, padding, dilation, net.activation()))


def _max_pool2d(net: _Grower) -> None:
    size, stride, padding, _ = net.window(3)
    net.append(MaxPool2D(size, stride, padding, net.activation()))


def _average_pool2d(net: _Grower) -> None:
    size, stride, padding, _ = net.window(3)
    net.append(AveragePool2D(size, stride, padding, net.activation()))


def _add(net: _Grower) -> None:
    """A residual block: a convolution that keeps the shape, and the sum of its output and its input."""
    shortcut = len(net.nodes)
    channels = net.last.shape[3]
    weights, bias = net.parameters((channels, 3, 3, channels), 9 * channels, 0)
    net.append(Conv2D(weights, bias, activation=net.activation()))
    pair = (shortcut, len(net.nodes))
    net.append(Add(net.activation()), *(pair if net.below(2) else pair[::-1]))


def _pad(net: _Grower) -> None:
    net.append(Pad((net.below(3), net.below(3)), (net.below(3), net.below(3))))


def _reshape(net: _Grower) -> None:
    """Rows and columns change places in the shape; what follows sees another map of the same numbers."""
    height, width, channels = net.last.shape[1:]
    net.append(Reshape((width, height, channels)))


_BODY: dict[str, Callable[[_Grower], None]] = {
    "CONV_2D": _conv2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv2d,
    "MAX_POOL_2D": _max_pool2d,
    "AVERAGE_POOL_2D": _average_pool2d,
    "ADD": _add,
    "PAD": _pad,
    "RESHAPE": _reshape,
}
_TAIL = ("FULLY_CONNECTED", "SOFTMAX")


def random_network(
    seed: int,
    *,
    layers: int = 4,
    containing: str = "",
    float_borders: bool = False,
    per_channel: bool = True,
    dilation: bool = False,
) -> bytes:
    """A random int8 network as a .tflite: `layers` blocks of a body, then often FULLY_CONNECTED and SOFTMAX.

    The same arguments give the same bytes. The input is 3 to 12 wide and high and has 1 to 6 channels.
    layers:        at least 1.
    containing:    an operator that must be in it, by TFLite's name, e.g. "ADD".
    float_borders: float32 goes in and out, through QUANTIZE and DEQUANTIZE.
    per_channel:   whether convolutions have a scale an output channel.
    dilation:      whether convolutions may be dilated.
    Raises ValueError for an operator that no random network has, or too few layers.
    """
    if containing and containing not in (*_BODY, *_TAIL):
        raise ValueError(f"no random network contains {containing}; there are {', '.join((*_BODY, *_TAIL))}")
    if layers < 1:
        raise ValueError(f"a network has at least one layer, not {layers}")
    rng = np.random.RandomState(seed)  # its numbers stay the same from one release of numpy to the next
    shape = (3 + rng.randint(10), 3 + rng.randint(10), 1 + rng.randint(6))
    low, high = (0.0, 1.0) if rng.randint(2) else (-rng.uniform(0.1, 3.0), rng.uniform(0.1, 3.0))
    net = _Grower(rng, rng.uniform(low, high, (_CALIBRATION_INPUTS, *shape)), dilation)
    # Convolutions twice as often as the rest.
    kinds = [*_BODY, "CONV_2D"]
    plan = [kinds[rng.randint(len(kinds))] for _ in range(layers)]
    if containing in _BODY and containing not in plan:
        plan[rng.randint(layers)] = containing
    for kind in plan:
        _BODY[kind](net)
    if containing in _TAIL or rng.randint(3):
        _finish(net, softmax=containing == "SOFTMAX" or bool(rng.randint(2)))
    network = FloatNetwork(shape, tuple(net.nodes))
    return quantise(network, net.values[0], per_channel=per_channel, float_borders=float_borders)


def _finish(net: _Grower, softmax: bool) -> None:
    """Flatten, FULLY_CONNECTED and SOFTMAX, as classifiers end."""
    features = int(np.prod(net.last.shape[1:]))
    if net.below(2):
        net.append(Reshape((features,)))
    weights, bias = net.parameters((2 + net.below(10), features), features, 0)
    net.append(FullyConnected(weights, bias, net.activation() if not softmax else "NONE"))
    if softmax:
        net.append(Softmax())
