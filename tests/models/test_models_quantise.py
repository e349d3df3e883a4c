"""Float layers against plain loops; quantisation's promises; an int8 network against the float network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_network import (
    Add,
    Array,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    FloatNetwork,
    FullyConnected,
    MaxPool2D,
    Node,
    Pad,
    Reshape,
    Softmax,
)
from hypothesis import given
from hypothesis import strategies as st
from quantise import activation_quantization, calibrate, quantise, quantise_values, quantise_weights

from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

REAL = st.floats(-1e4, 1e4, allow_nan=False)


# ---- float layers


def slow_positions(extent: int, window: int, step: int, spread: int, padding: str) -> list[list[int]]:
    """For every output position the input positions that it sees; -1 is padding."""
    reach = (window - 1) * spread + 1
    if padding == "VALID":
        starts = list(range(0, extent - reach + 1, step))
    else:
        count = -(-extent // step)
        before = max((count - 1) * step + reach - extent, 0) // 2
        starts = [index * step - before for index in range(count)]
    rows = [[start + tap * spread for tap in range(window)] for start in starts]
    return [[position if 0 <= position < extent else -1 for position in row] for row in rows]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 1))])
def test_sliding_windows_against_loops(padding: str, stride: Any, dilation: Any) -> None:
    rng = np.random.RandomState(0)
    x = rng.standard_normal((2, 7, 6, 3))
    weights, deep = rng.standard_normal((4, 3, 2, 3)), rng.standard_normal((1, 3, 2, 6))
    bias = rng.standard_normal(6)
    conv = Conv2D(weights, bias[:4], stride, padding, dilation).forward(x)
    depthwise = DepthwiseConv2D(deep, bias, stride, padding, dilation, "RELU").forward(x)
    rows = slow_positions(7, 3, stride[0], dilation[0], padding)
    columns = slow_positions(6, 2, stride[1], dilation[1], padding)
    assert conv.shape == (2, len(rows), len(columns), 4) and depthwise.shape == (2, len(rows), len(columns), 6)
    for y, ys in enumerate(rows):
        for z, zs in enumerate(columns):
            seen = np.zeros((2, 3, 2, 3))
            inside = np.zeros((3, 2), bool)
            for i, p in enumerate(ys):
                for j, q in enumerate(zs):
                    if p >= 0 and q >= 0:
                        seen[:, i, j], inside[i, j] = x[:, p, q], True
            for channel in range(4):
                expected = (seen * weights[channel]).sum(axis=(1, 2, 3)) + bias[channel]
                np.testing.assert_allclose(conv[:, y, z, channel], expected)
            for channel in range(6):
                expected = (seen[..., channel // 2] * deep[0, :, :, channel]).sum(axis=(1, 2)) + bias[channel]
                np.testing.assert_allclose(depthwise[:, y, z, channel], np.maximum(expected, 0))
            if dilation == (1, 1):
                pooled = MaxPool2D((3, 2), stride, padding).forward(x)[:, y, z]
                np.testing.assert_allclose(pooled, seen[:, inside].max(axis=1))
                pooled = AveragePool2D((3, 2), stride, padding).forward(x)[:, y, z]
                np.testing.assert_allclose(pooled, seen[:, inside].mean(axis=1))


# ---- properties of quantisation


@given(REAL, REAL)
def test_activation_quantization_covers_the_range_and_has_an_exact_zero(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    scale, zero_point = activation_quantization(low, high)
    assert scale > 0 and -128 <= zero_point <= 127
    assert scale == float(np.float32(scale))
    ends = scale * (np.array([-128, 127]) - zero_point)
    # The zero point is rounded, so that an end may miss by half a step (and a bit for the scale's own rounding).
    assert ends[0] <= min(low, 0) + 0.501 * scale and ends[1] >= max(high, 0) - 0.501 * scale


def test_a_value_that_is_always_zero_gets_some_scale() -> None:
    assert activation_quantization(0.0, 0.0) == (1.0, 0)


@given(st.lists(REAL, min_size=1, max_size=20))
def test_values_inside_the_range_are_off_by_a_step_at_most(numbers: list[float]) -> None:
    real = np.array(numbers)
    scale, zero_point = activation_quantization(real.min(), real.max())
    back = scale * (quantise_values(real, (scale, zero_point)).astype(np.float64) - zero_point)
    assert np.abs(back - real).max() <= 1.01 * scale


@given(st.integers(0, 10**6), st.sampled_from([0, 3, None]), st.floats(1e-6, 10), st.floats(1e-6, 1e3))
def test_weights_are_off_by_half_a_step_and_biases_fit(
    seed: int, axis: int | None, input_scale: float, size: float
) -> None:
    rng = np.random.RandomState(seed)
    weights = rng.standard_normal((3, 2, 2, 3)) * rng.uniform(0, 1, (3, 1, 1, 1))
    weights[rng.uniform(size=3) <= 0.2] = 0.0
    bias = rng.standard_normal(3) * size
    integers, scales, offsets = quantise_weights(weights, bias, input_scale, axis)
    assert integers.min() >= -127 and len(scales) == (1 if axis is None else 3)
    assert np.isfinite(scales).all() and (scales > 0).all()
    shape = [1] * 4
    if axis is not None:
        shape[axis] = 3
    steps = scales.astype(np.float64).reshape(shape)
    assert (np.abs(integers * steps - weights) <= 0.5001 * steps).all()
    assert np.abs(offsets.astype(np.int64)).max() <= (1 << 30) + (1 << 8)
    np.testing.assert_allclose(
        offsets * scales.astype(np.float64) * input_scale, bias, atol=0.51 * input_scale * scales.max()
    )


def test_calibration_sees_every_batch() -> None:
    network = FloatNetwork.chain((1,), [FullyConnected(np.array([[2.0]]), np.array([1.0]))])
    inputs = np.zeros((250, 1))
    inputs[240], inputs[3] = 5.0, -4.0
    assert calibrate(network, inputs, batch=100) == [(-4.0, 5.0), (-7.0, 11.0)]


def everything() -> FloatNetwork:
    rng = np.random.RandomState(5)

    def parameters(*shape: int, count: int) -> tuple[Array, Array]:
        return rng.standard_normal(shape) / np.sqrt(np.prod(shape) / count), rng.standard_normal(count) * 0.1

    return FloatNetwork(
        (8, 6, 2),
        (
            Node(Conv2D(*parameters(6, 3, 3, 2, count=6), activation="RELU"), (0,)),
            Node(DepthwiseConv2D(*parameters(1, 3, 3, 6, count=6)), (1,)),
            Node(Add("RELU"), (1, 2)),
            Node(MaxPool2D((2, 2), (2, 2)), (3,)),
            Node(Pad((1, 0), (0, 1)), (4,)),
            Node(AveragePool2D((2, 2), (1, 1)), (5,)),
            Node(Reshape((4 * 3 * 6,)), (6,)),
            Node(FullyConnected(*parameters(5, 72, count=5)), (7,)),
            Node(Softmax(), (8,)),
        ),
    )


@pytest.mark.parametrize("per_channel", [True, False])
def test_int8_network_stays_close_to_the_float_network(per_channel: bool, tmp_path: Path) -> None:
    network = everything()
    inputs = np.random.RandomState(6).uniform(-1, 1, (200, 8, 6, 2))
    path = tmp_path / "net.tflite"
    path.write_bytes(quantise(network, inputs, per_channel=per_channel))
    graph = read_graph(path)
    assert len(graph.operators) == 9
    source, result = graph.input_tensor, graph.output_tensor
    found = run(graph, quantise_values(inputs, (source.scale, source.zero_point))).astype(np.float64)
    found = result.scale * (found - result.zero_point)
    error = found - network.predict(inputs)
    assert np.abs(error).max() < 0.08 and np.sqrt(np.mean(error**2)) < 0.015


def test_input_quantization_and_borders_can_be_asked_for(tmp_path: Path) -> None:
    network = FloatNetwork.chain((4, 4, 1), [MaxPool2D((2, 2), (2, 2))])
    path = tmp_path / "net.tflite"
    path.write_bytes(quantise(network, np.ones((1, 4, 4, 1)), (1 / 255, -128), float_borders=True))
    graph = read_graph(path)
    assert graph.float_input and graph.float_output
    assert graph.input_tensor.zero_point == -128 and graph.input_tensor.scale == float(np.float32(1 / 255))
