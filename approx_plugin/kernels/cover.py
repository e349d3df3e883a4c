"""Covers of a graph that need no choice."""

from __future__ import annotations

from approx_plugin.kernels.kernel import Kernel, Plan, price
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.graph import Graph


def covered_by(graph: Graph, kernel: Kernel, platform: Platform) -> tuple[Plan, ...]:
    """Every operator but views by the kernel's quickest plan for it alone.

    Raises ValueError, with the reason, for an operator that the kernel cannot compute.
    """
    found = []
    for operator in graph.operators:
        if operator.is_alias:
            continue
        run = (operator,)
        if not kernel.suits(run):
            raise ValueError(f"{kernel.name} is not made for {operator.name}, a {operator.kind}")
        reason = kernel.refusal(run, platform)
        if reason:
            raise ValueError(f"{kernel.name} cannot compute {operator.name}: {reason}")
        found.append(min(kernel.plans(run, platform), key=lambda plan: price(plan, platform).cycles))
    return tuple(found)
