"""The C back end on this computer, with the address and undefined-behaviour sanitizers: no finding, the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_call import run_on_host
from layer_cases import graph_of
from networks import conv_graph, preferring
from random_network import random_network

from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "one channel, stride 2, long kernel": dict(size=(13, 10), channels=(1, 6), kernel=(5, 4), stride=(2, 2)),
    "odd channels, zero points at the ends": dict(size=(7, 8), channels=(5, 7), kernel=(3, 3), zero_points=(127, -128)),
    "VALID, uneven strides": dict(size=(11, 12), channels=(2, 5), kernel=(3, 2), stride=(1, 2), same=False),
    "pointwise with an unread edge": dict(size=(8, 8), channels=(4, 6), kernel=(1, 1), stride=(2, 2)),
    "one output in all": dict(size=(3, 3), channels=(3, 1), kernel=(3, 3), same=False),
    "multipliers above one": dict(size=(5, 5), channels=(1, 4), kernel=(1, 1), gain=3000.0),
    "few weights, ReLU6": dict(size=(8, 8), channels=(7, 5), kernel=(3, 3), density=0.08, limits=(-7, 90)),
    "no weights": dict(size=(5, 6), channels=(4, 3), kernel=(3, 3), density=0.0),
}


def check(graph: Graph, preference: str, folder: Path, count: int = 3) -> None:
    """Random inputs and the ends of the range through the network as it would be generated."""
    program = preferring(graph, preference, backend="c")
    inputs = np.random.default_rng(7).integers(-128, 128, (count, *graph.input_tensor.shape[1:]), dtype=np.int8)
    inputs[-2], inputs[-1] = -128, 127
    np.testing.assert_array_equal(run_on_host(program, folder, inputs), run(graph, inputs))


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(sum(map(ord, name)))
    check(conv_graph(rng, **CONVOLUTIONS[name]), "unpacked", tmp_path)


@pytest.mark.parametrize("preference", ["unpacked", "cmsis_nn"])
@pytest.mark.parametrize("seed", range(4))
def test_random_networks(seed: int, preference: str, tmp_path: Path) -> None:
    check(graph_of(random_network(300 + seed)), preference, tmp_path)


def test_a_model(root: Path, tmp_path: Path) -> None:
    check(read_graph(root / "models" / "digits_cnn.tflite"), "unpacked", tmp_path)
