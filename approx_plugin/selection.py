"""Which convolutions may be approximated: the spec's names and indexes, looked up in the network."""

from __future__ import annotations

import difflib

from approx_plugin.errors import ApproxError, SpecError, raise_all
from approx_plugin.model.graph import Graph
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.spec.spec import Spec


def selected_layers(spec: Spec, graph: Graph) -> tuple[int, ...]:
    """Operator indexes, ascending; empty for method "none".

    Raises SpecError for every name or index that is no convolution of the network.
    """
    if spec.method.name == "none":
        return ()
    convolutions = {op.name: op.index for op in graph.operators if isinstance(op, Conv2D)}
    by_index = {str(index): index for index in convolutions.values()}
    errors: list[ApproxError] = []

    def look_up(field: str, names: tuple[str, ...]) -> set[int]:
        found = set()
        for position, name in enumerate(names):
            index = convolutions.get(name, by_index.get(name))
            if index is None:
                near = difflib.get_close_matches(name, convolutions, n=1)
                hint = f"Did you mean '{near[0]}'? " if near else ""
                errors.append(
                    SpecError(
                        f"'{name}' is no convolution of {spec.model.name}",
                        where=spec.where(f"method.{field}.{position}"),
                        hint=f"{hint}The convolutions are {', '.join(f'{n} ({i})' for n, i in convolutions.items())}",
                    )
                )
            else:
                found.add(index)
        return found

    wanted = set(convolutions.values()) if spec.method.layers is None else look_up("layers", spec.method.layers)
    excluded = look_up("exclude", spec.method.exclude)
    raise_all(errors)
    return tuple(sorted(wanted - excluded))
