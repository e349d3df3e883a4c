"""kernels/TEMPLATE.py, as a kernel of a registry of its own: all rooms take it as it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.build.emulator import QEMU, run_in_emulator, verify
from approx_plugin.errors import Location
from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.kernels.capacity import Room
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.TEMPLATE import Loop
from approx_plugin.laboratory.drawing import unpriced
from approx_plugin.laboratory.firmware import Place, make
from approx_plugin.laboratory.harness import Stand, draw_subjects, examine
from approx_plugin.laboratory.measurement import run, step_figures, verified
from approx_plugin.library.provider import resolve
from approx_plugin.reference.vectors import make_vectors
from approx_plugin.tflite.reader import read_graph

BOARD = load_board("nucleo-u575zi-q")


def test_the_harness_takes_it(objects: Path) -> None:
    platform = unpriced(BOARD, "assembly")
    subjects = [*draw_subjects(4, range(120), platform, (Loop(),))]
    assert len(subjects) > 5
    verdict = examine(subjects, Stand(BOARD, platform, None, objects / "template", 2), 4)
    assert [*map(str, verdict.faults)] == []
    assert len(verdict.measured) == len(subjects)


def platform(cycles_of_a_tap: float) -> Platform:
    """The board's, with coefficients for the new kernel as a calibration would have written them."""
    costs = board_costs(BOARD)
    assert costs is not None
    known = {**costs.kinds, "template": {"calls": 50.0, "outputs": 10.0, "taps": cycles_of_a_tap}}
    return Platform(BOARD.core, BOARD.dsp, "assembly", replace(costs, kinds=known))


def test_choice_project_virtual_board_and_emulator_take_it(root: Path, objects: Path) -> None:
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    # The pooling kernel of ours would be quicker than a template.
    kernels = (*(kernel for name, kernel in KERNELS.items() if name != "pooled"), Loop())
    limits = Room.of(BOARD, 0, 0).budgets

    def chosen(cycles_of_a_tap: float) -> dict[int, str]:
        mine = platform(cycles_of_a_tap)
        choice = choose(graph, Market(mine, estimated(mine), None, kernels).offers(graph).offers, limits)
        assert choice is not None and choice.fits
        return dict(choice.kernels)

    assert "template" not in chosen(1e6).values()
    quick = platform(0.01)
    assert [index for index, kernel in chosen(0.01).items() if kernel == "template"] == [1, 3]

    choice = choose(graph, Market(quick, estimated(quick), None, kernels).offers(graph).offers, limits)
    assert choice is not None
    program = lower(graph, [offer.plan for offer in choice.steps], quick, graph.macs, graph.macs)
    assert "template" in program.sources["Inc/approx_network.h"]
    inputs = np.random.default_rng(1).integers(-128, 128, (2, *graph.input_tensor.shape[1:])).astype(np.int8)
    vectors = make_vectors(graph, inputs)
    provider = resolve(program.cmsis_nn_functions, None, Location("test"))
    place = Place(objects / "digits" / "tree", objects / "digits" / "build")
    made = make(program, BOARD, provider, vectors, place, project="digits", workers=2)
    simulation = run(made)
    verified(simulation, made.elf, vectors)
    figures = step_figures(simulation, made.elf, made.functions)
    assert figures[1].cycles > figures[3].cycles > 500
    if shutil.which(QEMU) is None:
        pytest.skip(f"needs {QEMU}")
    verify(run_in_emulator(place.tree, BOARD, vectors, place.objects, workers=2), vectors)
