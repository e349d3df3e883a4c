"""Which operators may be approximated: the spec's names and indexes, looked up in the network."""

from __future__ import annotations

import difflib

from approx_plugin.errors import ApproxError, SpecError, raise_all
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.model.graph import Graph
from approx_plugin.spec.spec import Spec


def selected_layers(spec: Spec, graph: Graph) -> tuple[int, ...]:
    """Operator indexes, ascending; empty for method "none".

    Raises SpecError for every name or index that no kernel can leave products out of.
    """
    if spec.method.name == "none":
        return ()
    able = {op.name: op.index for op in graph.operators if any(k.skips and k.suits((op,)) for k in KERNELS.values())}
    by_index = {str(index): index for index in able.values()}
    errors: list[ApproxError] = []

    def look_up(field: str, names: tuple[str, ...]) -> set[int]:
        found = set()
        for position, name in enumerate(names):
            index = able.get(name, by_index.get(name))
            if index is None:
                near = difflib.get_close_matches(name, able, n=1)
                hint = f"Did you mean '{near[0]}'? " if near else ""
                errors.append(
                    SpecError(
                        f"'{name}' is not a layer of {spec.model.name} that can be approximated",
                        where=spec.where(f"method.{field}.{position}"),
                        hint=f"{hint}These can be: {', '.join(f'{n} ({i})' for n, i in able.items())}",
                    )
                )
            else:
                found.add(index)
        return found

    wanted = set(able.values()) if spec.method.layers is None else look_up("layers", spec.method.layers)
    excluded = look_up("exclude", spec.method.exclude)
    raise_all(errors)
    return tuple(sorted(wanted - excluded))
