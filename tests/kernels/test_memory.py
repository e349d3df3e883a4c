"""The memory plan: nothing that is alive together overlaps, and lifetimes are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from networks import activation

from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.memory import ALIGNMENT, Claim, plan_memory
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.program import MemoryPlan
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Step(Operator):
    """An operator of which only the wiring counts."""

    kind: ClassVar[str] = "STEP"
    alias: bool = False

    @classmethod
    def read(cls, node: object, index: int, name: str) -> Step:
        raise NotImplementedError

    def compute(self, inputs: object) -> np.ndarray:
        raise NotImplementedError

    @property
    def is_alias(self) -> bool:
        return self.alias


def chain(sizes: list[int], skips: list[int], aliases: list[bool]) -> Graph:
    """A chain of operators; `skips[i]` reaches back that far for a second input."""
    tensors = {i: activation(i, (size,), 1.0, 0) for i, size in enumerate(sizes)}
    operators = []
    for i in range(len(sizes) - 1):
        back = max(0, i - skips[i % len(skips)])
        alias = aliases[i % len(aliases)] and sizes[i] == sizes[i + 1]
        inputs = (tensors[i],) if alias or back == i else (tensors[i], tensors[back])
        operators.append(Step(i, f"step_{i}", f"t{i}", inputs, tensors[i + 1], alias))
    return Graph("chain", tensors, tuple(operators), 0, len(sizes) - 1, "0" * 64)


def claims(graph: Graph, scratch: Sequence[int] = (0,)) -> list[Claim]:
    """A step for each operator."""
    return [Claim((op,), {RAM: scratch[op.index % len(scratch)]}) for op in graph.operators if not op.is_alias]


def planned(graph: Graph) -> MemoryPlan:
    return plan_memory(graph, claims(graph))


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=12),
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.integers(0, 60), min_size=1, max_size=4),
)
def test_what_is_alive_together_does_not_overlap(
    sizes: list[int], skips: list[int], aliases: list[bool], scratch: list[int]
) -> None:
    graph = chain(sizes, skips, aliases)
    plan = plan_memory(graph, claims(graph, scratch))
    buffers = plan.buffers
    for buffer in buffers:
        assert buffer.offset % ALIGNMENT == 0
        assert buffer.offset + buffer.size <= plan.size
    for one in buffers:
        for other in buffers:
            if one is not other and one.first <= other.last and other.first <= one.last:
                assert one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
    # Every tensor is alive from its writer to its last reader; only what the caller gives and takes has no place.
    root = {0: 0}
    for op in graph.operators:
        root[op.output.index] = root[op.inputs[0].index] if op.is_alias else op.output.index
    callers = {root[graph.input], root[graph.output]}
    assert set(plan.activations) == set(root.values()) - callers
    for op in graph.operators:
        for tensor in (*op.inputs, op.output):
            held = plan.activations.get(root[tensor.index])
            assert (held is None) == (root[tensor.index] in callers)
            assert held is None or held.first <= op.index <= held.last
        wanted = 0 if op.is_alias else scratch[op.index % len(scratch)]
        held = plan.scratch.get(op.index)
        assert (held is None) == (wanted == 0)
        assert held is None or (held.first, held.last, held.size) == (op.index, op.index, wanted)


def test_two_alternating_buffers_serve_a_chain() -> None:
    assert planned(chain([64] * 9, [0], [False])).size == 128


def test_borders_are_the_callers() -> None:
    plan = planned(chain([1000, 16, 1000], [0], [False]))
    assert plan.size == 16
    assert list(plan.activations) == [1]


def test_an_alias_needs_no_bytes() -> None:
    assert planned(chain([8, 32, 32, 8], [0], [False, True, False])).size == 32


def test_what_passes_inside_of_a_step_gets_no_bytes() -> None:
    graph = chain([8, 4000, 16, 8], [0], [False])
    first, second, third = graph.operators
    plan = plan_memory(graph, [Claim((first, second), {RAM: 100}), Claim((third,), {})])
    assert list(plan.activations) == [2] and plan.size == 104 + 16
    (scratch,) = plan.scratch.values()
    assert (scratch.first, scratch.last) == (0, 1)
    held = plan.activations[2]
    assert (held.first, held.last) == (0, 2), "the step may write its output from its beginning on"


@dataclass(frozen=True)
class Doubled(Layout):
    """Two bytes an element, aligned to a cache line."""

    name: ClassVar[str] = "doubled"
    alignment: ClassVar[int] = 32

    def size(self, tensor: Tensor) -> int:
        return 2 * tensor.elements

    def arrange(self, values: np.ndarray) -> bytes:
        return values.astype("<i2").tobytes()


def test_a_layout_says_how_large_an_activation_is_and_how_it_is_aligned() -> None:
    graph = chain([8, 24, 40, 24, 8], [0], [False])
    plan = plan_memory(graph, [Claim((op,), {}, Doubled() if op.index < 3 else NHWC) for op in graph.operators])
    assert [plan.activations[i].size for i in (1, 2, 3)] == [48, 80, 48]
    assert plan.alignment == 32 and not any(buffer.offset % 32 for buffer in plan.buffers)
    assert plan.size % 32 == 0


def test_scratch_in_another_memory_is_shared_by_all_steps() -> None:
    graph = chain([8, 8, 8, 8], [0], [False])
    plan = plan_memory(graph, [Claim((op,), {DTCM: 10 * op.index, RAM: 8}) for op in graph.operators])
    assert plan.beside == {DTCM: 24} and len(plan.scratch) == 3
