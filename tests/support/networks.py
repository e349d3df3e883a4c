"""Small networks for kernel tests, made from the dataclasses."""

from __future__ import annotations

import numpy as np

from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization, quantize_multiplier
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.conv2d import Conv2D, Padding


def activation(index: int, shape: tuple[int, ...], scale: float, zero_point: int) -> Tensor:
    """An int8 activation."""
    return Tensor(index, f"t{index}", (1, *shape), "int8", Quantization((scale,), (zero_point,)))


def same_padding(extent: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and behind as TensorFlow's SAME does it."""
    total = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
    return total // 2, total - total // 2


def conv_graph(
    rng: np.random.Generator,
    *,
    size: tuple[int, int],
    channels: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    same: bool = True,
    zero_points: tuple[int, int] = (-128, -128),
    limits: tuple[int, int] = (-128, 127),
    density: float = 1.0,
    gain: float = 1.0,
) -> Graph:
    """A network of one convolution whose outputs spread over the int8 range.

    density: share of weights that are not zero; gain: factor on the requantisation multiplier (> 1 saturates).
    """
    in_c, out_c = channels
    weights = rng.integers(-127, 128, (out_c, *kernel, in_c), dtype=np.int8)
    weights[rng.random(weights.shape) >= density] = 0
    bias = rng.integers(-3000, 3000, out_c, dtype=np.int32)
    pads = [same_padding(e, k, s) if same else (0, 0) for e, k, s in zip(size, kernel, stride)]
    out = tuple((e + sum(p) - k) // s + 1 for e, k, s, p in zip(size, kernel, stride, pads))
    spread = 70.0 * 75.0 * np.sqrt(max(1.0, weights[0].size * density))
    multipliers = tuple(
        quantize_multiplier(float(gain * 50.0 / spread * 2.0 ** rng.uniform(-2, 2))) for _ in range(out_c)
    )
    source = activation(0, (*size, in_c), 0.02, zero_points[0])
    target = activation(1, (*out, out_c), 0.03, zero_points[1])
    conv = Conv2D(
        index=0,
        name="conv2d_0",
        label="conv",
        inputs=(source,),
        output=target,
        weights=weights,
        bias=bias,
        multipliers=multipliers,
        stride=stride,
        padding=Padding(pads[0][0], pads[1][0], pads[0][1], pads[1][1]),
        activation_min=limits[0],
        activation_max=limits[1],
    )
    return Graph("conv", {0: source, 1: target}, (conv,), 0, 1, "0" * 64)


def lowered_by(graph: Graph, kernel: str, core: str = "cortex-m4", backend: str = "assembly") -> Program:
    """The program in which one kernel computes everything."""
    platform = Platform(core, True, backend)
    return lower(graph, covered_by(graph, KERNELS[kernel], platform), platform, graph.macs, graph.macs)


def preferring(
    graph: Graph, kernel: str, core: str = "cortex-m4", backend: str = "assembly", names: Names = UNNAMED
) -> Program:
    """The program in which one kernel computes all that it can, in memories as large as the emulated ones."""
    platform = Platform(core, True, backend)
    offers = Market(platform, estimated(platform), kernel).offers(graph)
    choice = choose(graph, offers.offers, {FLASH: 8 << 20, RAM: 4 << 20})
    assert choice is not None and choice.fits
    return lower(graph, [offer.plan for offer in choice.steps], platform, graph.macs, graph.macs, names)
