"""Designs of one network as a tree: they part where their layers begin to differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.candidate import Candidate, apply
from approx_plugin.exploration.design import Candidates, fingerprint, ordered
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.operators.softmax import Softmax
from approx_plugin.reference.executor import Activations, advance, classes, enter, finish, first_output


class Family:
    """What has been computed for the layers that designs have in common serves all of them."""

    def __init__(self, graph: Graph, designs: Sequence[Candidates]) -> None:
        """designs: of `graph`, any of them more than once as well."""
        self._graph = graph
        self._variants: dict[bytes, Graph] = {}
        self._changes: list[dict[int, bytes]] = [
            {candidate.layer: self._variant(candidate) for candidate in ordered(design)} for design in designs
        ]

    def _variant(self, candidate: Candidate) -> bytes:
        """The candidate's fingerprint; the network with this one layer changed is made once."""
        key = fingerprint(candidate)
        if key not in self._variants:
            self._variants[key] = apply(self._graph, [candidate])
        return key

    @property
    def scores(self) -> Tensor:
        """What the classes' probabilities are made of: the input of a softmax at the end, else the output itself."""
        last = self._graph.operators[-1]
        return last.inputs[0] if self._ends_in_softmax else self._graph.output_tensor

    @property
    def _ends_in_softmax(self) -> bool:
        last = self._graph.operators[-1]
        return isinstance(last, Softmax) and last.output.index == self._graph.output and not self._graph.more_outputs

    def classes(self, inputs: Int8Array) -> dict[int, npt.NDArray[np.int64]]:
        """The class of every input, int64 [images], by the design's place in the list."""
        ends = self._ends(inputs, len(self._graph.operators))
        found: dict[int, npt.NDArray[np.int64]] = {}
        for members, state in ends:
            predicted = classes(first_output(self._graph, finish(self._graph, state)))
            found.update(dict.fromkeys(members, predicted))
        return found

    def answers(self, inputs: Int8Array) -> dict[int, Int8Array]:
        """`scores` of every input, int8 [images, ...], by the design's place in the list."""
        softmax = self._ends_in_softmax
        found: dict[int, Int8Array] = {}
        for members, state in self._ends(inputs, len(self._graph.operators) - softmax):
            values = (
                state.values[self.scores.index] if softmax else first_output(self._graph, finish(self._graph, state))
            )
            found.update(dict.fromkeys(members, values))
        return found

    def _ends(self, inputs: Int8Array, position: int) -> list[tuple[list[int], Activations]]:
        """The states in front of an operator, and which designs have each of them in common."""
        found: list[tuple[list[int], Activations]] = []
        self._follow(enter(self._graph, inputs), list(range(len(self._changes))), position, found)
        return found

    def _follow(
        self, state: Activations, members: list[int], end: int, found: list[tuple[list[int], Activations]]
    ) -> None:
        """From `state` on, which all `members` have in common."""
        ahead = [layer for member in members for layer in self._changes[member] if layer >= state.position]
        if not ahead:
            found.append((members, advance(self._graph, state, end)))
            return
        layer = min(ahead)
        state = advance(self._graph, state, layer)
        branches: dict[bytes | None, list[int]] = {}
        for member in members:
            branches.setdefault(self._changes[member].get(layer), []).append(member)
        for variant, branch in branches.items():
            graph = self._graph if variant is None else self._variants[variant]
            self._follow(advance(graph, state, layer + 1), branch, end, found)
