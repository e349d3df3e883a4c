"""The static memory plan: one arena in which buffers whose lifetimes do not meet share their bytes.

Placement is greedy by size, each buffer at the lowest offset that is free during its whole lifetime (the "greedy by
size" offset calculation of Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from approx_plugin.kernels.borders import borders_of, roots
from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.needs import RAM, Bytes
from approx_plugin.kernels.program import Buffer, MemoryPlan
from approx_plugin.kernels.run import Run
from approx_plugin.model.graph import Graph

ALIGNMENT = 8
"""Bytes: LDRD and 64-bit accesses of any kernel."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What a step wants of the plan. scratch: bytes by memory; output: the layout of what it leaves."""

    run: Run
    scratch: Bytes
    output: Layout = NHWC


def plan_memory(graph: Graph, claims: Sequence[Claim]) -> MemoryPlan:
    """Places every activation but those of `borders_of`, the caller's buffers and states, and every step's scratch.

    claims: of steps that cover every operator but views. What passes inside of a step gets no place. The plan's size is
    0 for a network that needs nothing.
    """
    root = roots(graph)
    outside = set(borders_of(graph, [claim.run for claim in claims]).places)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}
    alignments: dict[int, int] = {}
    inside: set[int] = set()
    for claim in claims:
        start, end = claim.run[0].index, claim.run[-1]
        inside.update(operator.output.index for operator in claim.run[:-1])
        # A step reads its inputs and writes its output from its beginning to its end.
        for operator in claim.run:
            for tensor in operator.inputs:
                last[root[tensor.index]] = max(last.get(root[tensor.index], 0), end.index)
        key = root[end.output.index]
        first[key] = start
        last[key] = max(last.get(key, 0), end.index)
        sizes[key], alignments[key] = claim.output.size(end.output), claim.output.alignment
    for operator in graph.operators:
        if operator.is_alias:
            key = root[operator.output.index]
            last[key] = max(last.get(key, 0), operator.index)
    last.update({root[index]: len(graph.operators) for index in graph.kept})
    wanted = [
        (("activation", key), Buffer(graph.tensors[key].name, 0, sizes[key], first[key], last[key]), alignments[key])
        for key in sizes
        if key not in outside and key not in inside
    ]
    wanted += [
        (("scratch", run[0].index), Buffer(f"{run[-1].name} scratch", 0, size, run[0].index, run[-1].index), ALIGNMENT)
        for run, size in ((claim.run, claim.scratch.get(RAM, 0)) for claim in claims)
        if size
    ]
    placed: list[tuple[tuple[str, int], Buffer]] = []
    for key_, buffer, alignment in sorted(wanted, key=lambda w: (-w[1].size, w[1].first, w[0])):
        offset = _offset(buffer, [b for _, b in placed], max(alignment, ALIGNMENT))
        placed.append((key_, replace(buffer, offset=offset)))
    size = max((b.offset + b.size for _, b in placed), default=0)
    beside: dict[str, int] = {}
    for claim in claims:
        for memory, count in claim.scratch.items():
            if memory != RAM:
                beside[memory] = max(beside.get(memory, 0), _aligned(count, ALIGNMENT))
    alignment = max([ALIGNMENT, *alignments.values()])
    return MemoryPlan(
        size=_aligned(size, alignment),
        alignment=alignment,
        activations={key: b for (kind, key), b in placed if kind == "activation"},
        scratch={key: b for (kind, key), b in placed if kind == "scratch"},
        beside=beside,
    )


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _offset(buffer: Buffer, placed: Sequence[Buffer], alignment: int) -> int:
    """The lowest aligned offset at which the buffer meets no other one that is alive at the same time."""
    offset = 0
    for other in sorted(placed, key=lambda b: b.offset):
        alive = other.first <= buffer.last and buffer.first <= other.last
        if alive and other.offset < offset + buffer.size and offset < other.offset + other.size:
            offset = _aligned(other.offset + other.size, alignment)
    return offset
