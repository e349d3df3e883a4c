"""The networks that were measured.

Some were published as files. Of others only the topology is known; cycles hardly depend on weights, so these are made
from their description with random ones. A layer is a word and its numbers:

    conv CHANNELS KERNEL STRIDE    SAME padding, ReLU
    max KERNEL STRIDE              max pooling, SAME
    mean                           the mean over height and width
    dense FEATURES                 fully connected
    softmax
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from approx_plugin.errors import SpecError
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier, Quantization, quantize_multiplier
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.geometry import SAME, VALID, Window
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.softmax import Softmax, differences_scaled_by
from approx_plugin.tflite.reader import read_graph
from approx_plugin.validation.measurements import Network

SEED = 5
RELU = (-128, 127)
"""A ReLU whose output has the zero point -128 clamps at nothing else than int8."""

WEIGHTS, SPREAD = 35.0, 50.0
"""Standard deviations: of int8 weights, and of a layer's results before its ReLU."""

SCALE = 0.05
"""Of every tensor but softmax's result."""


def network_graph(network: Network, models: Path | None) -> Graph:
    """The network to run. models: the folder of the files.

    Raises SpecError if the file is not there, or is another one than that which was measured.
    """
    if not network.file:
        return described(network)
    if models is None:
        raise SpecError(f"{network.title} needs {network.file}", hint="name its folder: --models DIR")
    path = models / network.file
    if not path.is_file():
        raise SpecError(f"{network.file} is not there", where=models, hint="it is MLPerf Tiny's reference model")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != network.sha256:
        raise SpecError(
            "this is not the model that was measured", where=path, why=f"sha256 {found}, not {network.sha256}"
        )
    return read_graph(path)


def described(network: Network) -> Graph:
    """The graph of a description. Raises ValueError for a layer that is none."""
    random = np.random.default_rng(SEED)
    tensor = _tensor(0, network.input)
    tensors, operators = [tensor], list[Operator]()
    for index, layer in enumerate(network.layers):
        word, *rest = layer.split()
        operator = _operator(random, index, tensor, word, [int(number) for number in rest])
        operators.append(operator)
        tensor = operator.output
        tensors.append(tensor)
    digest = hashlib.sha256(repr((network.input, network.layers)).encode()).hexdigest()
    return Graph(network.id, dict(enumerate(tensors)), tuple(operators), 0, len(operators), digest)


def _tensor(index: int, shape: Sequence[int]) -> Tensor:
    return Tensor(index, f"tensor_{index}", (1, *shape), "int8", Quantization((SCALE,), (-128,)))


def _operator(random: np.random.Generator, index: int, tensor: Tensor, word: str, numbers: list[int]) -> Operator:
    if word == "conv":
        return _convolution(random, index, tensor, *numbers)
    if word == "max":
        kernel, stride = numbers
        return _pool(MaxPool2D, index, tensor, (kernel, kernel), (stride, stride))
    if word == "mean":
        size = (tensor.shape[1], tensor.shape[2])
        return _pool(AveragePool2D, index, tensor, size, size)
    if word == "dense":
        return _dense(random, index, tensor, *numbers)
    if word == "softmax":
        return _softmax(index, tensor)
    raise ValueError(f"there is no layer '{word}'")


def _weights(random: np.random.Generator, shape: Sequence[int]) -> Int8Array:
    values: Int8Array = np.clip(np.rint(random.normal(0.0, WEIGHTS, tuple(shape))), -127, 127).astype(np.int8)
    return values


def _multiplier(tensor: Tensor, terms: int) -> Multiplier:
    """Requantisation that gives sums of `terms` products a standard deviation of SPREAD; a ReLU halves their square.

    The network's input is evenly distributed: root mean square 256 / sqrt(3) from its zero point.
    """
    magnitude = 256.0 / 3.0**0.5 if tensor.index == 0 else SPREAD / 2.0**0.5
    return quantize_multiplier(SPREAD / (magnitude * WEIGHTS * terms**0.5))


def _convolution(
    random: np.random.Generator, index: int, tensor: Tensor, channels: int, kernel: int, stride: int
) -> Conv2D:
    height, width, inputs = tensor.shape[1:]
    window = Window.resolve(SAME, (height, width), (kernel, kernel), (stride, stride))
    return Conv2D(
        index=index,
        name=f"conv2d_{index}",
        label=f"conv {index}",
        inputs=(tensor,),
        output=_tensor(index + 1, (*window.output, channels)),
        weights=_weights(random, (channels, kernel, kernel, inputs)),
        bias=random.integers(-3000, 3000, channels, dtype=np.int32),
        multipliers=(_multiplier(tensor, kernel * kernel * inputs),) * channels,
        stride=window.stride,
        padding=window.padding,
        activation_min=RELU[0],
        activation_max=RELU[1],
    )


def _pool(
    kind: type[MaxPool2D] | type[AveragePool2D],
    index: int,
    tensor: Tensor,
    kernel: tuple[int, int],
    stride: tuple[int, int],
) -> Operator:
    height, width, channels = tensor.shape[1:]
    window = Window.resolve(SAME if kind is MaxPool2D else VALID, (height, width), kernel, stride)
    return kind(
        index=index,
        name=f"pool_{index}",
        label=f"pool {index}",
        inputs=(tensor,),
        output=_tensor(index + 1, (*window.output, channels)),
        kernel=kernel,
        stride=stride,
        padding=window.padding,
        activation_min=RELU[0],
        activation_max=RELU[1],
    )


def _dense(random: np.random.Generator, index: int, tensor: Tensor, features: int) -> FullyConnected:
    return FullyConnected(
        index=index,
        name=f"fully_connected_{index}",
        label=f"dense {index}",
        inputs=(tensor,),
        output=_tensor(index + 1, (features,)),
        weights=_weights(random, (features, tensor.elements)),
        bias=random.integers(-3000, 3000, features, dtype=np.int32),
        multipliers=(_multiplier(tensor, tensor.elements),),
        rows=1,
        activation_min=RELU[0],
        activation_max=RELU[1],
    )


def _softmax(index: int, tensor: Tensor) -> Softmax:
    multiplier, difference_min = differences_scaled_by(tensor.scale)
    return Softmax(
        index=index,
        name=f"softmax_{index}",
        label="softmax",
        inputs=(tensor,),
        output=Tensor(index + 1, f"tensor_{index + 1}", tensor.shape, "int8", Quantization((1.0 / 256.0,), (-128,))),
        multiplier=multiplier,
        difference_min=difference_min,
    )
