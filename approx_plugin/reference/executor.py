"""Runs a Graph on the host.

Everything goes through `Activations`, the state between two operators: what a later operator, or the output, still
needs. A search that changes layers from some position on computes the state in front of it once, and resumes from
there for every variant:

    before = advance(graph, enter(graph, inputs), position)
    outputs = finish(changed_graph, before)

Inputs go through in batches, so that the memory beyond the given state and the results stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.dataset import Dataset
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array

BATCH = 64
"""Inputs that go through the network together. 32 to 128 were measured to be equally fast; more costs memory only."""


@dataclass(frozen=True, eq=False)
class Activations:
    """The state of a run in front of operator `position` (the number of operators: behind the last one).

    values: tensor index -> int8 [count, ...], exactly those that operators from `position` on, or the output, need.
    """

    position: int
    values: Mapping[int, Int8Array]

    @property
    def count(self) -> int:
        """Number of inputs that it stands for."""
        return len(next(iter(self.values.values())))

    @property
    def nbytes(self) -> int:
        """Memory of the values."""
        return sum(values.nbytes for values in self.values.values())


def enter(graph: Graph, inputs: Int8Array) -> Activations:
    """The state in front of the first operator. `inputs`: int8 [count, *graph.input_shape].

    Raises ValueError for another type or shape (what a user can do wrong is checked where data sets are read).
    """
    expected = graph.input_shape
    if inputs.dtype != np.int8 or inputs.shape[1:] != expected:
        raise ValueError(f"inputs are {inputs.dtype} {inputs.shape}, expected int8 [count, {expected}]")
    if not graph.more_inputs:
        return Activations(0, {graph.input: inputs})
    ends = np.cumsum([tensor.elements for tensor in graph.inputs])
    parts = np.split(inputs, ends[:-1], axis=1)
    return Activations(
        0,
        {t.index: part.reshape(len(inputs), *t.shape[1:]) for t, part in zip(graph.inputs, parts)},
    )


def advance(graph: Graph, activations: Activations, position: int, *, batch: int = BATCH) -> Activations:
    """The state in front of operator `position`, which must not lie before the given one.

    Raises ValueError for a network with states: there, an inference ends before the next one begins.
    """
    if graph.states:
        raise ValueError("inferences that depend on each other do not go through the network together")
    if not activations.position <= position <= len(graph.operators):
        raise ValueError(f"cannot go from operator {activations.position} to {position}")
    if position == activations.position:
        return activations
    results: dict[int, Int8Array] = {
        number: np.empty((activations.count, *graph.tensors[number].shape[1:]), dtype=np.int8)
        for number in _needed(graph, position)
    }
    for start in range(0, activations.count, batch):
        values = {index: array[start : start + batch] for index, array in activations.values.items()}
        for index in range(activations.position, position):
            values[graph.operators[index].output.index] = _step(graph, index, values)
            values = {number: values[number] for number in _needed(graph, index + 1) if number in values}
        for number, result in results.items():
            result[start : start + batch] = values[number]
    return Activations(position, results)


def finish(graph: Graph, activations: Activations, *, batch: int = BATCH) -> Int8Array:
    """The network's outputs, int8 [count, *graph.output_shape], from a state on."""
    return joined(graph, advance(graph, activations, len(graph.operators), batch=batch).values)


def run(graph: Graph, inputs: Int8Array, *, batch: int = BATCH) -> Int8Array:
    """The network's outputs, int8 [count, *graph.output_shape], of inputs int8 [count, *graph.input_shape].

    The inputs of a network with states are one sequence, from the initial states on.
    """
    if graph.states:
        found = [joined(graph, values) for values in sequence(graph, inputs)]
        return np.concatenate(found) if found else np.empty((0, *graph.output_shape), np.int8)
    return finish(graph, enter(graph, inputs), batch=batch)


def layers(graph: Graph, inputs: Int8Array) -> Iterator[Int8Array]:
    """Every operator's output in turn, int8 [count, ...]; all inputs together, so give a batch of them.

    For whoever looks at each layer (statistics, checksums): only what later layers need is kept meanwhile. The inputs
    of a network with states are one sequence.
    """
    if graph.states:
        steps = list(sequence(graph, inputs))
        for operator in graph.operators:
            yield np.concatenate([values[operator.output.index] for values in steps])
        return
    values = dict(enter(graph, inputs).values)
    for operator in graph.operators:
        output = _step(graph, operator.index, values)
        values[operator.output.index] = output
        values = {number: values[number] for number in _needed(graph, operator.index + 1) if number in values}
        yield output


def run_layers(graph: Graph, inputs: Int8Array) -> list[Int8Array]:
    """Every operator's output, int8 [count, ...]."""
    return list(layers(graph, inputs))


def classes(outputs: Int8Array) -> npt.NDArray[np.int64]:
    """int64 [count]: the index of the largest output, the first one of several equal ones."""
    found: npt.NDArray[np.int64] = outputs.reshape(len(outputs), -1).argmax(axis=1).astype(np.int64)
    return found


def first_output(graph: Graph, outputs: Int8Array) -> Int8Array:
    """The first one alone, int8 [count, ...], of what comes out of `run`: that which classes are taken from."""
    return outputs[:, : graph.output_tensor.elements] if graph.more_outputs else outputs


def predictions(graph: Graph, inputs: Int8Array, *, batch: int = BATCH) -> npt.NDArray[np.int64]:
    """int64 [count]: the class of every input, by the first output."""
    return classes(first_output(graph, run(graph, inputs, batch=batch)))


def accuracy(graph: Graph, dataset: Dataset, *, batch: int = BATCH) -> float:
    """Top-1 accuracy in percent."""
    return 100.0 * float(np.mean(predictions(graph, dataset.inputs, batch=batch) == dataset.labels))


def _step(graph: Graph, index: int, values: Mapping[int, Int8Array]) -> Int8Array:
    operator = graph.operators[index]
    return operator.compute([values[tensor.index] for tensor in operator.inputs])


def _needed(graph: Graph, position: int) -> list[int]:
    """The tensors that exist in front of operator `position` and are used from there on, sorted."""
    computed_later = {operator.output.index for operator in graph.operators[position:]}
    used_later = {tensor.index for operator in graph.operators[position:] for tensor in operator.inputs}
    return sorted((used_later | graph.kept) - computed_later)


def sequence(graph: Graph, inputs: Int8Array) -> Iterator[Mapping[int, Int8Array]]:
    """All activations, int8 [1, ...], of one inference after the other: each finds the states that the last one left.

    The first one finds the initial states. inputs: int8 [count, *graph.input_shape].
    """
    held = {state.source: state.initial[None] for state in graph.states}
    for number in range(len(inputs)):
        values = {**enter(graph, inputs[number : number + 1]).values, **held}
        for operator in graph.operators:
            values[operator.output.index] = _step(graph, operator.index, values)
        held = {state.source: values[state.result] for state in graph.states}
        yield values


def joined(graph: Graph, values: Mapping[int, Int8Array]) -> Int8Array:
    """The outputs, side by side if there are several."""
    if not graph.more_outputs:
        return values[graph.output]
    found: Sequence[Int8Array] = [values[t.index].reshape(-1, t.elements) for t in graph.outputs]
    return np.concatenate(found, axis=1)
