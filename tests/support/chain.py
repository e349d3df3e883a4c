"""A network of three convolutions and 4 classes, images for it, and candidates without the smallest weights."""

from __future__ import annotations

import numpy as np

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import single
from approx_plugin.approximation.skipping import made
from approx_plugin.dataset import Dataset
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization, quantize_multiplier
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.conv2d import Conv2D, Padding

LAYERS = ((3, 6), (3, 8), (4, 4))
"""(kernel, output channels) of each."""


def activation(index: int, shape: tuple[int, ...]) -> Tensor:
    return Tensor(index, f"t{index}", (1, *shape), "int8", Quantization((0.02,), (-10,)))


def network() -> Graph:
    rng = np.random.default_rng(11)
    size, channels = 8, 2
    tensors = {0: activation(0, (size, size, channels))}
    operators = []
    for index, (kernel, filters) in enumerate(LAYERS):
        size = size - kernel + 1
        tensors[index + 1] = activation(index + 1, (size, size, filters))
        weights = rng.integers(-127, 128, (filters, kernel, kernel, channels), dtype=np.int8)
        operators.append(
            Conv2D(
                index=index,
                name=f"conv2d_{index}",
                label=f"layer {index}",
                inputs=(tensors[index],),
                output=tensors[index + 1],
                weights=weights,
                bias=rng.integers(-500, 500, filters, dtype=np.int32),
                multipliers=(quantize_multiplier(0.01 / np.sqrt(weights[0].size)),) * filters,
                stride=(1, 1),
                padding=Padding(0, 0, 0, 0),
                activation_min=-128,
                activation_max=127,
            )
        )
        channels = filters
    return Graph("chain", tensors, tuple(operators), 0, len(LAYERS), "ab" * 32)


def dataset(count: int, seed: int = 5) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset("random", rng.integers(-128, 128, (count, 8, 8, 2), dtype=np.int8), rng.integers(0, 4, count))


def thinned(graph: Graph, layer: int, share: float) -> Candidate:
    """Without the smallest weights of a layer."""
    conv = graph.operators[layer]
    assert isinstance(conv, Conv2D)
    magnitude = np.abs(conv.weights.astype(int))
    kept = (magnitude > np.quantile(magnitude, share)) & (magnitude > 0)
    return made(conv, share, single(TAPS, conv), np.where(kept, conv.weights, np.int8(0)), TAPS.bias(conv))
