"""What a plan says of the products that its code leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from networks import conv_graph

from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.model.quantization import quantize_multiplier
from approx_plugin.operators.conv2d import Conv2D

PLATFORM = Platform("cortex-m33", True, "assembly")


def odd() -> Conv2D:
    """Stride 2, VALID, asymmetric; channel 1 puts out the same for every input, channel 2 has weights of 0."""
    rng = np.random.default_rng(3)
    graph = conv_graph(
        rng, size=(9, 7), channels=(3, 4), kernel=(3, 2), stride=(2, 1), same=False, zero_points=(5, -11)
    )
    (conv,) = graph.operators
    assert isinstance(conv, Conv2D)
    weights = np.where(conv.weights == 0, np.int8(1), conv.weights)
    weights[2, 0] = 0
    multipliers = list(conv.multipliers)
    multipliers[1] = quantize_multiplier(2.0**-21)
    return replace(conv, weights=weights, multipliers=tuple(multipliers))


def test_products_add_up() -> None:
    conv = odd()
    _, height, width, channels = conv.output.shape
    per_channel = conv.macs // channels
    for plan in KERNELS["unpacked"].plans((conv,), PLATFORM):
        assert plan.constant_products == per_channel == height * width * 18
        zeros = height * width * conv.weights[2, 0].size
        assert plan.macs + plan.constant_products + zeros == conv.macs
    for plan in KERNELS["cmsis_nn"].plans((conv,), PLATFORM):
        assert (plan.macs, plan.constant_products) == (conv.macs, 0)
