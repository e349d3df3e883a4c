"""What the reader says about files that it does not take: always an ApproxError that names place, reason and remedy."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.errors import ApproxError, ErrorGroup, ModelError
from approx_plugin.model.graph import Graph
from approx_plugin.tflite.reader import MAX_BYTES, read_graph

CONV = {"StrideH": 1, "StrideW": 1, "Padding": 1, "FusedActivationFunction": 0}


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.int8)


def small_network() -> bytes:
    """A valid network with all kinds of tables in it."""
    builder = ModelBuilder()
    x = builder.input((1, 8, 8, 1), scale=0.1, zero_point=-3)
    x = builder.conv2d(x, ones(4, 3, 3, 1), [0.1, 0.2, 0.3, 0.4], np.arange(4, dtype=np.int32), scale=0.2)
    x = builder.add(x, x, scale=0.5)
    x = builder.pad(builder.max_pool2d(x, (2, 2)), [(0, 0), (1, 1), (1, 0), (0, 0)])
    x = builder.depthwise_conv2d(x, ones(1, 3, 3, 4), 0.1, scale=0.2, padding="VALID", activation="RELU6")
    x = builder.reshape(builder.average_pool2d(x, (2, 2)), (1, -1))
    builder.output(builder.softmax(builder.fully_connected(x, ones(3, 8), 0.1, np.ones(3, np.int32), scale=0.3)))
    return builder.build()


def read(content: bytes, folder: Path) -> Graph:
    path = folder / "net.tflite"
    path.write_bytes(content)
    return read_graph(path)


def refused(content: bytes, folder: Path) -> str:
    """The message. Every error in it names the file and says what to do."""
    with pytest.raises(ApproxError) as caught:
        read(content, folder)
    errors = caught.value.errors if isinstance(caught.value, ErrorGroup) else (caught.value,)
    for error in errors:
        assert isinstance(error, ModelError)
        assert error.where is not None and error.where.file.endswith("net.tflite")
        assert error.what and error.why and error.hint
    return str(caught.value)


Maker = Callable[[ModelBuilder], None]
WRONG: dict[str, tuple[Maker, str]] = {}


def wrong(message: str) -> Callable[[Maker], Maker]:
    """Register a maker of a file and a part of the message that it deserves."""

    def register(maker: Maker) -> Maker:
        WRONG[maker.__name__] = (maker, message)
        return maker

    return register


@wrong("the model has no operators")
def no_operators(b: ModelBuilder) -> None:
    b.output(b.input((1, 4), scale=1.0))


@wrong("the model has no input")
def no_input(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.tensor((1, 4, 4, 1), scale=1.0, data=ones(1, 4, 4, 1)), (2, 2)))


@wrong("the model has no output")
def no_output(b: ModelBuilder) -> None:
    b.max_pool2d(b.input((1, 4, 4, 1), 1.0), (2, 2))


@wrong('input "counts" is int32')
def output_of_another_type(b: ModelBuilder) -> None:
    x, counts = b.input((1, 4, 4, 1), 1.0), b.input((1, 3), dtype="int32", name="counts")
    b.output(b.max_pool2d(x, (2, 2)), counts)


@wrong("the model has 2 subgraphs")
def two_subgraphs(b: ModelBuilder) -> None:
    b.output(b.softmax(b.input((1, 4), 1.0)))
    b.subgraph("while_body")
    b.output(b.softmax(b.input((1, 4), 1.0)))


@wrong('input "input" has shape [8, 4, 4, 1]: batch size 8')
def batch_of_eight(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((8, 4, 4, 1), 1.0), (2, 2)))


@wrong('tensor "input" has the dynamic shape [1, -1, -1, 3]')
def dynamic_shape(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 1, 1, 3), 1.0, shape_signature=(1, -1, -1, 3)), (1, 1)))


@wrong('tensor "input" of shape [1, 8000, 8000, 3] has 192,000,000 elements')
def input_that_no_board_holds(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 8000, 8000, 3), 1.0), (8000, 8000)))


@wrong("has 9,903,520,300,447,984,150,353,281,023 elements")
def extents_of_31_bits(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 2**31 - 1, 2**31 - 1, 2**31 - 1), 1.0), (1, 1)))


@wrong("window [20000, 20000] is far larger than its input [4, 4]; use a smaller window")
def window_over_padding_alone(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 4, 4, 1), 1.0), (20000, 20000), stride=(1, 1), padding="SAME"))


@wrong("the model computes in float32: the model is not quantised")
def float_model(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), dtype="float32"), b.tensor((1, 2), "float32")
    w = b.tensor((2, 4), "float32", data=np.ones((2, 4)))
    b.operator("FULLY_CONNECTED", [x, w], [y], Options("FullyConnectedOptions", {}))
    b.output(y)


@wrong("inference_input_type=inference_output_type=tf.int8")
def dynamic_range_model(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), dtype="float32"), b.tensor((1, 2), "float32")
    b.operator("FULLY_CONNECTED", [x, b.tensor((2, 4), scale=0.1, data=ones(2, 4))], [y])
    b.output(y)


@wrong("the model computes in uint8: the scheme of TensorFlow 1")
def uint8_model(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), 1.0, dtype="uint8"), b.tensor((1, 4), "uint8", scale=1 / 256)
    b.operator("SOFTMAX", [x], [y], Options("SoftmaxOptions", {"Beta": 1.0}))
    b.output(y)


@wrong("the model computes in int16: the 16x8 scheme")
def int16_model(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), 1.0, dtype="int16"), b.tensor((1, 4), "int16", scale=1 / 32768)
    b.operator("SOFTMAX", [x], [y], Options("SoftmaxOptions", {"Beta": 1.0}))
    b.output(y)


@wrong('activation "input" has no scale and zero point')
def no_quantization(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 4, 4, 1)), (2, 2)))


@wrong('activation "input" has 3 scales')
def per_channel_activation(b: ModelBuilder) -> None:
    x = b.tensor((1, 4, 4, 3), name="input", scale=[0.1, 0.2, 0.3], axis=3)
    b._subgraphs[-1].inputs.append(x.index)
    y = b.tensor((1, 4, 4, 3), scale=0.1)
    b.operator("RESHAPE", [x], [y])
    b.output(y)


@wrong('activation "input" has zero point 200')
def zero_point_beyond_int8(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 4, 4, 1), 1.0, 200), (2, 2)))


@wrong("have 3 scales along dimension 3, expected 2 along dimension 0")
def scales_along_the_wrong_dimension(b: ModelBuilder) -> None:
    w = b.tensor((2, 1, 1, 3), scale=[0.1, 0.2, 0.3], axis=3, data=ones(2, 1, 1, 3))
    y = b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong("has 2 scales along dimension 0")
def too_few_scales(b: ModelBuilder) -> None:
    b.output(b.conv2d(b.input((1, 4, 4, 3), 1.0), ones(3, 1, 1, 3), [0.1, 0.2], scale=1.0))


@wrong("has a scale that is not a positive finite number")
def negative_scale(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 4, 4, 1), -1.0), (2, 2)))


@wrong("are uint8, not int8")
def wrong_weight_type(b: ModelBuilder) -> None:
    w = b.tensor((2, 1, 1, 3), "uint8", scale=0.1, data=np.ones((2, 1, 1, 3)))
    y = b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong("have a zero point other than 0")
def asymmetric_weights(b: ModelBuilder) -> None:
    w = b.tensor((2, 1, 1, 3), scale=0.1, zero_point=3, data=ones(2, 1, 1, 3))
    y = b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong('bias" is float32, not int32')
def float_bias(b: ModelBuilder) -> None:
    w = b.tensor((2, 1, 1, 3), scale=0.1, data=ones(2, 1, 1, 3))
    bias, y = b.tensor((2,), "float32", name="bias", data=np.ones(2)), b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w, bias], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong("has 3 elements for 2 output channels")
def bias_of_another_size(b: ModelBuilder) -> None:
    b.output(b.conv2d(b.input((1, 4, 4, 3), 1.0), ones(2, 1, 1, 3), 0.1, np.ones(3, np.int32), scale=1.0))


@wrong('constant "weights" has 5 bytes of data')
def constant_cut_short(b: ModelBuilder) -> None:
    w, y = b.tensor((2, 1, 1, 3), scale=0.1, data=b"12345", name="weights"), b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong('operator 0 CONV_2D uses tensor "weights", which is neither computed before it nor a constant')
def constant_without_data(b: ModelBuilder) -> None:
    w, y = b.tensor((2, 1, 1, 3), scale=0.1, name="weights"), b.tensor((1, 4, 4, 2), scale=1.0)
    b.operator("CONV_2D", [b.input((1, 4, 4, 3), 1.0), w], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong('uses tensor "later"')
def used_before_it_is_computed(b: ModelBuilder) -> None:
    x, later, y = b.input((1, 4), 1.0), b.tensor((1, 4), scale=1.0, name="later"), b.tensor((1, 4), scale=1.0)
    b.operator("RESHAPE", [later], [y])
    b.operator("RESHAPE", [x], [later])
    b.output(y)


@wrong('computes tensor "y" a second time')
def computed_twice(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), 1.0), b.tensor((1, 4), scale=1.0, name="y")
    b.operator("RESHAPE", [x], [y])
    b.operator("RESHAPE", [x], [y])
    b.output(y)


@wrong('output "orphan" is never computed')
def output_without_operator(b: ModelBuilder) -> None:
    b.max_pool2d(b.input((1, 4, 4, 1), 1.0), (2, 2))
    b.output(b.tensor((1, 4), scale=1.0, name="orphan"))


@wrong('input "input" is not used')
def unused_input(b: ModelBuilder) -> None:
    b.input((1, 4), 1.0)
    constant = b.tensor((1, 4), scale=1.0, data=ones(1, 4))
    y = b.tensor((1, 4), scale=1.0)
    b.operator("ADD", [constant, constant], [y], Options("AddOptions", {}))
    b.output(y)


del WRONG["unused_input"]  # Reported as an ADD of constants, see below.


@wrong("both its operands are constants")
def sum_of_constants(b: ModelBuilder) -> None:
    unused_input(b)


@wrong("the model only converts its input")
def nothing_but_conversion(b: ModelBuilder) -> None:
    b.output(b.quantize(b.input((1, 4), dtype="float32"), scale=1.0))


@wrong("dilation 0x1")
def dilation(b: ModelBuilder) -> None:
    w, y = b.tensor((1, 3, 3, 1), scale=0.1, data=ones(1, 3, 3, 1)), b.tensor((1, 7, 7, 1), scale=1.0)
    options = Options("Conv2DOptions", {**CONV, "DilationHFactor": 0})
    b.operator("CONV_2D", [b.input((1, 9, 9, 1), 1.0), w], [y], options)
    b.output(y)


@wrong("3 input channels a filter, 4 in the input, 2 filters")
def groups(b: ModelBuilder) -> None:
    b.output(b.conv2d(b.input((1, 4, 4, 4), 1.0), ones(2, 1, 1, 3), 0.1, scale=1.0))


@wrong("fused activation TANH; use ReLU, ReLU6 or none")
def tanh(b: ModelBuilder) -> None:
    b.output(b.max_pool2d(b.input((1, 4, 4, 1), 1.0), (2, 2), activation="TANH"))


@wrong("shapes [1, 4, 4, 2] and [1, 2, 2, 2] do not broadcast")
def broadcast(b: ModelBuilder) -> None:
    x = b.input((1, 4, 4, 2), 1.0)
    b.output(b.add(x, b.average_pool2d(x, (2, 2)), scale=1.0))


@wrong("are quantized differently")
def pooling_that_rescales(b: ModelBuilder) -> None:
    x, y = b.input((1, 4, 4, 1), 1.0), b.tensor((1, 2, 2, 1), scale=2.0)
    options = {**CONV, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}
    b.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", options))
    b.output(y)


@wrong("its output has shape [1, 3, 3, 1], but its inputs and options give [1, 2, 2, 1]")
def output_of_another_shape(b: ModelBuilder) -> None:
    x, y = b.input((1, 4, 4, 1), 1.0), b.tensor((1, 3, 3, 1), scale=1.0)
    options = {**CONV, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}
    b.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", options))
    b.output(y)


@wrong("its option FilterHeight is missing")
def options_of_another_operator(b: ModelBuilder) -> None:
    x, y = b.input((1, 4, 4, 1), 1.0), b.tensor((1, 2, 2, 1), scale=1.0)
    b.operator("MAX_POOL_2D", [x], [y], Options("Conv2DOptions", CONV))
    b.output(y)


@wrong("stride [0, 1]")
def stride_of_zero(b: ModelBuilder) -> None:
    x, y = b.input((1, 4, 4, 1), 1.0), b.tensor((1, 2, 2, 1), scale=1.0)
    options = {**CONV, "StrideH": 0, "FilterHeight": 2, "FilterWidth": 2}
    b.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", options))
    b.output(y)


@wrong("window [5, 5] does not fit into its input [4, 4]")
def window_larger_than_the_map(b: ModelBuilder) -> None:
    x, y = b.input((1, 4, 4, 1), 1.0), b.tensor((1, 1, 1, 1), scale=1.0)
    options = {**CONV, "FilterHeight": 5, "FilterWidth": 5}
    b.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", options))
    b.output(y)


@wrong("its paddings are not 4 pairs of numbers >= 0")
def padded_by_less_than_nothing(b: ModelBuilder) -> None:
    b.output(b.pad(b.input((1, 4, 4, 1), 1.0), [(0, 0), (1, 1), (1, -1), (0, 0)]))


@wrong("an int8 softmax needs scale 1/256 and zero point -128")
def softmax_of_another_scale(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), 1.0), b.tensor((1, 4), scale=0.5)
    b.operator("SOFTMAX", [x], [y], Options("SoftmaxOptions", {"Beta": 1.0}))
    b.output(y)


@wrong('its weights "computed" are computed at run time')
def computed_weights(b: ModelBuilder) -> None:
    x = b.input((1, 4), 1.0)
    w, y = b.tensor((1, 4), scale=1.0, name="computed"), b.tensor((1, 1), scale=1.0)
    b.operator("RESHAPE", [x], [w])
    b.operator("FULLY_CONNECTED", [x, w], [y], Options("FullyConnectedOptions", {}))
    b.output(y)


@wrong("such conversions are supported at the input and output only")
def conversion_in_the_middle(b: ModelBuilder) -> None:
    x = b.max_pool2d(b.input((1, 4, 4, 1), 1.0), (2, 2))
    b.output(b.max_pool2d(b.quantize(b.dequantize(x), scale=0.5), (2, 2)))


@wrong("CUSTOM Detect")
def custom_operator(b: ModelBuilder) -> None:
    x, y = b.input((1, 4), 1.0), b.tensor((1, 4), scale=1.0)
    b.operator("CUSTOM", [x], [y], custom_code="Detect")
    b.output(y)


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_models(tmp_path: Path, name: str) -> None:
    maker, message = WRONG[name]
    builder = ModelBuilder()
    maker(builder)
    assert message in refused(builder.build(), tmp_path)


def test_one_error_lists_all_operators_that_are_not_supported(tmp_path: Path) -> None:
    b = ModelBuilder()
    x = b.input((1, 8, 8, 2), 0.1)
    x = b.max_pool2d(x, (2, 2), activation="TANH", name="pool")
    x = b.max_pool2d(x, (2, 2), name="fine")
    x = b.layer("COS", [x], x.shape, name="first")
    x = b.layer("COS", [x], x.shape, name="second")
    custom = b.tensor(x.shape, scale=0.1, name="npu")
    b.operator("CUSTOM", [x, b.tensor((9,), "uint8", name="scratch")], [custom], custom_code="ethos-u")
    unused = b.tensor(x.shape, scale=0.1, name="unused")
    b.operator("SIN", [x], [unused])
    b.output(custom)
    path = tmp_path / "net.tflite"
    path.write_bytes(b.build())
    with pytest.raises(ModelError) as caught:
        read_graph(path)
    message = str(caught.value)
    assert "4 operators are not supported in this form" in message
    lines = [line.strip() for line in message.split("\n") if line.strip().startswith("operator")]
    assert lines == [
        'operator 0 MAX_POOL_2D "pool": fused activation TANH; use ReLU, ReLU6 or none',
        'operators 2, 3 (2 times) COS, the first one "first": this kind is not supported; replace it by supported '
        "operators, or leave it out",
        'operator 4 CUSTOM ethos-u "npu": this kind is not supported; the model was compiled for an Ethos-U: give the '
        ".tflite from before Vela",
    ]
    assert "AVERAGE_POOL_2D" in caught.value.why


def test_the_whole_model_and_its_operators_are_reported_together(tmp_path: Path) -> None:
    b = ModelBuilder()
    x = b.input((1, 4, 4, 2), 0.1)
    state = b.tensor((1, 4), "int16", scale=0.1, name="state")
    b.output(x, b.layer("SVDF", [x, state], (1, 4), name="recurrent"), b.layer("COS", [x], x.shape, name="wave"))
    message = refused(b.build(), tmp_path)
    # The state is neither computed nor a constant.
    assert 'uses tensor "state"' in message


def test_recurrent_layers_are_named(tmp_path: Path) -> None:
    b = ModelBuilder()
    x = b.input((1, 4, 2), 0.1)
    b.output(b.layer("UNIDIRECTIONAL_SEQUENCE_RNN", [x], (1, 4), name="rnn"), b.layer("COS", [x], x.shape))
    message = refused(b.build(), tmp_path)
    assert "of recurrent layers, LSTM (unrolled=False) and SVDF are supported" in message
    assert "SVDF_TIME" not in message
    assert "COS" in message


def test_all_mistakes_of_a_kind_are_reported_together(tmp_path: Path) -> None:
    b = ModelBuilder()
    x, y = b.input((4, 4), 1.0, name="many"), b.tensor((4, 2), scale=1.0)
    w = b.tensor((2, 4), scale=1.0, data=b"123", name="cut")
    b.operator("FULLY_CONNECTED", [x, w], [y], Options("FullyConnectedOptions", {}))
    b.output(y)
    message = refused(b.build(), tmp_path)
    assert "batch size 4" in message and 'constant "cut"' in message and "2 errors." in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has only 0 bytes"),
        (b"\x1c\x00\x00\x00TF", "has only 6 bytes"),
        (b"PK\x03\x04 this is a zip file", "is no TensorFlow Lite model"),
        (b"\xff\xff\xff\x7fTFL3", "is damaged"),
        (b"\x00\x00\x00\x00TFL3" + bytes(64), "the model has 0 subgraphs"),
        (b"\x08\x00\x00\x00TFL3" + b"\xff" * 64, "is damaged"),
    ],
)
def test_no_model(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refused(content, tmp_path)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    (tmp_path / "device.tflite").symlink_to("/dev/zero")
    (tmp_path / "large.tflite").touch()
    os.truncate(tmp_path / "large.tflite", MAX_BYTES + 1)
    for name, why in (
        ("pipe", "it is a pipe, not a regular file"),
        ("device", "it is a device, not a regular file"),
        ("large", "it is larger than 256 MiB"),
    ):
        with pytest.raises(ModelError, match="the model cannot be read") as caught:
            read_graph(tmp_path / f"{name}.tflite")
        assert caught.value.why == why


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.tflite", tmp_path):
        with pytest.raises(ModelError, match="cannot be read") as caught:
            read_graph(path)
        assert caught.value.why


def test_tensor_numbers_beyond_the_list(tmp_path: Path) -> None:
    content = bytearray(small_network())
    table = tflite.Model.GetRootAs(content, 0).Subgraphs(0)._tab
    content[table.Vector(table.Offset(8))] = 200
    assert "tensor 200 is named, but there are" in refused(bytes(content), tmp_path)


def test_truncated_files_are_refused_or_whole(tmp_path: Path) -> None:
    """At every length: an ApproxError, nothing else. (Only the last bytes can be missing unnoticed.)"""
    content = small_network()
    whole = read(content, tmp_path)
    lengths, refusals = range(0, len(content), 7), 0
    for length in lengths:
        try:
            assert read(content[:length], tmp_path).macs == whole.macs
        except ApproxError as error:
            assert str(error)
            refusals += 1
    assert refusals >= len(lengths) - 1


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_never_raise_anything_else(tmp_path: Path, seed: int) -> None:
    rng, content = random.Random(seed), small_network()
    refusals = 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            damaged[rng.randrange(8, len(damaged))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        try:
            graph = read(bytes(damaged), tmp_path)
            values: Any = np.zeros((1, *graph.input_tensor.shape[1:]), dtype=np.int8)
            assert values.size == graph.input_tensor.elements
        except ApproxError as error:
            assert str(error)
            refusals += 1
    assert refusals > 30
