"""The memory plan: nothing that is alive together overlaps unless its step allows it, and lifetimes are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import activation

from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.memory import ALIGNMENT, Claim, plan_memory
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.overlap import Overlap, in_stripes
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


@settings(max_examples=60, deadline=None)
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


OVERLAPS = st.one_of(st.none(), st.builds(Overlap, st.integers(-40, 60), st.sampled_from([1, 3, 8])))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=12),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.lists(st.integers(0, 60), min_size=1, max_size=4),
    st.lists(st.tuples(OVERLAPS, OVERLAPS), min_size=1, max_size=5),
)
def test_outputs_lie_over_inputs_only_as_steps_allow_it(
    sizes: list[int], skips: list[int], scratch: list[int], overlaps: list[tuple[Overlap | None, Overlap | None]]
) -> None:
    graph = chain(sizes, skips, [False])
    wanted = [
        Claim((op,), {RAM: scratch[op.index % len(scratch)]}, NHWC, overlaps[op.index % len(overlaps)])
        for op in graph.operators
    ]
    plan = plan_memory(graph, wanted)
    named = {**{("activation", k): b for k, b in plan.activations.items()}}
    named.update({("scratch", k): b for k, b in plan.scratch.items()})
    readers = {
        index: [op.index for op in graph.operators for t in op.inputs if t.index == index] for index in range(99)
    }
    for (kind, key), one in named.items():
        assert one.offset % ALIGNMENT == 0 and one.offset + one.size <= plan.size
        for (other_kind, other_key), other in named.items():
            apart = one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
            if apart or (kind, key) == (other_kind, other_key) or one.first > other.last or other.first > one.last:
                continue
            # They share bytes: one is made by the step that reads the other one for the last time.
            source, made = sorted((key, other_key))
            assert (kind, other_kind) == ("activation", "activation")
            step = graph.operators[made - 1]
            assert readers[source][-1] == step.index and source in [t.index for t in step.inputs]
            place = [t.index for t in step.inputs].index(source)
            overlap = overlaps[step.index % len(overlaps)][place]
            assert overlap is not None
            assert overlap.allows(plan.activations[made].offset - plan.activations[source].offset)


def test_a_chain_that_works_in_place_takes_one_buffer() -> None:
    graph = chain([64] * 9, [0], [False])
    in_place = [Claim((op,), {}, NHWC, (Overlap(0, 8),)) for op in graph.operators]
    assert plan_memory(graph, in_place).size == 64
    short = chain([64] * 4, [0], [False])
    behind = [Claim((op,), {}, NHWC, (Overlap(-16),)) for op in short.operators]
    assert plan_memory(short, behind).size == 80, "one above the other, by 16 bytes"
    by_channels = [Claim((op,), {}, NHWC, (Overlap(63, 24),)) for op in graph.operators]
    assert plan_memory(graph, by_channels).size == 64


def test_what_is_read_later_is_not_written_over() -> None:
    graph = chain([8, 64, 64, 64, 8], [0, 0, 2], [False])
    assert [t.index for t in graph.operators[2].inputs] == [2, 0]
    graph = chain([8, 64, 64, 64, 8], [0, 0, 1], [False])
    assert [t.index for t in graph.operators[2].inputs] == [2, 1], "the first activation is read again"
    plan = plan_memory(graph, [Claim((op,), {}, NHWC, (Overlap(0), Overlap(0))) for op in graph.operators])
    assert plan.size == 128


def test_an_input_that_goes_in_twice_is_not_written_over() -> None:
    tensors = {index: activation(index, (64,), 1.0, 0) for index in range(4)}
    twice = Step(1, "step_1", "t1", (tensors[1], tensors[1]), tensors[2])
    first, last = (Step(i, f"step_{i}", f"t{i}", (tensors[i],), tensors[i + 1]) for i in (0, 2))
    graph = Graph("twice", tensors, (first, twice, last), 0, 3, "0" * 64)
    plan = plan_memory(graph, [Claim((op,), {}, NHWC, (Overlap(0), Overlap(0))) for op in graph.operators])
    assert plan.size == 128


@given(OVERLAPS, st.integers(-99, 99), st.sampled_from([1, 4, 8]))
def test_the_next_distance_is_the_nearest_one(overlap: Overlap | None, distance: int, unit: int) -> None:
    if overlap is None:
        return
    fine = [d for d in range(-400, 400) if overlap.allows(d) and d % unit == 0]
    assert overlap.next_output(distance, unit) == min((d for d in fine if d >= distance), default=None)
    assert overlap.next_input(distance, unit) == max(d for d in fine if d <= distance)
    assert overlap.least(50, 30) == min(
        [80, *(max(50, d + 30) - min(0, d) for d in range(-99, 99) if d <= overlap.latest)]
    )


def test_stripes_say_how_far_behind_outputs_stay() -> None:
    # Three rows at a time of 10 bytes each, of which the next stripe still needs one.
    assert in_stripes([30, 60, 90], [0, 20, 50], 80) == Overlap(-10)
    assert in_stripes([15, 30, 45], [0, 20, 50], 80) == Overlap(5)
    assert in_stripes([90], [0], 80) == Overlap(80), "all of it is read before anything is written"


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
