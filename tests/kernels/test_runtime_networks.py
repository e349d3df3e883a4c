"""Networks of everyday forms that need our own runtime, on an emulated core, against the integer reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arm_call import portable_subset, run_program
from layer_cases import graph_of
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program
from approx_plugin.model.graph import Graph
from approx_plugin.reference import executor

Maker = Callable[[ModelBuilder], Any]
NETWORKS: dict[str, Maker] = {}
RNG = np.random.RandomState(3)


def network(maker: Maker) -> Maker:
    NETWORKS[maker.__name__] = maker
    return maker


def weights(*shape: int) -> Any:
    return RNG.randint(-127, 128, shape).astype(np.int8)


def conv(b: ModelBuilder, x: Any, channels: int, kernel: int = 3, **more: Any) -> Any:
    shape = (channels, kernel, kernel, x.shape[3])
    scale = float(x.scale[0]) * 0.01 * 75 * 75 * kernel * np.sqrt(x.shape[3]) / 64
    bias = np.zeros(channels, np.int32)
    return b.conv2d(x, weights(*shape), np.full(channels, 0.01), bias, scale=scale, zero_point=-100, **more)


def dense(b: ModelBuilder, x: Any, classes: int) -> Any:
    features = int(np.prod(x.shape))
    scale = float(x.scale[0] * 0.01 * 75 * 75 * np.sqrt(features) / 16)
    return b.fully_connected(x, weights(classes, features), 0.01, np.zeros(classes, np.int32), scale=scale)


def mean(b: ModelBuilder, x: Any, keep: bool = False) -> Any:
    shape = (1, 1, 1, x.shape[3]) if keep else (1, x.shape[3])
    options = Options("ReducerOptions", {"KeepDims": keep})
    scale = float(np.float32(x.scale[0] * 0.8))
    return b.layer("MEAN", [x, b.numbers([1, 2])], shape, scale=scale, zero_point=-120, options=options)


@network
def global_average(b: ModelBuilder) -> Any:
    return mean(b, b.input((1, 9, 7, 13), 0.1, -128))


@network
def tail_of_mobilenet_v2(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 7, 7, 8), 0.01, -128), 18, 1, activation="RELU6")
    return dense(b, mean(b, x), 10)


@network
def two_branches_side_by_side(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 8, 8, 3), 0.1, 3), 5)
    one, other = (
        b.max_pool2d(x, (3, 3), stride=(1, 1), padding="SAME"),
        b.average_pool2d(x, (3, 3), stride=(1, 1), padding="SAME"),
    )
    options = Options("ConcatenationOptions", {"Axis": 3})
    joined = b.layer("CONCATENATION", [one, x, other], (1, 8, 8, 15), options=options)
    return conv(b, joined, 4, 1)


@network
def normalised_input(b: ModelBuilder) -> Any:
    """Batch normalisation that does not fold: a factor and a summand for each channel."""
    x = b.input((1, 6, 6, 5), 0.1, -128)
    factors = b.tensor((5,), scale=0.02, zero_point=-3, data=weights(5))
    x = b.layer("MUL", [x, factors], x.shape, scale=0.2, zero_point=1, options=Options("MulOptions", {}))
    summands = b.tensor((1, 1, 1, 5), scale=0.05, zero_point=8, data=weights(1, 1, 1, 5))
    x = b.layer("SUB", [x, summands], x.shape, scale=0.3, zero_point=-7, options=Options("SubOptions", {}))
    number = b.tensor((), scale=0.3, data=np.array(90, np.int8))
    return conv(b, b.layer("ADD", [x, number], x.shape, scale=0.4, options=Options("AddOptions", {})), 4)


@network
def squeeze_and_excitation(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 6, 5, 4), 0.1, -128), 6)
    gate = conv(b, mean(b, x, keep=True), 6, 1)
    gate = b.layer("LOGISTIC", [gate], gate.shape, scale=1 / 256, zero_point=-128)
    return b.layer("MUL", [gate, x], x.shape, scale=x.scale[0] / 2, options=Options("MulOptions", {}))


@network
def hard_swish(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 5, 5, 3), 0.02, -128), 4)
    return dense(b, b.layer("HARD_SWISH", [x], x.shape, scale=x.scale[0], zero_point=-90), 3)


@network
def upsampled(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 4, 3, 2), 0.1, -5), 6)
    options = Options("ResizeNearestNeighborOptions", {"HalfPixelCenters": True})
    return conv(b, b.layer("RESIZE_NEAREST_NEIGHBOR", [x, b.numbers([8, 6])], (1, 8, 6, 6), options=options), 3)


@network
def cut_and_turned(b: ModelBuilder) -> Any:
    x = b.input((1, 8, 9, 4), 0.1, 2)
    places = [b.numbers(values) for values in ([0, 1, 0, 0], [1, 8, 9, 4], [1, 2, 3, 1])]
    x = b.layer("STRIDED_SLICE", [x, *places], (1, 4, 3, 4), options=Options("StridedSliceOptions", {}))
    x = b.layer("TRANSPOSE", [x, b.numbers([0, 2, 1, 3])], (1, 3, 4, 4))
    return b.pad(x, [(0, 0), (1, 0), (0, 2), (1, 1)])


@network
def flatten_of_an_open_batch(b: ModelBuilder) -> Any:
    x = b.input((1, 6, 6, 2), 0.1, shape_signature=(-1, 6, 6, 2))
    x = b.max_pool2d(x, (2, 2))
    shape, batch = b.tensor((4,), "int32"), b.tensor((), "int32")
    b.operator("SHAPE", [x], [shape])
    ends = [b.numbers(values) for values in ([0], [1], [1])]
    b.operator("STRIDED_SLICE", [shape, *ends], [batch], Options("StridedSliceOptions", {"ShrinkAxisMask": 1}))
    target = b.tensor((2,), "int32")
    b.operator("PACK", [batch, b.numbers(np.array(-1))], [target], Options("PackOptions", {"ValuesCount": 2}))
    return dense(b, b.layer("RESHAPE", [x, target], (1, 18)), 4)


@network
def dilated_and_grouped(b: ModelBuilder) -> Any:
    x = conv(b, b.input((1, 9, 8, 4), 0.1, -128), 6, dilation=(2, 3))
    filters, bias = weights(4, 3, 3, 3), np.zeros(4, np.int32)
    x = b.conv2d(x, filters, np.full(4, 0.01), bias, scale=3.0 * x.scale[0], stride=(2, 1))
    depthwise = weights(1, 3, 3, 4)
    return b.depthwise_conv2d(x, depthwise, np.full(4, 0.01), bias, scale=2.0 * x.scale[0], dilation=(2, 2))


@network
def split_and_swapped(b: ModelBuilder) -> Any:
    x = b.input((1, 4, 6), 0.1, 2)
    parts = [b.tensor((1, 4, 3), scale=x.scale[0], zero_point=2) for _ in range(2)]
    b.operator("SPLIT", [b.numbers(np.array(2)), x], parts, Options("SplitOptions", {"NumSplits": 2}))
    options = Options("ConcatenationOptions", {"Axis": 2})
    return b.layer("CONCATENATION", parts[::-1], (1, 4, 6), options=options)


@network
def two_heads(b: ModelBuilder) -> Any:
    """An inner tensor is an output, too; one output comes twice, one is a view of another."""
    x = conv(b, b.input((1, 6, 5, 3), 0.1, 3), 5)
    pooled = b.average_pool2d(x, (3, 3))
    return [dense(b, x, 4), pooled, b.reshape(pooled, (1, 10)), x, x]


@network
def two_inputs(b: ModelBuilder) -> Any:
    """One of them is an output as it is."""
    one, other = b.input((1, 6, 5, 3), 0.1, 3, name="one"), b.input((1, 5, 3), 0.2, -3, name="other")
    options = Options("AddOptions", {})
    return [other, b.layer("ADD", [conv(b, one, 3), other], (1, 6, 5, 3), scale=0.4, options=options)]


@network
def names_longer_than_a_line(b: ModelBuilder) -> Any:
    """As converters join them: the header's macros still end with their lines."""
    name = ";".join(["sequential/quantize_layer/AllValuesQuantize/FakeQuantWithMinMaxVars, and more"] * 3)
    return conv(b, b.input((1, 4, 4, 3), 0.1, 3, name=name), 2, name=name)


def lowered(graph: Graph, core: str) -> Program:
    platform = Platform(core, True, "assembly")
    offers = Market(platform, estimated(platform), None).offers(graph)
    choice = choose(graph, offers.offers, {FLASH: 8 << 20, RAM: 4 << 20})
    assert choice is not None and choice.fits
    return lower(graph, [offer.plan for offer in choice.steps], platform, graph.macs, graph.macs)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_networks_that_need_the_runtime(name: str, tmp_path: Path) -> None:
    builder = ModelBuilder()
    made = NETWORKS[name](builder)
    builder.output(*(made if isinstance(made, list) else [made]))
    graph = graph_of(builder.build())
    program = lowered(graph, "cortex-m4")
    inputs = np.random.default_rng(7).integers(-128, 128, (3, *graph.input_shape), dtype=np.int8)
    answers = run_program(program, tmp_path, "cortex-m4", inputs, portable_subset())
    expected = executor.run(graph, inputs)
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(answers, expected)
