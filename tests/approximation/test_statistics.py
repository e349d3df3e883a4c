"""Operand statistics against loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from one_convolution import activation, convolution, network, operands

from approx_plugin.approximation.bases import taps as operands_module
from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.statistics import gather
from approx_plugin.model.graph import Graph
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.reshape import Reshape

SHAPES: dict[str, dict[str, Any]] = {
    "valid": {"kernel": (2, 3), "stride": (1, 1), "padding": (0, 0, 0, 0), "zero_point": -128},
    "same": {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1, 1, 1), "zero_point": -5},
    "stride 2, uneven padding": {"kernel": (3, 3), "stride": (2, 2), "padding": (0, 1, 1, 1), "zero_point": 40},
    "pointwise": {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0, 0, 0), "zero_point": 127},
    "window skips the last column": {"kernel": (2, 2), "stride": (2, 3), "padding": (0,) * 4, "zero_point": 0},
}


def one_layer(name: str, rng: np.random.Generator) -> tuple[Graph, Conv2D, np.ndarray]:
    shape = SHAPES[name]
    weights = rng.integers(-127, 128, (3, *shape["kernel"], 2), dtype=np.int8)
    conv = convolution(
        weights, activation(0, (5, 6, 2), shape["zero_point"]), stride=shape["stride"], padding=shape["padding"]
    )
    return network(conv), conv, rng.integers(-128, 128, (7, 5, 6, 2), dtype=np.int8)


def ratios_of(graph: Graph, images: np.ndarray) -> np.ndarray:
    """Of the first layer."""
    found = gather(graph, {0: TAPS}, images, ratios=True).layers[0].ratios
    assert found is not None
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_moments_are_those_of_loops(name: str) -> None:
    graph, conv, images = one_layer(name, np.random.default_rng(1))
    samples = np.array(list(operands(conv, images)))
    layer = gather(graph, {0: TAPS}, images).layers[0]
    assert layer.samples == len(samples)
    np.testing.assert_array_equal(layer.sums, samples.sum(axis=0))
    np.testing.assert_array_equal(layer.squares, (samples**2).sum(axis=0))
    np.testing.assert_allclose(layer.mean, samples.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(layer.second_moment, (samples**2).mean(axis=0), rtol=1e-14)
    assert layer.ratios is None


@pytest.mark.parametrize("name", SHAPES)
def test_ratios_are_those_of_loops(name: str) -> None:
    graph, conv, images = one_layer(name, np.random.default_rng(2))
    expected = np.zeros(conv.weights.shape)
    for channel, weights in enumerate(conv.weights.astype(np.int64)):
        ratios = [np.abs(weights * a / (weights * a).sum()) for a in operands(conv, images) if (weights * a).sum()]
        expected[channel] = np.mean(ratios, axis=0)
    np.testing.assert_allclose(ratios_of(graph, images), expected, rtol=1e-12)


def test_hand_worked_moments_and_ratios() -> None:
    """One pixel, two channels, zero point -1: a = (3, 1), then (2, -2)."""
    conv = convolution(np.array([[[[2, -1]]], [[[1, 1]]]], np.int8), activation(0, (1, 1, 2), -1))
    images = np.array([[[[2, 0]]], [[[1, -3]]]], np.int8)
    layer = gather(network(conv), {0: TAPS}, images, ratios=True).layers[0]
    assert layer.sums.tolist() == [[[5, -1]]]
    assert layer.squares.tolist() == [[[13, 5]]]
    # channel 0: products (6, -1) of 5 and (4, 2) of 6; channel 1: (3, 1) of 4, then (2, -2) of 0, which is left out
    assert layer.ratios is not None
    np.testing.assert_allclose(layer.ratios[:, 0, 0], [[(6 / 5 + 4 / 6) / 2, (1 / 5 + 2 / 6) / 2], [3 / 4, 1 / 4]])


def test_a_channel_whose_sum_is_always_zero_has_no_ratio() -> None:
    conv = convolution(np.array([[[[1, -1]]]], np.int8), activation(0, (1, 1, 2), 0))
    assert np.isnan(ratios_of(network(conv), np.full((3, 1, 1, 2), 7, np.int8))).all()


def test_a_later_layer_sees_what_the_layer_before_puts_out() -> None:
    rng = np.random.default_rng(3)
    first = convolution(rng.integers(-127, 128, (4, 3, 3, 2), dtype=np.int8), activation(0, (6, 6, 2), 3))
    second = convolution(rng.integers(-127, 128, (2, 2, 2, 4), dtype=np.int8), first.output, index=1)
    images = rng.integers(-128, 128, (70, 6, 6, 2), dtype=np.int8)
    found = gather(network(first, second), {1: TAPS, 0: TAPS}, images)
    assert list(found.layers) == [0, 1] and found.images == 70
    samples = np.array(list(operands(second, first.compute([images]))))
    np.testing.assert_array_equal(found.layers[1].sums, samples.sum(axis=0))


def test_chunks_do_not_change_the_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, _, images = one_layer("same", np.random.default_rng(4))
    whole = gather(graph, {0: TAPS}, images, ratios=True).layers[0]
    monkeypatch.setattr(operands_module, "CHUNK_ELEMENTS", 1)
    cut = gather(graph, {0: TAPS}, images, ratios=True).layers[0]
    np.testing.assert_array_equal(whole.sums, cut.sums)
    np.testing.assert_array_equal(whole.squares, cut.squares)
    assert whole.ratios is not None and cut.ratios is not None
    np.testing.assert_allclose(whole.ratios, cut.ratios, rtol=1e-12)


def test_what_cannot_be_gathered_is_refused() -> None:
    graph, conv, images = one_layer("valid", np.random.default_rng(5))
    with pytest.raises(ValueError, match="at least one image"):
        gather(graph, {0: TAPS}, images[:0])
    flat = activation(2, (conv.output.elements,), -128)
    reshape = Reshape(index=1, name="reshape_1", label="flat", inputs=(conv.output,), output=flat)
    with pytest.raises(ValueError, match="has no taps"):
        gather(Graph("g", {}, (conv, reshape), 0, 2, ""), {0: TAPS, 1: TAPS}, images)
