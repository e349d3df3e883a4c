"""Real networks in the firmware that users get: held-out layers for the cost model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.calibration.simulation import PLACE, Sample, measured
from approx_plugin.dataset import random_inputs
from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market
from approx_plugin.kernels.capacity import Room, shortages
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.kernel import Plan, price
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import FLASH
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.laboratory.firmware import Place, make
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.reference.vectors import make_vectors
from approx_plugin.tflite.reader import read_graph

NAME = "network"
SEED = 3


def run(
    models: Sequence[Path], board: Board, platform: Platform, cmsis_nn: Path, folder: Path, workers: int
) -> list[Sample]:
    """Every layer of every network through the library, and with as little of the library as there is room for."""
    samples = []
    for model in models:
        graph = read_graph(model)
        for plans in (covered_by(graph, KERNELS[BASELINE], platform), _without_library(graph, board, platform)):
            samples += _run(graph, plans, board, platform, cmsis_nn, folder, workers)
    return samples


def _without_library(graph: Graph, board: Board, platform: Platform) -> tuple[Plan, ...]:
    """As many operators as the memories hold by other kernels, whatever they cost."""

    def preferred(plan: Plan) -> StepCost:
        cost = price(plan, platform)
        return cost if plan.kernel == BASELINE else replace(cost, cycles=cost.cycles * 1e-6)

    borders = graph.input_bytes + graph.output_bytes
    limits = dict(Room.of(board, borders, borders).budgets)
    # The estimate of the code is good to a few per cent.
    limits[FLASH] = limits[FLASH] * 9 // 10
    choice = choose(graph, Market(platform, preferred).offers(graph).offers, limits)
    assert choice is not None
    return tuple(offer.plan for offer in choice.steps)


def _run(
    graph: Graph,
    plans: Sequence[Plan],
    board: Board,
    platform: Platform,
    cmsis_nn: Path,
    folder: Path,
    workers: int,
) -> list[Sample]:
    made = lower(graph, plans, platform, graph.macs, graph.macs)
    vectors = make_vectors(graph, random_inputs(graph.input_shape, 1, SEED))
    borders = graph.input_bytes + graph.output_bytes
    if list(shortages(made, Room.of(board, vectors.bytes, borders), PLACE)):
        return []
    provider = resolve(made.cmsis_nn_functions, cmsis_nn, PLACE)
    place = Place(folder / "network", folder / "network_build")
    cycles = measured(make(made, board, provider, vectors, place, project=NAME, workers=workers))
    return [Sample(f"{graph.name} {step.last.name}", step.plan, spent) for step, spent in zip(made.steps, cycles)]
