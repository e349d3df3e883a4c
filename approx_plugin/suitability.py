"""What approx.yaml asks for that a network of this form does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.errors import ApproxError, SpecError
from approx_plugin.model.graph import Graph
from approx_plugin.spec.spec import Spec


def unsuited(spec: Spec, graph: Graph) -> Iterator[ApproxError]:
    """Approximating a network whose inferences depend on each other; images for a network with several inputs."""
    if graph.states and spec.method.name != "none":
        yield SpecError(
            f"{graph.name} remembers what earlier inferences have left: it cannot be approximated",
            where=spec.where("method"),
            why=f"it has {len(graph.states)} states, and designs are compared on inputs that have nothing to do with "
            "each other",
            hint="`method: none`",
        )
    if len(graph.inputs) > 1 and spec.data:
        names = ", ".join(f'"{tensor.name}"' for tensor in graph.inputs)
        yield SpecError(
            f"{graph.name} has {len(graph.inputs)} inputs: a set of images is for one",
            where=spec.where("data"),
            why=f"its inputs are {names}",
            hint="leave `data` out, with `method: none`: the network is then verified with random inputs",
        )
