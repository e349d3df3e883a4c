"""The static memory plan: one arena in which buffers whose lifetimes do not meet share their bytes.

Placement is greedy by size, each buffer at the lowest offset that is free during its whole lifetime (the "greedy by
size" offset calculation of Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from approx_plugin.kernels.program import Buffer, MemoryPlan
from approx_plugin.model.graph import Graph

ALIGNMENT = 8
"""Bytes: LDRD and 64-bit accesses of any kernel."""


def roots(graph: Graph) -> Mapping[int, int]:
    """For every activation the one whose bytes it shares: itself, or what an alias (RESHAPE) was made of."""
    root = {graph.input: graph.input}
    for operator in graph.operators:
        source = root[operator.inputs[0].index]
        root[operator.output.index] = source if operator.is_alias else operator.output.index
    return root


def plan_memory(graph: Graph, scratch_bytes: Mapping[int, int]) -> MemoryPlan:
    """Places every activation but the network's input and output (the caller's buffers), and every layer's scratch.

    scratch_bytes: layer index -> bytes. The plan's size is 0 for a network that needs nothing.
    """
    root = roots(graph)
    outside = {root[graph.input], root[graph.output]}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for operator in graph.operators:
        for tensor in operator.inputs:
            last[root[tensor.index]] = operator.index
        key = root[operator.output.index]
        first.setdefault(key, operator.index)
        last[key] = operator.index
        sizes.setdefault(key, operator.output.elements)
    wanted = [
        (("activation", key), Buffer(graph.tensors[key].name, 0, sizes[key], first[key], last[key]))
        for key in sizes
        if key not in outside
    ]
    wanted += [
        (("scratch", layer), Buffer(f"{graph.operators[layer].name} scratch", 0, size, layer, layer))
        for layer, size in scratch_bytes.items()
        if size
    ]
    placed: list[tuple[tuple[str, int], Buffer]] = []
    for key_, buffer in sorted(wanted, key=lambda w: (-w[1].size, w[1].first, w[0])):
        placed.append((key_, replace(buffer, offset=_offset(buffer, [b for _, b in placed]))))
    size = max((b.offset + b.size for _, b in placed), default=0)
    return MemoryPlan(
        size=-(-size // ALIGNMENT) * ALIGNMENT,
        activations={key: b for (kind, key), b in placed if kind == "activation"},
        scratch={key: b for (kind, key), b in placed if kind == "scratch"},
    )


def _offset(buffer: Buffer, placed: Sequence[Buffer]) -> int:
    """The lowest aligned offset at which the buffer meets no other one that is alive at the same time."""
    offset = 0
    for other in sorted(placed, key=lambda b: b.offset):
        alive = other.first <= buffer.last and buffer.first <= other.last
        if alive and other.offset < offset + buffer.size and offset < other.offset + other.size:
            offset = -(-(other.offset + other.size) // ALIGNMENT) * ALIGNMENT
    return offset
