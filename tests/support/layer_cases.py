"""Random networks of one layer, as hypothesis strategies: the .tflite, an input, and what the naive reference says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import naive
import numpy as np
from hypothesis import strategies as st
from tflite_writer import ModelBuilder

from approx_plugin.model.graph import Graph
from approx_plugin.tflite.reader import read_graph

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """content: the file; inputs: int8 [2, ...]; expected: outputs by the naive reference, None where it has none.

    for_tflite: the same network in a form that tflite_runtime runs (its convolutions insist on a bias).
    """

    content: bytes
    inputs: Any
    expected: Any
    for_tflite: bytes


def graph_of(content: bytes) -> Graph:
    """What the reader makes of a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.tflite"
        path.write_bytes(content)
        return read_graph(path)


def _case(builder: ModelBuilder, inputs: Any, expected: Any) -> Case:
    content = builder.build()
    return Case(content, inputs, expected, content)


def _numbers(draw: Any) -> np.random.RandomState:
    return np.random.RandomState(draw(st.integers(0, 2**32 - 1)))


def _int8(rng: np.random.RandomState, *shape: int) -> Any:
    return rng.randint(-128, 128, shape).astype(np.int8)


def _scale(draw: Any) -> float:
    return float(np.float32(draw(st.floats(0.001, 0.5))))


def _zero_point(draw: Any) -> int:
    return int(draw(st.sampled_from((-128, 127, 0)) | st.integers(-128, 127)))


def _sliding(draw: Any, largest: int = 5) -> dict[str, Any]:
    """Input extent, window, stride and padding that give at least one output."""
    padding = draw(st.sampled_from(("SAME", "VALID")))
    window = (draw(st.integers(1, largest)), draw(st.integers(1, largest)))
    low = (1, 1) if padding == "SAME" else window
    extent = (draw(st.integers(low[0], 9)), draw(st.integers(low[1], 9)))
    return {
        "extent": extent,
        "window": window,
        "stride": (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        "padding": padding,
    }


def _product_layer(draw: Any, depth: int, channels: int, per_channel: bool) -> dict[str, Any]:
    """Scales, bias and so on for sums of `depth` products: the outputs spread over int8."""
    rng = _numbers(draw)
    source, weight = _scale(draw), rng.uniform(0.001, 0.05, channels if per_channel else 1).astype(np.float32)
    spread = float(draw(st.sampled_from((0.2, 1.0, 4.0))))
    result = float(np.float32(source * weight.mean() * 75 * 75 * np.sqrt(depth) / 64 * spread))
    return {
        "rng": rng,
        "source": source,
        "weight": weight,
        "result": result,
        "zero_points": (_zero_point(draw), _zero_point(draw)),
        "bias": rng.randint(-5000, 5000, channels).astype(np.int32) if draw(st.booleans()) else None,
        "activation": draw(st.sampled_from(ACTIVATIONS)),
    }


@st.composite
def conv2d(draw: Any) -> Case:
    place = _sliding(draw)
    channels, out = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    depth = place["window"][0] * place["window"][1] * channels
    layer = _product_layer(draw, depth, out, per_channel=draw(st.booleans()))
    weights = layer["rng"].randint(-127, 128, (out, *place["window"], channels)).astype(np.int8)
    return _convolution("conv2d", place, layer, weights, channels, out)


@st.composite
def depthwise_conv2d(draw: Any) -> Case:
    place = _sliding(draw)
    channels, multiple = draw(st.integers(1, 6)), draw(st.sampled_from((1, 1, 2, 3, 4, 8)))
    layer = _product_layer(
        draw, place["window"][0] * place["window"][1], channels * multiple, per_channel=draw(st.booleans())
    )
    weights = layer["rng"].randint(-127, 128, (1, *place["window"], channels * multiple)).astype(np.int8)
    return _convolution("depthwise_conv2d", place, layer, weights, channels, channels * multiple)


def _convolution(
    kind: str, place: dict[str, Any], layer: dict[str, Any], weights: Any, channels: int, out: int
) -> Case:
    shape = (1, *place["extent"], channels)
    source, weight, result, zero_points = (layer[k] for k in ("source", "weight", "result", "zero_points"))
    zeros = np.zeros(out, dtype=np.int32)

    def content(bias: Any) -> bytes:
        builder = ModelBuilder()
        y = getattr(builder, kind)(
            builder.input(shape, source, zero_points[0]),
            weights,
            weight,
            bias,
            scale=result,
            zero_point=zero_points[1],
            stride=place["stride"],
            padding=place["padding"],
            activation=layer["activation"],
        )
        builder.output(y)
        return builder.build()

    bias = zeros if layer["bias"] is None else layer["bias"]
    inputs = _int8(layer["rng"], 2, *shape[1:])
    scales = np.broadcast_to(weight, out).tolist()
    expected = [
        getattr(naive, kind)(
            values,
            weights,
            bias,
            [naive.multiplier(source * scale / result) for scale in scales],
            stride=place["stride"],
            padding=place["padding"],
            zero_points=zero_points,
            limits=naive.activation_limits(layer["activation"], result, zero_points[1]),
        )
        for values in inputs
    ]
    return Case(content(layer["bias"]), inputs, np.stack(expected), content(bias))


@st.composite
def fully_connected(draw: Any) -> Case:
    shape = draw(st.sampled_from(((1, 7), (1, 3, 5), (1, 2, 3, 4), (1, 1, 1, 33))))
    depth, out = int(np.prod(shape)), draw(st.integers(1, 9))
    per_channel = draw(st.booleans())
    layer = _product_layer(draw, depth, out, per_channel)
    weights = layer["rng"].randint(-127, 128, (out, depth)).astype(np.int8)
    source, weight, result, zero_points = (layer[k] for k in ("source", "weight", "result", "zero_points"))
    builder = ModelBuilder()
    x = builder.input(shape, source, zero_points[0])
    y = builder.fully_connected(
        x, weights, weight, layer["bias"], scale=result, zero_point=zero_points[1], activation=layer["activation"]
    )
    builder.output(y)
    if len(weight) > 1:
        factors = [naive.multiplier(source * scale / result) for scale in weight.tolist()]
    else:  # TensorFlow Lite multiplies the scales of this form in float32.
        factors = [naive.multiplier(float(np.float32(source) * weight[0]) / result)] * out
    inputs = _int8(layer["rng"], 2, *shape[1:])
    expected = [
        naive.fully_connected(
            values,
            weights,
            np.zeros(out, int) if layer["bias"] is None else layer["bias"],
            factors,
            zero_points=zero_points,
            limits=naive.activation_limits(layer["activation"], result, zero_points[1]),
        )
        for values in inputs
    ]
    return _case(builder, inputs, np.stack(expected))


@st.composite
def pool2d(draw: Any, kind: str) -> Case:
    place, rng = _sliding(draw), _numbers(draw)
    shape = (1, *place["extent"], draw(st.integers(1, 6)))
    scale, zero_point, activation = _scale(draw), _zero_point(draw), draw(st.sampled_from(ACTIVATIONS))
    builder = ModelBuilder()
    x = builder.input(shape, scale, zero_point)
    y = getattr(builder, kind)(
        x, place["window"], stride=place["stride"], padding=place["padding"], activation=activation
    )
    builder.output(y)
    inputs = _int8(rng, 2, *shape[1:])
    limits = naive.activation_limits(activation, scale, zero_point)
    function = getattr(naive, kind)
    expected = [function(values, place["window"], place["stride"], place["padding"], limits) for values in inputs]
    return _case(builder, inputs, np.stack(expected))


@st.composite
def add(draw: Any) -> Case:
    """The second tensor is the first one through a diagonal 1x1 convolution with a scale of its own."""
    rng = _numbers(draw)
    shape = (1, draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 5)))
    scales = (_scale(draw), _scale(draw), _scale(draw))
    zero_points = (_zero_point(draw), _zero_point(draw), _zero_point(draw))
    weights = np.eye(shape[3], dtype=np.int8).reshape(shape[3], 1, 1, shape[3]) * np.int8(127)
    activation = draw(st.sampled_from(ACTIVATIONS))
    builder = ModelBuilder()
    x = builder.input(shape, scales[0], zero_points[0])
    weight = scales[1] / scales[0] / 100
    zeros = np.zeros(shape[3], dtype=np.int32)
    other = builder.conv2d(x, weights, weight, zeros, scale=scales[1], zero_point=zero_points[1])
    y = builder.add(x, other, scale=scales[2], zero_point=zero_points[2], activation=activation)
    builder.output(y)
    inputs = _int8(rng, 2, *shape[1:])
    factors = [naive.multiplier(scales[0] * float(np.float32(weight)) / scales[1])] * shape[3]
    limits = naive.activation_limits(activation, scales[2], zero_points[2])
    expected = []
    for values in inputs:
        second = naive.conv2d(
            values,
            weights,
            [0] * shape[3],
            factors,
            stride=(1, 1),
            padding="SAME",
            zero_points=zero_points[:2],
            limits=(-128, 127),
        )
        expected.append(naive.add(values, second, scales, zero_points, limits))
    return _case(builder, inputs, np.stack(expected))


@st.composite
def softmax(draw: Any) -> Case:
    shape = draw(st.sampled_from(((1, 2), (1, 10), (1, 3, 5), (1, 1000))))
    builder = ModelBuilder()
    x = builder.input(shape, _scale(draw), _zero_point(draw))
    builder.output(builder.softmax(x, beta=draw(st.sampled_from((1.0, 0.5, 2.0)))))
    return _case(builder, _int8(_numbers(draw), 2, *shape[1:]), None)


@st.composite
def pad(draw: Any) -> Case:
    shape = (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    amounts = [(0, 0), *((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(2)), (0, 0)]
    zero_point = _zero_point(draw)
    builder = ModelBuilder()
    builder.output(builder.pad(builder.input(shape, _scale(draw), zero_point), amounts))
    inputs = _int8(_numbers(draw), 2, *shape[1:])
    return _case(builder, inputs, np.pad(inputs, amounts, constant_values=zero_point))


STRATEGIES = {
    "conv2d": conv2d(),
    "depthwise_conv2d": depthwise_conv2d(),
    "fully_connected": fully_connected(),
    "max_pool2d": pool2d("max_pool2d"),
    "average_pool2d": pool2d("average_pool2d"),
    "add": add(),
    "softmax": softmax(),
    "pad": pad(),
}
"""Kind of layer -> its cases."""
