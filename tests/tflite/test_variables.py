"""Streaming networks: their variables become states, and inferences follow each other as in TensorFlow Lite."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite_oracle
from arm_call import portable_subset, run_program
from host_call import run_on_host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_cases import graph_of
from networks import preferring
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.errors import ApproxError
from approx_plugin.reference.executor import run
from approx_plugin.reference.vectors import make_vectors

SCALE, ZERO = 0.1, -3


class Streaming(ModelBuilder):
    """A builder with variables."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, Any] = {}

    def handle(self, name: str) -> Any:
        made = self.tensor((), "int32", name=f"{name} handle")
        self.operator("VAR_HANDLE", [], [made], Options("VarHandleOptions", {"SharedName": name, "Container": ""}))
        return made

    def start(self) -> None:
        self.operator("CALL_ONCE", [], [], Options("CallOnceOptions", {"InitSubgraphIndex": 1}))

    def read(self, handle: Any, shape: tuple[int, ...], name: str = "") -> Any:
        made = self.tensor(shape, scale=SCALE, zero_point=ZERO, name=name)
        self.operator("READ_VARIABLE", [handle], [made], Options("ReadVariableOptions", {}))
        return made

    def assign(self, handle: Any, value: Any) -> None:
        self.operator("ASSIGN_VARIABLE", [handle, value], [], Options("AssignVariableOptions", {}))

    def initial(self, values: dict[str, np.ndarray]) -> None:
        self.subgraph("init")
        for name, array in values.items():
            constant = self.tensor(array.shape, scale=SCALE, zero_point=ZERO, data=array)
            self.assign(self.handle(name), constant)


def ring(length: int, width: int, first: np.ndarray, order: str) -> bytes:
    """A window over the last `length` inputs, and what is the largest in it."""
    b = Streaming()
    b.start()
    x, handle = b.input((1, 1, width), SCALE, ZERO), b.handle("window")
    old = b.read(handle, (1, length, width))
    joined = b.layer(
        "CONCATENATION", [old, x], (1, length + 1, width), options=Options("ConcatenationOptions", {"Axis": 1})
    )
    places = [b.numbers(values) for values in ([0, 1, 0], [1, length + 1, width], [1, 1, 1])]
    if order == "late":
        options = Options("ReducerOptions", {"KeepDims": False})
        b.output(b.layer("REDUCE_MAX", [old, b.numbers([1])], (1, width), options=options))
    kept = b.layer("STRIDED_SLICE", [joined, *places], (1, length, width), options=Options("StridedSliceOptions", {}))
    b.assign(handle, kept)
    if order == "behind":
        kept = b.read(handle, (1, length, width))
    options = Options("ReducerOptions", {"KeepDims": False})
    b.output(
        b.layer("REDUCE_MAX", [joined if order == "joined" else kept, b.numbers([1])], (1, width), options=options)
    )
    b.initial({"window": first})
    return b.build()


def feedback(first: np.ndarray) -> bytes:
    """The last output goes in again: the next value is an output, and the old one is read to the end."""
    b = Streaming()
    b.start()
    x, handle = b.input((1, 4), SCALE, ZERO), b.handle("last")
    old = b.read(handle, (1, 4))
    new = b.add(x, old, scale=SCALE, zero_point=ZERO)
    b.assign(handle, new)
    b.output(new, old)
    b.initial({"last": first})
    return b.build()


def shift(first: np.ndarray) -> bytes:
    """Two variables in a row: one holds the last input, the other the one before."""
    b = Streaming()
    b.start()
    x, one, other = b.input((1, 4), SCALE, ZERO), b.handle("one"), b.handle("other")
    last, before = b.read(one, (1, 4)), b.read(other, (1, 4))
    b.output(b.add(last, before, scale=SCALE, zero_point=ZERO))
    b.assign(one, x)
    b.assign(other, last)
    b.initial({"one": first, "other": first[:, ::-1]})
    return b.build()


FIRST = np.array([[1, -2, 3, 100]], np.int8)
ORDERS = ("joined", "late", "behind", "kept")
NETWORKS: dict[str, Callable[[], bytes]] = {
    **{order: partial(ring, 3, 2, np.full((1, 3, 2), ZERO, np.int8), order) for order in ORDERS},
    "feedback": partial(feedback, FIRST),
    "shift": partial(shift, FIRST),
}


def inputs_of(content: bytes, count: int = 12) -> np.ndarray:
    return np.random.default_rng(2).integers(-128, 128, (count, *graph_of(content).input_shape), dtype=np.int8)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_sequence_equals_tflite(name: str) -> None:
    content = NETWORKS[name]()
    graph, inputs = graph_of(content), inputs_of(content)
    assert graph.states
    answers = run(graph, inputs)
    np.testing.assert_array_equal(answers.reshape(len(inputs), -1), tflite_oracle.sequence(content, inputs))
    np.testing.assert_array_equal(run(graph, inputs[:3]), answers[:3], err_msg="every run starts anew")
    vectors = make_vectors(graph, inputs)
    assert vectors.sequence and vectors.part(0, 5).sequence
    np.testing.assert_array_equal(vectors.outputs, answers)
    with pytest.raises(ValueError, match="starts with its first"):
        vectors.part(1, 5)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 5), st.integers(1, 4), st.sampled_from(ORDERS), st.integers(0, 99))
def test_windows_of_all_sizes(length: int, width: int, order: str, seed: int) -> None:
    first = np.random.default_rng(seed).integers(-128, 128, (1, length, width), dtype=np.int8)
    content = ring(length, width, first, order)
    inputs = inputs_of(content, length + 4)
    wanted = tflite_oracle.sequence(content, inputs)
    np.testing.assert_array_equal(run(graph_of(content), inputs).reshape(len(inputs), -1), wanted)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_generated_code_remembers(name: str, tmp_path: Path) -> None:
    content = NETWORKS[name]()
    graph, inputs = graph_of(content), inputs_of(content)
    program = preferring(graph, "cmsis_nn")
    answers = run_program(program, tmp_path, "cortex-m4", inputs, portable_subset())
    np.testing.assert_array_equal(answers, run(graph, inputs))


def test_the_generated_code_under_sanitizers(tmp_path: Path) -> None:
    content = NETWORKS["feedback"]()
    graph, inputs = graph_of(content), inputs_of(content)
    answers = run_on_host(preferring(graph, "cmsis_nn", backend="c"), tmp_path, inputs)
    np.testing.assert_array_equal(answers, run(graph, inputs))


def test_a_window_is_kept_in_its_own_place() -> None:
    graph = graph_of(NETWORKS["joined"]())
    text = preferring(graph, "cmsis_nn").sources["Src/approx_network.c"]
    assert "memcpy(network_state" not in text and "memset(network_state, -3, 6u)" in text
    text = preferring(graph_of(NETWORKS["feedback"]()), "cmsis_nn").sources["Src/approx_network.c"]
    # The old value goes out before the new one takes its place.
    assert text.index("memcpy((output + 4), network_state") < text.index("memcpy(network_state, output, 4u)")
    text = preferring(graph_of(NETWORKS["shift"]()), "cmsis_nn").sources["Src/approx_network.c"]
    assert text.index("memcpy((network_state + 8), network_state") < text.index("memcpy(network_state, input")


def refused(b: ModelBuilder) -> str:
    with pytest.raises(ApproxError) as caught:
        graph_of(b.build())
    return str(caught.value)


def variable(b: Streaming, first: np.ndarray | None) -> None:
    b.start()
    x, handle = b.input((1, 4), SCALE, ZERO), b.handle("v")
    b.output(b.add(b.read(handle, (1, 4), "old"), x, scale=SCALE))
    b.assign(handle, x)
    b.initial({} if first is None else {"v": first})


def test_unclear_variables_are_refused() -> None:
    b = Streaming()
    variable(b, None)
    assert '"old" has no first value' in refused(b)
    b = Streaming()
    variable(b, FIRST[:, :3])
    assert '"old" is int8 [1, 4]' in refused(b)
    b = Streaming()
    b.start()
    x, one, other = b.input((1, 4), SCALE, ZERO), b.handle("one"), b.handle("other")
    last, before = b.read(one, (1, 4)), b.read(other, (1, 4))
    b.output(b.add(x, last, scale=SCALE))
    b.assign(one, before)
    b.assign(other, last)
    b.initial({"one": FIRST, "other": FIRST})
    assert "two of them exchange their values" in refused(b)
    b = Streaming()
    b.operator("CALL_ONCE", [], [], Options("CallOnceOptions", {"InitSubgraphIndex": 7}))
    b.output(b.softmax(b.input((1, 4), 0.1)))
    assert "CALL_ONCE names subgraph 7 of 1" in refused(b)
