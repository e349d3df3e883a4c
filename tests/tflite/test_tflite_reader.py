"""What the reader makes of valid files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization, quantize_multiplier
from approx_plugin.operators.conv2d import Conv2D, Padding
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fully_connected import FullyConnected
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.softmax import Softmax
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

MODELS = {
    # name: (multiply-accumulates, weights, operators without conversions at the borders)
    "digits_cnn": (23_680, 1_864, 6),
    "cifar10_lenet": (4_548_608, 122_336, 8),
    "cifar10_lenet_plain": (4_548_608, 122_336, 8),
    "cifar10_alexnet": (16_020_864, 286_560, 10),
    "cifar10_alexnet_plain": (16_020_864, 286_560, 10),
    "cifar10_dscnn": (10_927_680, 73_920, 15),
    "published_lenet_cifar10": (4_548_608, 122_336, 8),
    "mlperf_tiny_ic_resnet8": (12_501_632, 77_360, 16),
    "mlperf_tiny_kws_dscnn": (2_656_768, 22_016, 13),
    "mlperf_tiny_vww_mobilenet": (7_489_664, 208_112, 31),
    "mlperf_tiny_ad_autoencoder": (264_192, 264_192, 10),
}


def saved(builder: ModelBuilder, folder: Path, name: str = "net.tflite") -> Graph:
    path = folder / name
    path.write_bytes(builder.build())
    return read_graph(path)


def weights(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 250 - 125).astype(np.int8).reshape(shape)


@pytest.mark.parametrize("name", list(MODELS))
def test_real_models(model_file: Callable[[str], Path], name: str) -> None:
    path = model_file(name)
    graph = read_graph(path)
    macs, parameters, count = MODELS[name]
    assert graph.name == name
    assert graph.macs == macs
    assert sum(op.weights.size for op in graph.operators if hasattr(op, "weights")) == parameters
    assert len(graph.operators) == count
    assert graph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [op.index for op in graph.operators] == list(range(count))
    assert len({op.name for op in graph.operators}) == count
    assert graph.float_input == graph.float_output == name.startswith("published")
    assert graph.input_tensor.dtype == graph.output_tensor.dtype == "int8"


def test_a_convolution_in_detail(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 7, 6, 3), scale=0.5, zero_point=-128)
    y = builder.conv2d(
        x,
        weights(2, 3, 2, 3),
        [0.25, 0.125],
        np.array([70, -7], dtype=np.int32),
        scale=2.0,
        zero_point=5,
        stride=(2, 3),
        activation="RELU6",
        name="first",
    )
    builder.output(y)
    graph = saved(builder, tmp_path)
    (conv,) = graph.operators
    assert isinstance(conv, Conv2D)
    assert (conv.kind, conv.index, conv.name, conv.label) == ("CONV_2D", 0, "conv2d_0", "first")
    assert conv.inputs[0] is graph.input_tensor and conv.output is graph.output_tensor
    np.testing.assert_array_equal(conv.weights, weights(2, 3, 2, 3))
    assert conv.bias.tolist() == [70, -7]
    assert conv.multipliers == (quantize_multiplier(0.0625), quantize_multiplier(0.03125))
    assert (conv.kernel, conv.stride, conv.padding) == ((3, 2), (2, 3), Padding(1, 0, 1, 0))
    assert (conv.activation_min, conv.activation_max) == (5, 8)
    assert (conv.input_shape, conv.output_shape) == ((7, 6, 3), (4, 2, 2))
    assert (conv.in_channels, conv.out_channels) == (3, 2)
    assert (conv.input_zero_point, conv.output_zero_point) == (-128, 5)
    assert conv.macs == 4 * 2 * 2 * 3 * 2 * 3
    assert conv.parameter_bytes == 36 + 8
    assert not conv.weights.flags.writeable and not conv.bias.flags.writeable
    assert graph.tensors[x.index].quantization == Quantization((0.5,), (-128,), None)


def test_with_constants_leaves_the_original_alone(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), scale=1.0)
    builder.output(builder.conv2d(x, weights(1, 3, 3, 1), 0.01, np.array([9], np.int32), scale=1.0))
    graph = saved(builder, tmp_path)
    (conv,) = graph.operators
    assert isinstance(conv, Conv2D)
    values = weights(1, 4, 4, 1)
    before = conv.compute([values])
    changed = conv.with_constants(np.zeros_like(conv.weights), conv.bias)
    assert changed.compute([values]).tolist() == [[[[0]] * 4] * 4]
    np.testing.assert_array_equal(conv.compute([values]), before)
    assert graph.with_operators({0: changed}).operators == (changed,)


def test_defaults_and_other_forms(tmp_path: Path) -> None:
    """Missing bias, depth multiplier, per-channel and per-tensor weights, flattened input, names."""
    builder = ModelBuilder()
    x = builder.input((1, 6, 6, 2), scale=0.1)
    x = builder.depthwise_conv2d(x, weights(1, 3, 3, 6), 0.01, None, scale=0.3, padding="VALID")
    x = builder.max_pool2d(x, (2, 2), activation="RELU_N1_TO_1")
    x = builder.fully_connected(x, weights(5, 24), [0.01, 0.02, 0.03, 0.04, 0.05], None, scale=0.4)
    x = builder.softmax(x, beta=2.0)
    builder.output(x)
    graph = saved(builder, tmp_path, "2nd Net-v1.5.tflite")
    depthwise, pool, dense, softmax = graph.operators
    assert graph.name == "network_2nd_net_v1_5"
    assert [op.name for op in graph.operators] == [
        "depthwise_conv2d_0",
        "max_pool2d_1",
        "fully_connected_2",
        "softmax_3",
    ]
    assert isinstance(depthwise, DepthwiseConv2D) and isinstance(pool, MaxPool2D)
    assert isinstance(dense, FullyConnected) and isinstance(softmax, Softmax)
    assert depthwise.depth_multiplier == 3
    assert depthwise.weights.shape == (3, 3, 6) and depthwise.bias.tolist() == [0] * 6
    assert len(set(depthwise.multipliers)) == 1 and len(depthwise.multipliers) == 6
    assert (pool.kernel, pool.stride, pool.activation_min, pool.activation_max) == ((2, 2), (2, 2), -3, 3)
    assert len(set(dense.multipliers)) == 5 and dense.rows == 1
    assert softmax.multiplier == quantize_multiplier(2.0 * float(np.float32(0.4)) * 2**26)


def test_fully_connected_over_several_rows(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 3, 4), scale=0.1)
    y = builder.tensor((1, 3, 2), scale=0.5, name="rows")
    w = builder.tensor((2, 4), scale=0.02, data=weights(2, 4))
    from tflite_format import Options

    builder.operator(
        "FULLY_CONNECTED",
        [x, w],
        [y],
        Options("FullyConnectedOptions", {"KeepNumDims": True, "FusedActivationFunction": 0}),
    )
    builder.output(y)
    (dense,) = saved(builder, tmp_path).operators
    assert isinstance(dense, FullyConnected)
    assert dense.rows == 3 and dense.macs == 24
    values = weights(2, 3, 4)
    each = [dense.compute([np.repeat(values[:, i : i + 1], 3, axis=1)])[:, 0] for i in range(3)]
    np.testing.assert_array_equal(dense.compute([values]), np.stack(each, axis=1))


@pytest.mark.parametrize("outer", ["float32", "uint8"])
def test_conversions_at_the_borders_are_taken_off(tmp_path: Path, outer: str) -> None:
    builder = ModelBuilder()
    scale = None if outer == "float32" else 0.25
    x = builder.input((1, 4, 4, 1), scale, 128 if scale else 0, dtype=outer, name="outside")
    inside = builder.quantize(x, scale=0.25, zero_point=0, name="inside")
    pooled = builder.max_pool2d(inside, (2, 2), name="pooled")
    if outer == "float32":
        result = builder.dequantize(pooled)
    else:
        result = builder.tensor((1, 2, 2, 1), "uint8", scale=0.25, zero_point=128)
        builder.operator("QUANTIZE", [pooled], [result])
    builder.output(result)
    graph = saved(builder, tmp_path)
    assert [op.name for op in graph.operators] == ["max_pool2d_0"]
    assert (graph.input_tensor.name, graph.output_tensor.name) == ("inside", "pooled")
    assert graph.float_input == graph.float_output == (outer == "float32")


def test_an_open_batch_dimension_is_no_dynamic_shape(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), scale=1.0, shape_signature=(-1, 4, 4, 1))
    builder.output(builder.max_pool2d(x, (2, 2)))
    assert saved(builder, tmp_path).input_tensor.shape == (1, 4, 4, 1)


def flattened(builder: ModelBuilder, x: Any, classes: int) -> Any:
    """Flatten as Keras 3.11 and later exports it where the batch is open: its target shape is computed."""
    shape = builder.tensor((len(x.shape),), "int32", name="shape")
    builder.operator("SHAPE", [x], [shape])
    batch = builder.tensor((), "int32", name="batch")
    ends = [builder.numbers(values) for values in ([0], [1], [1])]
    builder.operator("STRIDED_SLICE", [shape, *ends], [batch], Options("StridedSliceOptions", {"ShrinkAxisMask": 1}))
    target = builder.tensor((2,), "int32", name="target")
    options = Options("PackOptions", {"ValuesCount": 2, "Axis": 0})
    builder.operator("PACK", [batch, builder.numbers(np.array(-1))], [target], options)
    features = int(np.prod(x.shape))
    flat = builder.layer("RESHAPE", [x, target], (1, features))
    return builder.fully_connected(flat, weights(classes, features), 0.01, np.zeros(classes, np.int32), scale=1.0)


def test_computed_target_shapes_are_constants(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2), 0.1, shape_signature=(-1, 4, 4, 2))
    builder.output(flattened(builder, builder.max_pool2d(x, (2, 2)), 3))
    graph = saved(builder, tmp_path)
    assert [op.kind for op in graph.operators] == ["MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED"]
    assert [op.index for op in graph.operators] == [0, 1, 2]


def test_squeeze_and_expand_dims_are_views(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 2), 0.1)
    x = builder.layer("EXPAND_DIMS", [x, builder.numbers(np.array(1))], (1, 1, 4, 2))
    x = builder.max_pool2d(x, (1, 2))
    builder.output(builder.layer("SQUEEZE", [x], (2, 2)))
    graph = saved(builder, tmp_path)
    assert [op.is_alias for op in graph.operators] == [True, False, True]
    # Without a batch in front, one is put there.
    assert graph.output_tensor.shape == (1, 2, 2) and graph.output_tensor.own_shape == (2, 2)
    assert run(graph, np.zeros((3, 4, 2), np.int8)).shape == (3, 2, 2)


def test_rows_are_no_batch(tmp_path: Path) -> None:
    """A dense layer over a sequence: the leading 8 of its input are rows."""
    builder = ModelBuilder()
    x = builder.input((1, 8, 16), 0.1)
    x = builder.layer("RESHAPE", [x, builder.numbers([8, 16])], (8, 16))
    x = builder.fully_connected(x, weights(5, 16), 0.01, np.zeros(5, np.int32), scale=1.0)
    builder.output(builder.layer("RESHAPE", [x, builder.numbers([1, 8, 5])], (1, 8, 5)))
    graph = saved(builder, tmp_path)
    dense = graph.operators[1]
    assert isinstance(dense, FullyConnected) and dense.rows == 8
    assert run(graph, np.ones((2, 8, 16), np.int8)).shape == (2, 8, 5)


def test_split_is_one_operator_for_each_output(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 6, 2), 0.1)
    parts = [builder.tensor((1, 2, 2), scale=0.1, name=f"part {number}") for number in range(3)]
    builder.operator("SPLIT", [builder.numbers(np.array(1)), x], parts, Options("SplitOptions", {"NumSplits": 3}))
    builder.output(builder.add(parts[0], parts[2], scale=0.1))
    graph = saved(builder, tmp_path)
    # The part that nobody reads is not there.
    assert [(op.kind, op.name, op.label) for op in graph.operators[:2]] == [
        ("SPLIT", "split_0", "part 0"),
        ("SPLIT", "split_1", "part 2"),
    ]


def test_the_dimension_of_a_bias_does_not_count(tmp_path: Path) -> None:
    """Converters of 2019 wrote the filter's dimension into the bias, which has only one."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2), 0.1)
    filters = builder.tensor((1, 3, 3, 2), scale=[0.1, 0.2], axis=3, data=weights(1, 3, 3, 2))
    bias = builder.tensor((2,), "int32", scale=[0.01, 0.02], axis=3, data=np.array([1, 2]))
    fields = {"StrideH": 1, "StrideW": 1, "Padding": 1, "DepthMultiplier": 1}
    options = Options("DepthwiseConv2DOptions", fields)
    builder.output(builder.layer("DEPTHWISE_CONV_2D", [x, filters, bias], (1, 2, 2, 2), options=options))
    (operator,) = saved(builder, tmp_path).operators
    assert isinstance(operator, DepthwiseConv2D) and operator.bias is not None
    assert operator.bias.tolist() == [1, 2]


def test_unsigned_input_of_another_scale(tmp_path: Path) -> None:
    """The shift by 128 is the caller's, what remains is a conversion between int8 scales."""
    builder = ModelBuilder()
    x = builder.input((1, 256), 1 / 255, 0, dtype="uint8")
    builder.output(builder.quantize(x, scale=1 / 127.5, zero_point=-1))
    graph = saved(builder, tmp_path)
    assert (graph.input_tensor.dtype, graph.input_tensor.zero_point) == ("int8", -128)
    numbers = np.arange(256)
    expected = np.floor(numbers / 2 + 0.5).astype(int) - 1
    assert run(graph, (numbers - 128).astype(np.int8)[None]).reshape(-1).tolist() == expected.tolist()


def test_operator_codes_in_32_bits_alone(tmp_path: Path) -> None:
    """Some writers leave the old field of 8 bits out; a damaged one stands for that here."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), 0.1)
    builder.output(builder.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0)]))
    content = bytearray(builder.build())
    table = tflite.Model.GetRootAs(content, 0).OperatorCodes(0)._tab
    assert table.Offset(4) and table.Offset(10)
    content[table.Pos + table.Offset(4)] = 0
    path = tmp_path / "net.tflite"
    path.write_bytes(bytes(content))
    assert [op.kind for op in read_graph(path).operators] == ["PAD"]


def test_shapes_that_the_file_leaves_open_follow_from_the_inputs(tmp_path: Path) -> None:
    """Keras writes 1 for every open extent: the computed target of a RESHAPE tells what it is."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 2, 3), 0.1, shape_signature=(-1, 4, 2, 3))
    shape = builder.tensor((4,), "int32")
    builder.operator("SHAPE", [x], [shape])
    turned = builder.tensor((4,), "int32")
    builder.operator("MUL", [shape, builder.numbers([1, 2, 1, 1])], [turned])
    halved = builder.tensor((4,), "int32")
    builder.operator("DIV", [turned, builder.numbers([1, 1, 2, 1])], [halved])
    y = builder.tensor((1, 1, 1, 3), scale=0.1, shape_signature=(-1, -1, -1, 3))
    builder.operator("RESHAPE", [x, halved], [y])
    z = builder.tensor((1, 1, 1, 3), scale=0.1, shape_signature=(-1, -1, -1, 3))
    fields = {"StrideH": 1, "StrideW": 1, "Padding": 1, "FilterHeight": 2, "FilterWidth": 1}
    builder.operator("MAX_POOL_2D", [y], [z], Options("Pool2DOptions", fields))
    builder.output(z)
    graph = saved(builder, tmp_path)
    assert [op.output.shape for op in graph.operators] == [(1, 8, 1, 3), (1, 7, 1, 3)]
    assert graph.output_tensor.shape == (1, 7, 1, 3)
