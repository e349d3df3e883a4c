"""Networks with several inputs and outputs: read, computed on the host, as TensorFlow Lite computes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tflite_oracle
from layer_cases import graph_of
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import classes, first_output, predictions, run
from approx_plugin.reference.vectors import make_vectors


def random(graph: Graph, count: int = 5) -> np.ndarray:
    return np.random.default_rng(1).integers(-128, 128, (count, *graph.input_shape), dtype=np.int8)


def several() -> bytes:
    """Outputs: an inner tensor, one that nobody else reads, the inner one again, a view of it, an input as it is."""
    b = ModelBuilder()
    one = b.input((1, 4, 4, 2), 0.1, 3, name="one")
    other = b.input((1, 2, 2, 2), 0.2, -5, name="other")
    pooled = b.max_pool2d(one, (2, 2))
    added = b.add(pooled, other, scale=0.3, zero_point=1)
    b.output(pooled, added, pooled, b.reshape(pooled, (1, 8)), other)
    return b.build()


def test_several_inputs_and_outputs() -> None:
    content = several()
    graph = graph_of(content)
    assert [tensor.name for tensor in graph.inputs] == ["one", "other"]
    assert [tensor.elements for tensor in graph.outputs] == [8, 8, 8, 8, 8]
    assert (graph.input_shape, graph.output_shape) == ((40,), (40,))
    inputs = random(graph)
    np.testing.assert_array_equal(run(graph, inputs), tflite_oracle.sequence(content, inputs))
    vectors = make_vectors(graph, inputs)
    np.testing.assert_array_equal(vectors.outputs, run(graph, inputs))


def test_the_class_is_taken_from_the_first_output() -> None:
    graph = graph_of(several())
    inputs = random(graph)
    expected = run(graph, inputs)[:, :8].argmax(axis=1)
    assert predictions(graph, inputs).tolist() == expected.tolist()
    assert classes(first_output(graph, run(graph, inputs))).tolist() == expected.tolist()


def test_conversions_at_every_border_are_taken_off() -> None:
    b = ModelBuilder()
    real = b.input((1, 2, 2, 2), dtype="float32", name="real")
    byte = b.input((1, 2, 2, 2), 0.5, 128, dtype="uint8", name="byte")
    added = b.add(b.quantize(real, scale=0.1), b.quantize(byte, scale=0.5, zero_point=0), scale=0.3)
    b.output(b.dequantize(added), b.dequantize(b.max_pool2d(added, (2, 2))))
    graph = graph_of(b.build())
    assert [op.kind for op in graph.operators] == ["ADD", "MAX_POOL_2D"]
    assert [t.dtype for t in (*graph.inputs, *graph.outputs)] == ["int8"] * 4
    assert graph.float_input and graph.float_output


def test_an_output_that_is_constant_is_left_out() -> None:
    """Detectors have their anchors among the outputs."""
    b = ModelBuilder()
    x = b.input((1, 4, 4, 1), 0.1)
    anchors = b.tensor((1, 2, 3), scale=0.1, data=np.arange(6).reshape(1, 2, 3))
    tiled = b.layer("TILE", [anchors, b.numbers([1, 2, 1])], (1, 4, 3), name="anchors")
    b.output(b.dequantize(tiled, name="boxes"), b.max_pool2d(x, (2, 2)))
    graph = graph_of(b.build())
    assert graph.constant_outputs == ("boxes",)
    assert [tensor.shape for tensor in graph.outputs] == [(1, 2, 2, 1)]


def test_the_header_names_all_of_them(tmp_path: Path) -> None:
    from approx_plugin.kernels.header import c_string, comment, header_text
    from approx_plugin.kernels.program import MemoryPlan

    graph = graph_of(several())
    text = header_text(graph, (), MemoryPlan(0, 8, {}, {}, {}), (0, 0), "a network")
    for line in (
        "#define APPROX_NETWORK_IN_NUM 2",
        "#define APPROX_NETWORK_IN_SIZE_BYTES 40u",
        '#define APPROX_NETWORK_IN_2_NAME "other"',
        "#define APPROX_NETWORK_IN_2_OFFSET 32u",
        "#define APPROX_NETWORK_IN_2_ZERO_POINT (-5)",
        "#define APPROX_NETWORK_OUT_5_SIZE_BYTES 8u",
        "#define APPROX_NETWORK_OUT_2_SCALE 0.30000001192092896f",
    ):
        assert line in text.split("\n")
    assert c_string('a"b\\c??/é') == '"a\\"b\\\\c?\\?/?"'
    assert comment("a*/b/*") == '"a* /b/ *"'


@pytest.mark.parametrize("axis", [1, 2])
def test_a_split_whose_parts_are_outputs(axis: int) -> None:
    b = ModelBuilder()
    x = b.input((1, 4, 6), 0.1, 2)
    shape = (1, 2, 6) if axis == 1 else (1, 4, 3)
    parts = [b.tensor(shape, scale=x.scale[0], zero_point=2) for _ in range(2)]
    b.operator("SPLIT", [b.numbers(np.array(axis)), x], parts, Options("SplitOptions", {"NumSplits": 2}))
    b.output(*parts)
    content = b.build()
    graph = graph_of(content)
    inputs = random(graph)
    np.testing.assert_array_equal(run(graph, inputs).reshape(5, -1), tflite_oracle.sequence(content, inputs))
