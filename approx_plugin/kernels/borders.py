"""Where what goes in and comes out of a network lies: the application's buffers, and the states.

All inputs lie back to back in one buffer of the application's, likewise the outputs. The states have a buffer of the
network's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from approx_plugin.kernels.run import Run
from approx_plugin.model.graph import Graph, State

STATE_ALIGNMENT = 8
"""Bytes, of every state: kernels may read a state in words."""


@dataclass(frozen=True)
class Copy:
    """At the end of an inference: `count` bytes of the activation `source` go to `target`, a C expression."""

    target: str
    source: int
    count: int


@dataclass(frozen=True)
class Borders:
    """places: root of activations (see `roots`) -> C expression of its address. copies: in order."""

    places: Mapping[int, str]
    copies: tuple[Copy, ...]


def roots(graph: Graph) -> Mapping[int, int]:
    """For every activation the one whose bytes it shares: itself, or what an alias (RESHAPE) was made of."""
    root = {tensor.index: tensor.index for tensor in graph.inputs}
    root.update({state.source: state.source for state in graph.states})
    for operator in graph.operators:
        source = root[operator.inputs[0].index] if operator.is_alias else operator.output.index
        root[operator.output.index] = source
    return root


def borders_of(graph: Graph, runs: Sequence[Run]) -> Borders:
    """The places of all that lies outside of the arena. runs: of the steps, by which it is known who reads when.

    An output that another step reads as well is read in its buffer; one whose bytes lie elsewhere, in the input, say,
    is copied. A state's next value is made in the state's own place where nobody needs the old one any more.
    """
    root = roots(graph)
    places: dict[int, str] = {}
    for tensor, offset in zip(graph.inputs, offsets([t.elements for t in graph.inputs])):
        places.setdefault(tensor.index, at("input", offset))
    states = dict(zip(graph.states, state_offsets(graph)))
    places.update({state.source: at("network_state", offset) for state, offset in states.items()})
    copies = []
    for tensor, offset in zip(graph.outputs, offsets([t.elements for t in graph.outputs])):
        target = at("output", offset)
        if root[tensor.index] in places:
            copies.append(Copy(target, tensor.index, tensor.elements))
        else:
            places[root[tensor.index]] = target
    moved: list[State] = []
    for state in graph.states:
        result = root[state.result]
        if result == state.source:
            continue
        if result not in places and _is_read_before(graph, runs, root, state):
            places[result] = places[state.source]
        else:
            moved.append(state)
    return Borders(places, (*copies, *_in_order(graph, root, places, moved)))


def offsets(sizes: Sequence[int], alignment: int = 1) -> list[int]:
    """Where each one begins if they lie back to back."""
    found, offset = [], 0
    for size in sizes:
        found.append(offset)
        offset += -(-size // alignment) * alignment
    return found


def state_offsets(graph: Graph) -> list[int]:
    """Where each state begins in the states' buffer."""
    return offsets([graph.tensors[state.source].elements for state in graph.states], STATE_ALIGNMENT)


def state_bytes(graph: Graph) -> int:
    """The size of the states' buffer."""
    sizes = [graph.tensors[state.source].elements for state in graph.states]
    return sum(-(-size // STATE_ALIGNMENT) * STATE_ALIGNMENT for size in sizes)


def at(base: str, offset: int) -> str:
    """The address that many bytes behind `base`."""
    return f"({base} + {offset})" if offset else base


def _is_read_before(graph: Graph, runs: Sequence[Run], root: Mapping[int, int], state: State) -> bool:
    """Whether all that read the old value are done when the step begins that makes the next one."""
    needed_at_the_end = {root[index] for index in graph.kept}
    if state.source in needed_at_the_end:
        return False
    made = next(run[0].index for run in runs if root[run[-1].output.index] == root[state.result])
    readers = [run[-1].index for run in runs for op in run for t in op.inputs if root[t.index] == state.source]
    return all(reader < made for reader in readers)


def _in_order(
    graph: Graph, root: Mapping[int, int], places: Mapping[int, str], moved: Sequence[State]
) -> Sequence[Copy]:
    """The copies of next values to their places, each before what it reads is overwritten itself.

    Raises ValueError where states exchange their values: the reader refuses such networks.
    """
    left, found = list(moved), []
    while left:
        read = {state: root[state.result] for state in left}
        free = [s for s in left if all(other is s or source != s.source for other, source in read.items())]
        if not free:
            raise ValueError("states that exchange their values")
        left.remove(free[0])
        count = graph.tensors[free[0].source].elements
        found.append(Copy(places[free[0].source], free[0].result, count))
    return found
