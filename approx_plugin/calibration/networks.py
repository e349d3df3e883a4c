"""Real networks in the firmware that users get: held-out layers for the cost model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.build.build import build
from approx_plugin.calibration.firmware import PLACE
from approx_plugin.calibration.simulation import Sample, measured
from approx_plugin.dataset import random_inputs
from approx_plugin.exploration.kernel_choice import (
    LIBRARY,
    Budget,
    choose_kernels,
    estimated_cost,
    library_kernels,
)
from approx_plugin.kernels.capacity import flash_budget, ram_budget, shortages
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.kernel import layer_symbol
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.target import Target
from approx_plugin.kernels.unpacked.kernel import Unpacked
from approx_plugin.kernels.unpacked.plan import plan
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import make_vectors
from approx_plugin.tflite.reader import read_graph

NAME = "network"
SEED = 3


def run(
    models: Sequence[Path], board: Board, target: Target, cmsis_nn: Path, folder: Path, workers: int
) -> list[Sample]:
    """Every layer of every network through the library, and every convolution that there is room for unpacked."""
    samples = []
    for model in models:
        graph = read_graph(model)
        for kernels in (library_kernels(graph), _unpacked(graph, board, target)):
            samples += _run(graph, kernels, board, target, cmsis_nn, folder, workers)
    return samples


def _unpacked(graph: Graph, board: Board, target: Target) -> dict[int, str]:
    """As many convolutions unpacked as the memories hold, whatever they cost."""
    estimate = estimated_cost(target)

    def preferred(name: str, operator: Operator) -> LayerCost:
        cost = estimate(name, operator)
        return cost if name == LIBRARY else replace(cost, cycles=0.0)

    borders = graph.input_tensor.elements + graph.output_tensor.elements
    # The estimate of the code is good to a few per cent.
    budget = Budget(flash_budget(board, borders) * 9 // 10, ram_budget(board, borders))
    return dict(choose_kernels(graph, target, "auto", budget, preferred).kernels)


def _run(
    graph: Graph,
    kernels: dict[int, str],
    board: Board,
    target: Target,
    cmsis_nn: Path,
    folder: Path,
    workers: int,
) -> list[Sample]:
    made = lower(graph, kernels, target, graph.macs, graph.macs)
    vectors = make_vectors(graph, random_inputs(graph.input_tensor, 1, SEED))
    if list(shortages(made, board, vectors.bytes, PLACE)):
        return []
    provider = resolve(made.cmsis_nn_functions, cmsis_nn, PLACE)
    write(collect(made, board, provider, vectors, NAME, extra={}), folder / "network", force=True)
    elf = build(folder / "network", "Release", folder / "network_build", workers).elf
    operators = [operator for operator in graph.operators if not operator.is_alias]
    cycles = measured(elf, board, [layer_symbol(operator) for operator in operators])
    samples = []
    for operator, spent in zip(operators, cycles):
        chosen = None
        if kernels[operator.index] == Unpacked.name:
            assert isinstance(operator, Conv2D)
            chosen = plan(operator, target.model)
        samples.append(Sample(f"{graph.name} {operator.name}", operator, chosen, spent))
    return samples
