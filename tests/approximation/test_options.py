"""The published method's candidates of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_convolution import activation, convolution, network

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.basis import Basis
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping, single
from approx_plugin.approximation.options import SHARES, SWEEP_SHARES, by_compensation, by_significance
from approx_plugin.approximation.significance import ratio_of_means
from approx_plugin.approximation.statistics import gather
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.tflite.reader import read_graph


def pairs(basis: Basis, operator: Operator) -> Grouping:
    """Neighbouring input channels together."""
    *positions, channels = basis.coefficients(operator).shape[1:]
    halves = np.arange(int(np.prod(positions)))[:, None] * ((channels + 1) // 2) + np.arange(channels) // 2
    return Grouping(basis, "pairs", halves.reshape(*positions, channels))


GROUPINGS = {"weight": single, "pair": pairs}


def groupings(graph: Graph, layers: list[int], granularity: str) -> dict[int, Grouping]:
    return {index: GROUPINGS[granularity](TAPS, graph.operators[index]) for index in layers}


def kept(candidate: Candidate) -> np.ndarray:
    found: np.ndarray = TAPS.coefficients(candidate.operator) != 0
    return found


def two_layers() -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(7)
    first = convolution(rng.integers(-127, 128, (8, 3, 3, 3), dtype=np.int8), activation(0, (8, 8, 3), -128))
    weights = rng.integers(-127, 128, (4, 3, 3, 8), dtype=np.int8)
    weights[rng.random(weights.shape) < 0.3] = 0
    second = convolution(weights, first.output, index=1)
    return network(first, second), rng.integers(-128, 128, (30, 8, 8, 3), dtype=np.int8)


@pytest.mark.parametrize("criterion", ["ratio_of_means", "mean_of_ratios"])
@pytest.mark.parametrize("granularity", ["weight", "pair"])
def test_ladders_rise_and_reach_their_shares(criterion: str, granularity: str) -> None:
    graph, images = two_layers()
    options = by_significance(graph, groupings(graph, [1, 0], granularity), images, criterion=criterion)
    assert list(options.ladders) == [0, 1]
    for index, ladder in options.ladders.items():
        weights = TAPS.coefficients(graph.operators[index])
        shares = [1 - c.kept_share for c in ladder]
        assert shares == sorted(set(shares)) and [c.level for c in ladder] == sorted({c.level for c in ladder})
        assert shares[0] > 0
        # Shares count all products, those of weight 0 as well.
        assert 1 - ladder[-1].kept / weights.size >= SHARES[-1] - 1e-9
        for mild, strong in zip(ladder, ladder[1:]):
            assert not (kept(strong) & ~kept(mild)).any()


def test_the_sweep_has_one_threshold_for_all_layers() -> None:
    graph, images = two_layers()
    options = by_significance(graph, groupings(graph, [0, 1], "weight"), images, criterion="ratio_of_means")
    statistics = gather(graph, {0: TAPS, 1: TAPS}, images)
    reached = []
    for design in options.sweep:
        assert [c.layer for c in design] == [0, 1] and len({c.level for c in design}) == 1
        for found in design:
            conv = graph.operators[found.layer]
            assert isinstance(conv, Conv2D)
            significance = np.abs(ratio_of_means(conv.weights, statistics.layers[found.layer]))
            np.testing.assert_array_equal(kept(found), (significance > found.level) & (conv.weights != 0))
        macs = [graph.operators[c.layer].macs for c in design]
        reached.append(
            1 - sum(m * c.kept / TAPS.coefficients(c.operator).size for m, c in zip(macs, design)) / sum(macs)
        )
    assert reached == sorted(reached)
    for share in SWEEP_SHARES:
        assert any(share - 1e-9 <= r for r in reached)


def test_no_layers_no_options() -> None:
    graph, images = two_layers()
    options = by_significance(graph, {}, images, criterion="ratio_of_means")
    assert not options.ladders and not options.sweep


def test_real_network(root: Path) -> None:
    """Every level of the digits network drops about what it was made for: its products hardly ever tie."""
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    images = np.load(root / "models" / "digits.npz")["calibration_images"]
    layers = [op.index for op in graph.operators if op.kind == "CONV_2D"]
    options = by_significance(graph, groupings(graph, layers, "weight"), images, criterion="ratio_of_means")
    assert set(options.ladders) == set(layers)
    for index, ladder in options.ladders.items():
        conv = graph.operators[index]
        assert isinstance(conv, Conv2D)
        one = 1 / conv.weights.size
        for found in ladder[1:]:
            share = 1 - found.kept / conv.weights.size
            assert min(abs(share - wanted) for wanted in SHARES) <= 2 * one


@pytest.mark.parametrize("granularity", ["weight", "pair"])
def test_compensation_drops_what_varies_least_and_keeps_the_mean(granularity: str) -> None:
    graph, images = two_layers()
    images[:, :, :, 1] = 5  # the same in every image: nothing of it is lost
    options = by_compensation(graph, groupings(graph, [0], granularity), images)
    statistics = gather(graph, {0: TAPS}, images).layers[0]
    exact = graph.operators[0]
    assert isinstance(exact, Conv2D)
    for candidate in options.ladders[0]:
        made = candidate.operator
        assert isinstance(made, Conv2D)
        lost = (exact.weights.astype(np.int64) - made.weights).reshape(len(made.weights), -1)
        taken_up = (made.bias - exact.bias).astype(np.int64)
        np.testing.assert_allclose(taken_up, lost @ statistics.mean.reshape(-1), atol=0.51)
    if granularity == "weight":
        mildest = kept(options.ladders[0][0])
        assert not mildest[:, :, :, 1].any() and mildest[:, :, :, ::2].any()
    assert options.sweep
