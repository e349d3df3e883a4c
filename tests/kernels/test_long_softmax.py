"""Softmax over rows so long that int32 arithmetic could lose its meaning: reference, firmware and TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path

import naive
import numpy as np
import numpy.typing as npt
import pytest
import tflite_oracle
from arm_call import CmsisNnTree, portable_subset, run_program
from cmsis_nn_reference import softmax_row
from host_call import run_on_host
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import graph_of
from networks import lowered_by
from tflite_writer import ModelBuilder

from approx_plugin.kernels.program import Program
from approx_plugin.model.graph import Graph
from approx_plugin.operators.softmax import LONG_ROW, Softmax
from approx_plugin.reference.executor import run

SIZES = (511, 512, 513, 1000, 4095, 4096, 4097, 8200)
LIMIT = 512 << 19
"""A sum of exponentials in Q12.19 from which on gemmlowp's last shift is one by 32."""


def model(size: int, scale: float, rows: int = 1) -> bytes:
    """A softmax over `rows` rows."""
    builder = ModelBuilder()
    builder.output(builder.softmax(builder.input((1, rows, size), scale, 3)))
    return builder.build()


def inputs_for(size: int, seed: int = 0) -> npt.NDArray[np.int8]:
    """Rows [count, size]: flat ones, nearly flat ones, one winner among many, and random ones."""
    rng = np.random.default_rng(seed)
    rows = [np.full(size, value) for value in (-128, 0, 127)]
    rows += [rng.integers(5, 5 + spread, size) for spread in (2, 3, 9)]
    for depth in (20, 90, 200):
        winner = np.full(size, 127 - depth)
        winner[rng.integers(size)] = 127
        rows.append(winner)
    half = np.full(size, -100)
    half[: size // 2] = 100
    rows += [half, rng.integers(-128, 128, size), np.clip(rng.normal(-60, 25, size), -128, 127)]
    return np.array(rows).astype(np.int8)


def sum_of(operator: Softmax, row: npt.NDArray[np.int8]) -> int:
    """The sum of a row's exponentials in Q12.19, in integers that do not end."""
    found = operator.exponentials[int(row.max()) - row.astype(np.int64)]
    return sum((int(value) + 2048) >> 12 for value in found)


def softmax_of(graph: Graph) -> Softmax:
    (operator,) = graph.operators
    assert isinstance(operator, Softmax)
    return operator


@pytest.mark.parametrize("scale", [0.0005, 0.02, 0.3])
@pytest.mark.parametrize("size", SIZES)
def test_the_reference_is_the_softmax(size: int, scale: float) -> None:
    """Within the rounding of the real function, and number by number where gemmlowp's arithmetic is defined."""
    graph, inputs = graph_of(model(size, scale)), inputs_for(size)
    operator = softmax_of(graph)
    found = run(graph, inputs[:, None, :])[:, 0]
    real = naive.softmax_of_reals(inputs, scale, 1.0)
    assert np.abs(found - np.minimum(real, 127)).max() <= 0.51
    numbers = operator.multiplier.mantissa, operator.multiplier.shift, operator.difference_min
    for row, answers in zip(inputs, found.tolist()):
        wanted = softmax_row(row.tolist(), *numbers) if sum_of(operator, row) < LIMIT else [-128] * size
        assert answers == wanted


@pytest.mark.parametrize("size", [511, 512, 1000, 5000])
def test_tflite_gives_the_same_wherever_it_is_defined(size: int) -> None:
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    compared = 0
    for scale in (0.02, 0.1):
        content = model(size, scale)
        graph, inputs = graph_of(content), inputs_for(size)
        operator = softmax_of(graph)
        defined = inputs[[sum_of(operator, row) < LIMIT for row in inputs]]
        compared += len(defined)
        wanted = tflite_oracle.outputs(content, defined[:, None, :])
        np.testing.assert_array_equal(run(graph, defined[:, None, :]), wanted)
    assert compared >= 5


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.integers(500, 9000),
    scale=st.floats(0.0001, 0.5),
    spread=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_row_keeps_to_the_real_function(size: int, scale: float, spread: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-spread, spread, (1, 1, size)).astype(np.int8)
    found = run(graph_of(model(size, scale)), values)
    real = naive.softmax_of_reals(values, float(np.float32(scale)), 1.0)
    assert np.abs(found - np.minimum(real, 127)).max() <= 0.51


def program(graph: Graph, backend: str) -> Program:
    return lowered_by(graph, "cmsis_nn", "cortex-m4", backend)


@pytest.mark.parametrize("size", SIZES)
def test_c_on_this_computer(size: int, tmp_path: Path) -> None:
    """Nothing undefined on the way."""
    graph, inputs = graph_of(model(size, 0.02, rows=2)), inputs_for(size).reshape(-1, 2, size)
    np.testing.assert_array_equal(run_on_host(program(graph, "c"), tmp_path, inputs), run(graph, inputs))


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33"])
@pytest.mark.parametrize("size", [511, 512, 5000])
def test_on_a_core(size: int, core: str, tmp_path: Path) -> None:
    graph, inputs = graph_of(model(size, 0.02, rows=2)), inputs_for(size).reshape(-1, 2, size)
    answers = run_program(program(graph, "assembly"), tmp_path, core, inputs, portable_subset())
    np.testing.assert_array_equal(answers, run(graph, inputs))


@pytest.mark.parametrize("size", [511, 512, 5000])
def test_with_the_library(size: int, cmsis_nn: Path, tmp_path: Path) -> None:
    """Whatever CMSIS-NN does with long rows."""
    graph, inputs = graph_of(model(size, 0.02)), inputs_for(size)[:, None, :]
    tree = CmsisNnTree(cmsis_nn / "Include", tuple(sorted((cmsis_nn / "Source").rglob("*_s8*.c"))))
    answers = run_program(program(graph, "assembly"), tmp_path, "cortex-m4", inputs, tree)
    np.testing.assert_array_equal(answers, run(graph, inputs))


def test_short_and_long_rows_beside_other_layers(tmp_path: Path) -> None:
    """A network in which some layers call the library and one does not; both ways of calling fit into one file."""
    builder = ModelBuilder()
    x = builder.input((1, 1, 1, LONG_ROW), 0.02)
    short = builder.softmax(builder.reshape(x, (1, 8, LONG_ROW // 8)))
    y = builder.add(builder.reshape(short, (1, 1, 1, LONG_ROW)), x, scale=0.02)
    builder.output(builder.softmax(y))
    graph = graph_of(builder.build())
    inputs = inputs_for(LONG_ROW).reshape(-1, 1, 1, LONG_ROW)
    lowered = program(graph, "c")
    assert lowered.cmsis_nn_functions == ("arm_elementwise_add_s8", "arm_softmax_s8")
    np.testing.assert_array_equal(run_on_host(lowered, tmp_path, inputs), run(graph, inputs))
