"""The static memory plan: one arena in which buffers whose lifetimes do not meet share their bytes.

Each buffer lies at the lowest offset that is free during its whole lifetime (the greedy offset calculation of Pisarchyk
& Lee, "Efficient memory management for deep neural net inference", 2020), where a step's output may lie over an input
as far as the step allows that. Which buffer is placed first decides how much all of them take: many orders are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from approx_plugin.kernels.borders import borders_of, roots
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.needs import RAM, Bytes
from approx_plugin.kernels.overlap import Overlap
from approx_plugin.kernels.program import Buffer, MemoryPlan
from approx_plugin.kernels.run import Run, inputs_of
from approx_plugin.model.graph import Graph

ALIGNMENT = 8
"""Bytes: LDRD and 64-bit accesses of any kernel."""

MOST_MOVES, PLACINGS = 300, 500_000
"""How often an order is changed; and how many pairs of buffers may be compared for all of these changes."""

Name = tuple[str, int]
"""("activation", its root) or ("scratch", the step's first operator)."""

Pairs = Mapping[tuple[Name, Name], Overlap]
"""(input, output) of a step -> how they may overlap."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What a step wants of the plan. scratch: bytes by memory; output: the layout of what it leaves; overlaps: see
    `Needs`.
    """

    run: Run
    scratch: Bytes
    output: Layout = NHWC
    overlaps: tuple[Overlap | None, ...] = ()


def claim(plan: Plan, scratch: Bytes) -> Claim:
    """A plan's."""
    needs = plan.needs
    return Claim(plan.operators, scratch, needs.output, needs.overlaps)


@dataclass(frozen=True)
class _Wanted:
    """A buffer that has no place yet."""

    name: Name
    buffer: Buffer
    alignment: int

    def at(self, offset: int) -> _Wanted:
        return replace(self, buffer=replace(self.buffer, offset=offset))

    @property
    def end(self) -> int:
        return self.buffer.offset + self.buffer.size


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
        _Wanted(
            ("activation", key),
            Buffer(graph.tensors[key].name, 0, sizes[key], first[key], last[key]),
            max(alignments[key], ALIGNMENT),
        )
        for key in sizes
        if key not in outside and key not in inside
    ]
    wanted += [
        _Wanted(
            ("scratch", run[0].index),
            Buffer(f"{run[-1].name} scratch", 0, size, run[0].index, run[-1].index),
            ALIGNMENT,
        )
        for run, size in ((claim.run, claim.scratch.get(RAM, 0)) for claim in claims)
        if size
    ]
    placed = _placed(wanted, _pairs(claims, root, last))
    beside: dict[str, int] = {}
    for claim in claims:
        for memory, count in claim.scratch.items():
            if memory != RAM:
                beside[memory] = max(beside.get(memory, 0), _aligned(count, ALIGNMENT))
    alignment = max([ALIGNMENT, *alignments.values()])
    return MemoryPlan(
        size=_aligned(_height(placed), alignment),
        alignment=alignment,
        activations={one.name[1]: one.buffer for one in placed if one.name[0] == "activation"},
        scratch={one.name[1]: one.buffer for one in placed if one.name[0] == "scratch"},
        beside=beside,
    )


def _pairs(claims: Sequence[Claim], root: Mapping[int, int], last: Mapping[int, int]) -> Pairs:
    """Inputs that nobody reads after the step. One that goes in twice has to allow what both of its places allow."""
    found: dict[tuple[Name, Name], Overlap] = {}
    for claim in claims:
        end = claim.run[-1]
        output = root[end.output.index]
        sources = [root[tensor.index] for tensor in inputs_of(claim.run)]
        for source, overlap in zip(sources, claim.overlaps):
            if overlap is not None and last[source] == end.index and sources.count(source) == 1 and source != output:
                found[("activation", source), ("activation", output)] = overlap
    return found


def _placed(wanted: Sequence[_Wanted], pairs: Pairs) -> list[_Wanted]:
    """In the order, of those that are tried, that takes least.

    The largest first; activations before scratch; what lives long first: then a local search from the best of them, on
    the same random numbers every time, until nothing can be gained any more.
    """
    floor = _least(wanted, pairs)
    orders = [
        sorted(wanted, key=lambda w: (-w.buffer.size, w.buffer.first, w.name)),
        sorted(wanted, key=lambda w: (w.name[0] == "scratch", -w.buffer.size, w.buffer.first, w.name)),
        sorted(wanted, key=lambda w: (w.buffer.first - w.buffer.last, -w.buffer.last, w.name)),
    ]
    best: list[_Wanted] | None = None
    for order in orders:
        made = _in_order(order, pairs)
        if best is None or _height(made) < _height(best):
            best = made
        if _height(best) <= floor:
            return best
    assert best is not None
    random = Random(len(wanted))
    order = list(best)
    for _ in range(min(MOST_MOVES, PLACINGS // len(wanted) ** 2)):
        changed = list(order)
        changed.insert(random.randrange(len(order)), changed.pop(random.randrange(len(order))))
        made = _in_order(changed, pairs)
        if _height(made) <= _height(best):
            order, best = changed, made
        if _height(best) <= floor:
            break
    return best


def _in_order(order: Sequence[_Wanted], pairs: Pairs) -> list[_Wanted]:
    made: list[_Wanted] = []
    for one in order:
        made.append(one.at(_offset(one, made, pairs)))
    return made


def _height(placed: Sequence[_Wanted]) -> int:
    return max((one.end for one in placed), default=0)


def _least(wanted: Sequence[_Wanted], pairs: Pairs) -> int:
    """Bytes below which no plan comes: what is alive at a time, without what overlaps at best."""
    size = {one.name: one.buffer.size for one in wanted}
    spared: dict[int, int] = {}
    for (source, output), _ in pairs.items():
        if source in size and output in size:
            first = next(one.buffer.first for one in wanted if one.name == output)
            spared[first] = spared.get(first, 0) + min(size[source], size[output])
    times = {one.buffer.first for one in wanted}
    alive = {t: sum(w.buffer.size for w in wanted if w.buffer.first <= t <= w.buffer.last) for t in times}
    return max((total - spared.get(t, 0) for t, total in alive.items()), default=0)


def _aligned(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _offset(one: _Wanted, placed: Sequence[_Wanted], pairs: Pairs) -> int:
    """The lowest aligned offset at which a buffer meets no other one that is alive at the same time, but for pairs."""
    alive = [p for p in placed if p.buffer.first <= one.buffer.last and one.buffer.first <= p.buffer.last]
    alive.sort(key=lambda p: p.buffer.offset)
    offset, settled = 0, False
    while not settled:
        settled = True
        for other in alive:
            start, end = other.buffer.offset, other.end
            if offset + one.buffer.size <= start or end <= offset:
                continue
            following = _aligned(end, one.alignment)
            into, out_of = pairs.get((other.name, one.name)), pairs.get((one.name, other.name))
            if into is not None:
                distance = into.next_output(offset - start, one.alignment)
                following = following if distance is None else min(following, start + distance)
            elif out_of is not None:
                following = min(following, start - out_of.next_input(start - offset, one.alignment))
            if following > offset:
                offset, settled = following, False
    return offset
