"""Every operator on random shapes and parameters, against the naive and the TensorFlow Lite reference."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import tflite_oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_cases import STRATEGIES, Case, graph_of
from tflite_writer import ModelBuilder

from approx_plugin.operators.registry import OPERATORS, operator_name
from approx_plugin.operators.softmax import Softmax
from approx_plugin.reference.executor import run


def quiet(max_examples: int) -> settings:
    """Always the same examples, however long they take."""
    return settings(max_examples=max_examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("kind", [kind for kind in STRATEGIES if kind != "softmax"])
def test_equals_the_naive_reference(kind: str) -> None:
    @quiet(60)
    @given(STRATEGIES[kind])
    def check(case: Case) -> None:
        got = run(graph_of(case.content), case.inputs)
        assert got.dtype == np.int8
        np.testing.assert_array_equal(got.reshape(case.expected.shape), case.expected)

    check()


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_equals_tflite_reference_kernels(kind: str) -> None:
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")

    @quiet(120)
    @given(STRATEGIES[kind])
    def check(case: Case) -> None:
        wanted = tflite_oracle.outputs(case.for_tflite, case.inputs)
        np.testing.assert_array_equal(run(graph_of(case.content), case.inputs), wanted)

    check()


@quiet(60)
@given(case=STRATEGIES["softmax"])
def test_softmax_is_close_to_the_real_one(case: Case) -> None:
    graph = graph_of(case.content)
    (operator,) = graph.operators
    assert isinstance(operator, Softmax)
    beta = operator.multiplier.mantissa * 2.0 ** (operator.multiplier.shift - 31 - 26) / graph.input_tensor.scale
    real = naive.softmax_of_reals(case.inputs, graph.input_tensor.scale, beta)
    got = run(graph, case.inputs)
    assert np.abs(got - np.minimum(real, 127)).max() <= 0.51
    assert (got.astype(int) + 128).sum(axis=-1).max() <= 256 + case.inputs.shape[-1] // 2


def test_names_of_all_kinds() -> None:
    names = {kind: operator_name(kind, 3) for kind in OPERATORS}
    assert names["CONV_2D"] == "conv2d_3" and names["MAX_POOL_2D"] == "max_pool2d_3"
    assert names["STRIDED_SLICE"] == "strided_slice_3"
    assert len(set(names.values())) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names.values())


@quiet(30)
@given(case=st.one_of(list(STRATEGIES.values())), batch=st.integers(1, 3))
def test_batches_do_not_change_results(case: Case, batch: int) -> None:
    graph = graph_of(case.content)
    many = np.concatenate([case.inputs] * 3)
    one_by_one = np.concatenate([run(graph, many[i : i + 1]) for i in range(len(many))])
    np.testing.assert_array_equal(run(graph, many, batch=batch), one_by_one)


def test_fully_connected_multiplies_its_scales_in_float32() -> None:
    """Accumulators at which the product of the scales in float32 and in double precision round differently."""
    source, weight, result = 0.056541990488767624, 0.002846081741154194, 0.08026263117790222
    accumulators = np.array([-30673, 30673], dtype=np.int32)
    in_double = naive.multiplier(source * weight / result)
    in_float32 = naive.multiplier(float(np.float32(source) * np.float32(weight)) / result)
    expected = [naive.scaled(int(value), in_float32) for value in accumulators]
    assert expected != [naive.scaled(int(value), in_double) for value in accumulators]
    builder = ModelBuilder()
    zeros, inputs = np.zeros((2, 1), dtype=np.int8), np.zeros((1, 1), dtype=np.int8)
    builder.output(builder.fully_connected(builder.input((1, 1), source), zeros, weight, accumulators, scale=result))
    assert run(graph_of(builder.build()), inputs).tolist() == [expected]
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    assert tflite_oracle.outputs(builder.build(), inputs).tolist() == [expected]


def test_sums_beyond_32_bits_wrap_as_on_the_device() -> None:
    builder = ModelBuilder()
    bias = np.array([2**31 - 1, -(2**31)], dtype=np.int32)
    x = builder.input((1, 2), 1.0)
    weights = np.array([[1, 0], [-1, 0]], dtype=np.int8)
    builder.output(builder.fully_connected(x, weights, 1.0, bias, scale=2.0**24))
    content, inputs = builder.build(), np.array([[0, 0], [1, 0]], dtype=np.int8)
    assert run(graph_of(content), inputs).tolist() == [[127, -128], [-128, 127]]


def test_large_convolutions_take_float64() -> None:
    """2000 products of 127 and -128 leave float32's 24 bits."""
    builder = ModelBuilder()
    x = builder.input((1, 1, 1, 2000), 1.0, 127)
    weights = np.full((2, 1, 1, 2000), 127, dtype=np.int8)
    weights[1, 0, 0, 1000:] = -127
    builder.output(builder.conv2d(x, weights, 1.0, np.array([1, -1], dtype=np.int32), scale=2.0**19))
    inputs = np.full((1, 1, 1, 2000), -128, dtype=np.int8)
    inputs[0, 0, 0, 0] = 127
    expected = [naive.scaled(total, naive.multiplier(2.0**-19)) for total in (-255 * 127 * 1999 + 1, 255 * 127 - 1)]
    assert run(graph_of(builder.build()), inputs).reshape(-1).tolist() == expected


def test_several_maps_are_padded() -> None:
    """As TensorFlow writes a dilated convolution with a padding of its own between the blocks."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 2, 3), 0.5, 7)
    blocks, none = builder.numbers([2, 1]), builder.numbers(np.zeros((2, 2), dtype=np.int32))
    maps = builder.layer("SPACE_TO_BATCH_ND", [x, blocks, none], (2, 2, 2, 3))
    amounts = builder.numbers(np.array([(0, 0), (1, 0), (0, 2), (0, 0)]))
    padded = builder.layer("PAD", [maps, amounts], (2, 3, 4, 3))
    builder.output(builder.layer("BATCH_TO_SPACE_ND", [padded, blocks, none], (1, 6, 4, 3)))
    inputs = np.arange(24, dtype=np.int8).reshape(1, 4, 2, 3)
    expected = np.pad(inputs, [(0, 0), (2, 0), (0, 2), (0, 0)], constant_values=7)
    np.testing.assert_array_equal(run(graph_of(builder.build()), inputs), expected)
