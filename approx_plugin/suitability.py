"""What approx.yaml asks for that a network of this form does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.errors import ApproxError, SpecError
from approx_plugin.model.graph import Graph
from approx_plugin.spec.spec import Spec


def unsuited(spec: Spec, graph: Graph) -> Iterator[ApproxError]:
    """Approximating a network whose inferences depend on each other, or whose outputs are no scores."""
    if graph.states and spec.method.name != "none":
        yield SpecError(
            f"{graph.name} remembers what earlier inferences have left: it cannot be approximated",
            where=spec.where("method"),
            why=f"it has {len(graph.states)} states, and designs are compared on inputs that have nothing to do with "
            "each other",
            hint="`method: none`",
        )
    if graph.output_tensor.element != "int8" and spec.method.name != "none":
        yield SpecError(
            f"{graph.name} puts out {graph.output_tensor.element} numbers: it cannot be approximated",
            where=spec.where("method"),
            why="designs are compared by the largest of the int8 numbers of the first output",
            hint="`method: none`, or leave the last operator of the model out",
        )
