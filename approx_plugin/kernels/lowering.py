"""From a graph and a kernel for every layer to a Program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.memory import plan_memory
from approx_plugin.kernels.network import header_text, network_text, summary_of
from approx_plugin.kernels.program import Emission, LoweredLayer, Program
from approx_plugin.kernels.registry import SCHEDULES
from approx_plugin.kernels.target import Target
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator

ALIAS = "none"
"""The kernel's name of an operator that is only another view of its input."""


def lower(graph: Graph, kernels: Mapping[int, str], target: Target, exact_macs: int, kept_macs: int) -> Program:
    """The program that computes `graph`.

    kernels: layer index -> schedule name, for every operator but aliases; each must accept its layer (ValueError).
    exact_macs, kept_macs: of one inference, for the header: of the exact network, and not skipped by approximation.
    """
    layers = tuple(_lower_layer(operator, kernels, target) for operator in graph.operators)
    return assemble(graph, layers, exact_macs, kept_macs)


def assemble(graph: Graph, layers: tuple[LoweredLayer, ...], exact_macs: int, kept_macs: int) -> Program:
    """The program of layers that have been lowered: plans memory and writes the network's files. See `lower`."""
    memory = plan_memory(graph, {layer.operator.index: layer.emission.scratch_bytes for layer in layers})
    summary = summary_of(graph, Counter(layer.kernel for layer in layers if layer.kernel != ALIAS))
    sources = {
        "Inc/approx_network.h": header_text(graph, memory, (exact_macs, kept_macs), summary),
        "Src/approx_network.c": network_text(graph, layers, memory, summary),
    }
    for layer in layers:
        sources.update(layer.emission.sources)
    return Program(graph, layers, memory, sources)


def _lower_layer(operator: Operator, kernels: Mapping[int, str], target: Target) -> LoweredLayer:
    if operator.is_alias:
        return LoweredLayer(operator, ALIAS, Emission({}, "", "", "", 0), LayerCost(0, 0, 0))
    schedule = SCHEDULES[kernels[operator.index]]
    reason = schedule.obstacle(operator, target)
    if reason:
        raise ValueError(f"{operator.name} cannot take the {schedule.name} kernel: {reason}")
    return schedule.lower(operator, target)
