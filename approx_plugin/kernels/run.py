"""Runs: operators that follow each other so closely that one step may compute all of them."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor

Run = tuple[Operator, ...]


def runs(graph: Graph, longest: int) -> Iterator[Run]:
    """Every run of 1 to `longest` operators, by its first operator, the short ones first; none holds an alias.

    The operators of a run stand next to each other in the execution order. What passes from one to the next is read by
    nobody else, so it need not exist as an activation.
    """
    readers: dict[int, int] = dict.fromkeys(graph.kept, 1)
    for operator in graph.operators:
        for index in {tensor.index for tensor in operator.inputs}:
            readers[index] = readers.get(index, 0) + 1
    for first, operator in enumerate(graph.operators):
        if operator.is_alias:
            continue
        run: Run = (operator,)
        yield run
        for following in graph.operators[first + 1 : first + longest]:
            passed = run[-1].output.index
            if following.is_alias or readers[passed] != 1 or all(t.index != passed for t in following.inputs):
                break
            run = (*run, following)
            yield run


def inputs_of(run: Run) -> tuple[Tensor, ...]:
    """The activations that go into a run, in the order in which its operators name them, as often as they do."""
    made = {operator.output.index for operator in run}
    return tuple(tensor for operator in run for tensor in operator.inputs if tensor.index not in made)
