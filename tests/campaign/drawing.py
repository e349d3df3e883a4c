"""Random networks of many operators, with numbers at the ends of what they may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from tflite_format import Tensor

from tests.campaign import elements, maps
from tests.campaign.grower import MOST_ELEMENTS, Grower, Int8

Layer = Callable[[Grower], Tensor]

OVER_MAPS: Mapping[Layer, int] = MappingProxyType(
    {
        maps.conv2d: 8,
        maps.square: 4,
        maps.depthwise_conv2d: 4,
        maps.grouped: 1,
        maps.transpose_conv: 1,
        maps.max_pool2d: 2,
        maps.average_pool2d: 2,
        maps.pad: 2,
        maps.residual: 3,
        maps.resize: 1,
        maps.space_to_depth: 1,
        maps.depth_to_space: 1,
    }
)
"""Layer -> how often it is drawn: those with kernels of our own most often."""

ANYWHERE: Mapping[Layer, int] = MappingProxyType(
    {
        elements.function: 3,
        elements.binary: 3,
        elements.fully_connected: 3,
        elements.softmax: 1,
        elements.reduction: 1,
        elements.transpose: 1,
        elements.reshape: 1,
        elements.strided_slice: 1,
        elements.concatenation: 1,
        elements.split: 1,
        elements.gather: 1,
        elements.tile: 1,
        elements.reverse: 1,
        elements.padded: 1,
    }
)

VECTORS = 4
"""Inputs of a network: both ends of int8, and random ones."""


@dataclass(frozen=True, eq=False)
class Network:
    """content: the .tflite; inputs: int8 [VECTORS, *shape without the batch]."""

    content: bytes
    inputs: Int8


def draw_network(seed: int, number: int) -> Network:
    """The network of this number; it depends on nothing but the two."""
    rng = np.random.default_rng((seed, number))
    net = Grower(rng)
    shape = net.last.shape
    for _ in range(int(rng.integers(1, 8))):
        _append(net)
    net.builder.output(net.last)
    inputs = rng.integers(-128, 128, (VECTORS, *shape[1:])).astype(np.int8)
    inputs[0], inputs[1] = -128, 127
    return Network(net.builder.build(), inputs)


def _append(net: Grower) -> None:
    """One more layer. Where the map has become large, it is made smaller."""
    is_map = len(net.last.shape) == 4
    kinds = {**OVER_MAPS, **ANYWHERE} if is_map else ANYWHERE
    elements_now = int(np.prod(net.last.shape))
    if elements_now > MOST_ELEMENTS // 8:
        shrinking = (
            (maps.conv2d, maps.square, maps.max_pool2d, maps.average_pool2d) if is_map else (elements.fully_connected,)
        )
        kinds = dict.fromkeys((*shrinking, elements.fully_connected), 1)
    weights = np.array(list(kinds.values()), float)
    layer = list(kinds)[int(net.rng.choice(len(kinds), p=weights / weights.sum()))]
    made = layer(net)
    net.grow(made if len(made.shape) > 1 else net.builder.reshape(made, (1, *made.shape)))
