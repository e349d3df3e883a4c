"""From a graph and the plans that cover it to a Program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from approx_plugin.kernels.kernel import Plan, price
from approx_plugin.kernels.memory import claim, plan_memory
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.kernels.network import Network, network_text, summary_of
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program, Step
from approx_plugin.model.graph import Graph


def lower(
    graph: Graph, plans: Sequence[Plan], platform: Platform, exact_macs: int, kept_macs: int, names: Names = UNNAMED
) -> Program:
    """The program that computes `graph`.

    plans: they cover every operator but views, each once (ValueError). exact_macs, kept_macs: of one inference, for the
    header: of the exact network, and not skipped by approximation. names: of all that others can see of it.
    """
    covered = sorted(operator.index for plan in plans for operator in plan.operators)
    wanted = [operator.index for operator in graph.operators if not operator.is_alias]
    if covered != wanted:
        raise ValueError(f"the plans cover operators {covered}, not {wanted}")
    steps = tuple(
        lower_plan(plan, names.step(plan.operators[-1].index), platform)
        for plan in sorted(plans, key=lambda plan: plan.operators[0].index)
    )
    return assemble(graph, steps, exact_macs, kept_macs, names)


def lower_plan(plan: Plan, symbol: str, platform: Platform) -> Step:
    """A plan with its code and its price."""
    return Step(plan, symbol, plan.emit(symbol), price(plan, platform))


def assemble(graph: Graph, steps: tuple[Step, ...], exact_macs: int, kept_macs: int, names: Names = UNNAMED) -> Program:
    """The program of steps that have been lowered: plans memory and writes the network's files. See `lower`."""
    memory = plan_memory(graph, [claim(step.plan, step.cost.scratch) for step in steps])
    summary = summary_of(graph, Counter(step.kernel for step in steps))
    network = Network(graph, steps, memory, (exact_macs, kept_macs), summary, names)
    sources = {f"Inc/{names.header}": network.header, f"Src/{names.prefix}.c": network_text(network)}
    for step in steps:
        sources.update(step.emission.sources)
    return Program(graph, steps, memory, sources, names)
