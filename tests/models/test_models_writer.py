"""The writer: what it writes is what an interpreter and the reader see, for every operator, and for wrong models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
import tflite_oracle
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.errors import ApproxError, ErrorGroup, ModelError
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

RNG = np.random.RandomState(7)


def int8(*shape: int) -> Any:
    return RNG.randint(-127, 128, shape).astype(np.int8)


def int32(count: int) -> Any:
    return RNG.randint(-2000, 2000, count).astype(np.int32)


def one_layer(kind: str) -> bytes:
    builder = ModelBuilder()
    x = builder.input((1, 7, 5, 3), scale=0.02, zero_point=-5)
    if kind == "CONV_2D":
        scales = RNG.uniform(0.001, 0.01, 4)
        result = builder.conv2d(
            x, int8(4, 3, 2, 3), scales, int32(4), scale=0.1, zero_point=3, stride=(2, 1), activation="RELU6"
        )
    elif kind == "DEPTHWISE_CONV_2D":
        scales = RNG.uniform(0.001, 0.01, 6)
        result = builder.depthwise_conv2d(
            x, int8(1, 2, 3, 6), scales, int32(6), scale=0.05, zero_point=9, stride=(1, 2), padding="VALID"
        )
    elif kind == "FULLY_CONNECTED":
        result = builder.fully_connected(x, int8(6, 105), 0.004, int32(6), scale=0.2, activation="RELU")
    elif kind == "MAX_POOL_2D":
        result = builder.max_pool2d(x, (3, 2), stride=(2, 1), padding="SAME")
    elif kind == "AVERAGE_POOL_2D":
        result = builder.average_pool2d(x, (2, 3))
    elif kind == "ADD":
        pooled = builder.max_pool2d(x, (3, 3), stride=(1, 1), padding="SAME")
        result = builder.add(x, pooled, scale=0.05, zero_point=-20, activation="RELU")
    elif kind == "RESHAPE":
        result = builder.reshape(x, (1, -1, 5))
    elif kind == "SOFTMAX":
        result = builder.softmax(builder.reshape(x, (1, 105)), beta=2.0)
    else:
        result = builder.pad(x, [(0, 0), (1, 2), (0, 3), (0, 0)])
    builder.output(result)
    return builder.build()


KINDS = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "ADD",
    "RESHAPE",
    "SOFTMAX",
    "PAD",
)


def graph_of(content: bytes, folder: Path) -> Graph:
    path = folder / "net.tflite"
    path.write_bytes(content)
    return read_graph(path)


@pytest.mark.parametrize("kind", KINDS)
def test_interpreter_and_reader_compute_the_same_of_a_written_layer(kind: str, tmp_path: Path) -> None:
    content = one_layer(kind)
    graph = graph_of(content, tmp_path)
    assert kind in [operator.kind for operator in graph.operators]
    inputs = int8(5, 7, 5, 3)
    expected = tflite_oracle.outputs(content, inputs)
    # The interpreter works out the output's shape itself, from the options.
    assert expected.shape[1:] == graph.output_tensor.shape[1:]
    assert len(np.unique(expected)) > 10
    np.testing.assert_array_equal(run(graph, inputs), expected)


def test_written_constants_and_quantization_are_read_back(tmp_path: Path) -> None:
    weights, scales, bias = int8(4, 3, 3, 2), [0.25, 0.5, 0.125, 0.75], int32(4)
    builder = ModelBuilder()
    x = builder.input((1, 6, 6, 2), scale=0.5, zero_point=7, name="pixels")
    y = builder.conv2d(x, weights, scales, bias, scale=2.0, zero_point=-3, padding="VALID", name="first")
    builder.output(y)
    graph = graph_of(builder.build(), tmp_path)
    by_name = {tensor.name: tensor for tensor in graph.tensors.values()}
    assert by_name["pixels"].scale == 0.5 and by_name["pixels"].zero_point == 7
    assert by_name["first"].shape == (1, 4, 4, 4) and by_name["first"].zero_point == -3
    quantization = by_name["first/weights"].quantization
    assert quantization is not None and quantization.scale == tuple(scales) and quantization.axis == 0
    for name, values in {"first/weights": weights, "first/bias": bias}.items():
        stored = by_name[name].data
        assert stored is not None
        np.testing.assert_array_equal(stored, values)
    bias_quantization = by_name["first/bias"].quantization
    assert bias_quantization is not None and bias_quantization.scale == tuple(0.5 * s for s in scales)


def test_float_borders_through_quantize_and_dequantize(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.quantize(builder.input((1, 4, 4, 2), dtype="float32"), scale=1 / 64, zero_point=-20)
    builder.output(builder.dequantize(builder.max_pool2d(x, (2, 2))))
    content = builder.build()
    graph = graph_of(content, tmp_path)
    assert graph.float_input and graph.float_output and len(graph.operators) == 1
    real = RNG.randint(-108, 147, (3, 4, 4, 2)).astype(np.float32) / 64
    expected = real.reshape(3, 2, 2, 2, 2, 2).max(axis=(2, 4))
    np.testing.assert_array_equal(tflite_oracle.outputs(content, real), expected)


def test_dilated_convolution_in_the_interpreter() -> None:
    weights = np.zeros((1, 2, 2, 1), np.int8)
    weights[0, 1, 1, 0] = 1  # picks the pixel two rows down and three to the right
    builder = ModelBuilder()
    x = builder.input((1, 6, 7, 1), scale=1.0)
    bias = np.zeros(1, np.int32)
    builder.output(builder.conv2d(x, weights, 1.0, bias, scale=1.0, dilation=(2, 3), padding="VALID"))
    inputs = int8(1, 6, 7, 1)
    np.testing.assert_array_equal(tflite_oracle.outputs(builder.build(), inputs), inputs[:, 2:, 3:])


def test_buffers_are_aligned_in_the_file() -> None:
    content = one_layer("CONV_2D")
    model = tflite.Model.GetRootAs(content, 0)
    assert content[4:8] == b"TFL3" and model.Version() == 3
    lengths = []
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        field = table.Offset(4)
        if field:
            assert table.Vector(field) % 16 == 0
            lengths.append(table.VectorLen(field))
    assert lengths == [4 * 3 * 2 * 3, 4 * 4]


def test_same_calls_same_bytes_and_building_twice_changes_nothing() -> None:
    def build() -> tuple[bytes, bytes]:
        builder = ModelBuilder("twice")
        builder.output(builder.pad(builder.input((1, 2, 2, 1), scale=1.0), [(0, 0), (1, 1), (1, 1), (0, 0)]))
        return builder.build(), builder.build()

    first, second = build()
    assert first == second == build()[0]


# ---- wrong models: written as asked, refused by the reader


def test_unsupported_operator(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4), scale=0.1)
    y = builder.tensor((1, 4), scale=1 / 128, name="squashed")
    builder.operator("COS", [x], [y])
    builder.output(y)
    with pytest.raises(ModelError, match=r"COS \"squashed\""):
        graph_of(builder.build(), tmp_path)


def test_custom_operator_and_version() -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4), scale=0.1)
    y = builder.tensor((1, 4), scale=0.1)
    builder.operator("CUSTOM", [x, None], [y], custom_code="Mine", version=9)
    model = tflite.Model.GetRootAs(builder.build(), 0)
    code = model.OperatorCodes(0)
    assert (code.BuiltinCode(), code.CustomCode(), code.Version()) == (tflite.BuiltinOperator.CUSTOM, b"Mine", 9)
    assert list(model.Subgraphs(0).Operators(0).InputsAsNumpy()) == [0, -1]


def float_model(builder: ModelBuilder) -> None:
    x = builder.input((1, 4, 4, 1), dtype="float32")
    y = builder.tensor((1, 2, 2, 1), "float32")
    pool = {"Padding": 1, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}
    builder.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", pool))
    builder.output(y)


def dynamic_shape(builder: ModelBuilder) -> None:
    x = builder.input((1, 4, 4, 1), scale=0.1, shape_signature=(1, -1, -1, 1))
    builder.output(builder.max_pool2d(x, (2, 2)))


def two_subgraphs(builder: ModelBuilder) -> None:
    for name in ("main", "second"):
        if name != "main":
            builder.subgraph(name)
        builder.output(builder.max_pool2d(builder.input((1, 4, 4, 1), scale=0.1), (2, 2)))


def no_quantization(builder: ModelBuilder) -> None:
    x = builder.input((1, 4, 4, 1))
    builder.output(builder.conv2d(x, int8(1, 1, 1, 1), 0.1, int32(1), scale=0.1))


def short_buffer(builder: ModelBuilder) -> None:
    x = builder.input((1, 4), scale=0.1)
    target = builder.tensor((2,), "int32", data=b"\1\0\0")
    y = builder.tensor((2, 2), scale=0.1)
    builder.operator("RESHAPE", [x, target], [y], Options("ReshapeOptions", {}))
    builder.output(y)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (float_model, "float32"),
        (dynamic_shape, r"dynamic shape \[1, -1, -1, 1\]"),
        (two_subgraphs, "2 subgraphs"),
        (no_quantization, "quanti"),
        (short_buffer, "3 bytes"),
    ],
)
def test_wrong_models_are_written_as_asked_and_refused(write: Any, message: str, tmp_path: Path) -> None:
    builder = ModelBuilder()
    write(builder)
    with pytest.raises(ApproxError) as caught:
        graph_of(builder.build(), tmp_path)
    assert isinstance(caught.value, (ModelError, ErrorGroup))
    assert re.search(message, str(caught.value))
