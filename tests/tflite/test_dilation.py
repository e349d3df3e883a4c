"""Dilated convolutions in the form in which converters write them: batches of pixels that lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tflite_oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_cases import graph_of
from tflite_writer import ModelBuilder

from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.reference.executor import run

Pair = tuple[int, int]
QUIET: dict[str, Any] = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def amounts(extent: int, taps: int, block: int, padding: str) -> tuple[Pair, Pair]:
    """Pads and crops as TensorFlow computes them; causal: all in front."""
    reach = (taps - 1) * block
    before = {"SAME": reach // 2, "VALID": 0, "CAUSAL": reach}[padding]
    behind = 0 if padding == "VALID" else reach - before
    more = -(extent + before + behind) % block
    return (before, behind + more), (0, more)


def network(deep: bool, flat: bool, extent: Pair, kernel: Pair, block: Pair, padding: str, seed: int) -> bytes:
    """deep: depthwise; flat: over time alone, [1, t, c]."""
    builder, rng = ModelBuilder(), np.random.RandomState(seed)
    axes = (1,) if flat else (0, 1)
    channels = 3
    pairs = [amounts(extent[axis], kernel[axis], block[axis], padding) for axis in axes]
    shape = (1, *(extent[axis] for axis in axes), channels)
    x = builder.input(shape, 0.1, -7)
    blocks = builder.numbers([block[axis] for axis in axes])
    inner = [(extent[axis] + sum(pads)) // block[axis] for axis, (pads, _) in zip(axes, pairs)]
    count = int(np.prod([block[axis] for axis in axes]))
    pads = builder.numbers(np.array([pad for pad, _ in pairs]))
    y = builder.layer("SPACE_TO_BATCH_ND", [x, blocks, pads], (count, *inner, channels))
    if flat:
        y = builder.layer("EXPAND_DIMS", [y, builder.numbers(np.array(1))], (count, 1, *inner, channels))
    filters = rng.randint(-127, 128, (1, *kernel, channels) if deep else (4, *kernel, channels)).astype(np.int8)
    out = channels if deep else 4
    made = builder.depthwise_conv2d if deep else builder.conv2d
    bias = rng.randint(-999, 999, out).astype(np.int32)
    y = made(y, filters, np.full(out, 0.02), bias, scale=0.7, zero_point=5, padding="VALID", activation="RELU")
    if flat:
        y = builder.layer("RESHAPE", [y, builder.numbers([count, *y.shape[2:]])], (count, *y.shape[2:]))
    sizes = [size * block[axis] - sum(crop) for size, axis, (_, crop) in zip(y.shape[1:-1], axes, pairs)]
    crops = builder.numbers(np.array([crop for _, crop in pairs]))
    builder.output(builder.layer("BATCH_TO_SPACE_ND", [y, blocks, crops], (1, *sizes, out)))
    return builder.build()


@settings(max_examples=40, **QUIET)
@given(
    deep=st.booleans(),
    flat=st.booleans(),
    extent=st.tuples(st.integers(5, 12), st.integers(5, 12)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    block=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    padding=st.sampled_from(("SAME", "VALID", "CAUSAL")),
    seed=st.integers(0, 999),
)
def test_it_is_one_convolution(
    deep: bool, flat: bool, extent: Pair, kernel: Pair, block: Pair, padding: str, seed: int
) -> None:
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    kernel = (1, kernel[1]) if flat else kernel
    content = network(deep, flat, extent, kernel, block, padding, seed)
    graph = graph_of(content)
    computing = [operator.kind for operator in graph.operators if not operator.is_alias]
    assert computing in (["PAD", computing[-1]], [computing[-1]]), "nothing is moved to batches and back"
    convolution = graph.operators[-1] if not graph.operators[-1].is_alias else graph.operators[-2]
    assert isinstance(convolution, (Conv2D, DepthwiseConv2D))
    inputs = np.random.RandomState(seed).randint(-128, 128, (3, *graph.input_shape)).astype(np.int8)
    wanted = tflite_oracle.outputs(content, inputs)
    np.testing.assert_array_equal(run(graph, inputs), wanted.reshape(3, *graph.output_shape))


def test_what_is_needed_in_between_stays() -> None:
    """The batches are an output of the model as well."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), 0.1)
    numbers = [builder.numbers([2, 2]), builder.numbers(np.zeros((2, 2), np.int32))]
    batches = builder.layer("SPACE_TO_BATCH_ND", [x, *numbers], (4, 2, 2, 1))
    builder.output(batches, builder.layer("BATCH_TO_SPACE_ND", [batches, *numbers], (1, 4, 4, 1)))
    kinds = [operator.kind for operator in graph_of(builder.build()).operators]
    assert kinds == ["SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"]
