"""Random networks: what their callers rely on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tflite
import tflite_oracle
from random_network import random_network

from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

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


def operators(content: bytes) -> list[int]:
    model = tflite.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    return [model.OperatorCodes(graph.Operators(i).OpcodeIndex()).BuiltinCode() for i in range(graph.OperatorsLength())]


def test_a_seed_names_a_network() -> None:
    assert random_network(3) == random_network(3)
    assert len({random_network(seed) for seed in range(20)}) == 20


@pytest.mark.parametrize("kind", KINDS)
def test_containing(kind: str) -> None:
    for seed in range(10):
        assert getattr(tflite.BuiltinOperator, kind) in operators(random_network(seed, layers=1, containing=kind))


def test_containing_something_unknown_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"TANH; there are CONV_2D"):
        random_network(0, containing="TANH")


def test_reader_and_interpreter_agree_and_outputs_say_something(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    spread, kinds = [], Counter[str]()
    strides: set[tuple[int, int] | None] = set()
    for seed in range(40):
        content = random_network(seed, layers=1 + seed % 5, per_channel=seed % 4 != 0)
        path.write_bytes(content)
        graph = read_graph(path)
        kinds.update(operator.kind for operator in graph.operators)
        strides.update(getattr(operator, "stride", None) for operator in graph.operators)
        inputs = np.random.RandomState(seed).randint(-128, 128, (4, *graph.input_tensor.shape[1:])).astype(np.int8)
        expected = tflite_oracle.outputs(content, inputs)
        np.testing.assert_array_equal(run(graph, inputs), expected)
        spread.append(len(np.unique(expected)))
    assert set(kinds) == set(KINDS)
    assert {(1, 1), (2, 2), (1, 2), (2, 1), (3, 2)} <= strides
    assert np.median(spread) > 10 and sum(count == 1 for count in spread) <= 4


def test_float_borders_and_dilation_run_in_the_interpreter() -> None:
    dilated = 0
    for seed in range(10):
        content = random_network(seed, float_borders=True, dilation=True, containing="CONV_2D")
        model = tflite.Model.GetRootAs(content, 0)
        graph = model.Subgraphs(0)
        shape = graph.Tensors(graph.Inputs(0)).ShapeAsNumpy()
        real = np.random.RandomState(seed).uniform(0, 1, shape).astype(np.float32)
        assert np.isfinite(tflite_oracle.outputs(content, real)).all()
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            if operator.BuiltinOptionsType() == tflite.BuiltinOptions.Conv2DOptions:
                options = tflite.Conv2DOptions()
                options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
                dilated += max(options.DilationHFactor(), options.DilationWFactor()) > 1
    assert dilated
