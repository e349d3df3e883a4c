"""Which kernel a layer takes: by cost, by preference, and within the memories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_writer import ModelBuilder

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.exploration.kernel_choice import (
    LIBRARY,
    Budget,
    ChosenKernels,
    CostOf,
    choose_kernels,
    estimated_cost,
    skipping_kernels,
)
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.memory import plan_memory
from approx_plugin.kernels.target import Target
from approx_plugin.model.graph import Graph
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.tflite.reader import read_graph

TARGET = Target("cortex-m33", True, "assembly")
PLENTY = Budget(flash=10**9, ram=10**9)
Prices = dict[tuple[str, int], tuple[float, int, int]]
"""(schedule, layer) -> cycles, bytes of flash, bytes of scratch."""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Three convolutions (layers 0, 1 and 3), a pooling and a view between them."""
    builder = ModelBuilder()
    x = builder.input((1, 8, 8, 2), 0.1)
    ones = np.ones((4, 3, 3, 4), np.int8)
    x = builder.conv2d(x, ones[..., :2], 0.1, scale=0.2)
    x = builder.conv2d(x, ones, 0.1, scale=0.2)
    x = builder.max_pool2d(x, (2, 2))
    x = builder.conv2d(x, ones, 0.1, scale=0.2)
    builder.output(builder.reshape(x, (1, -1)))
    path = tmp_path_factory.mktemp("model") / "net.tflite"
    path.write_bytes(builder.build())
    return read_graph(path)


def priced(prices: Prices) -> CostOf:
    """Given prices; the library costs 1000 cycles and 100 bytes everywhere else."""
    return lambda name, operator: LayerCost(*prices.get((name, operator.index), (1000.0, 100, 0)))


QUICK: Prices = {("unpacked", 0): (900.0, 200, 0), ("unpacked", 1): (100.0, 600, 0), ("unpacked", 3): (400.0, 200, 0)}
"""Saved cycles for a byte: 1, 1.8 and 6."""


def test_the_quickest_where_there_is_room(graph: Graph) -> None:
    choice = choose_kernels(graph, TARGET, "auto", PLENTY, priced(QUICK))
    assert choice.kernels == {0: "unpacked", 1: "unpacked", 2: LIBRARY, 3: "unpacked"}, "the view has no kernel"
    assert {index: cost.cycles for index, cost in choice.costs.items()} == {0: 900, 1: 100, 2: 1000, 3: 400}
    assert choice.reasons == {}


def test_slower_kernels_are_not_taken(graph: Graph) -> None:
    choice = choose_kernels(graph, TARGET, "auto", PLENTY, priced({**QUICK, ("unpacked", 1): (1000.0, 50, 0)}))
    assert choice.kernels[1] == LIBRARY
    assert choice.reasons == {1: "unpacked is estimated to be no quicker"}


def test_most_cycles_for_a_byte_first(graph: Graph) -> None:
    """Four layers of 100 bytes; 100, 500 and 100 more are wanted."""
    for flash, expected in ((400, set()), (499, set()), (500, {3}), (600, {0, 3}), (999, {0, 3}), (1000, {1, 3})):
        choice = choose_kernels(graph, TARGET, "auto", Budget(flash, 10**9), priced(QUICK))
        assert {index for index, name in choice.kernels.items() if name == "unpacked"} == expected, flash
        assert sum(cost.flash_bytes for cost in choice.costs.values()) <= max(flash, 400)
    choice = choose_kernels(graph, TARGET, "auto", Budget(600, 10**9), priced(QUICK))
    assert choice.reasons == {1: "unpacked needs 500 more bytes of flash, 100 are left"}


def test_scratch_that_does_not_fit_is_given_back(graph: Graph) -> None:
    """Layer 0 holds 3000 + 256 bytes, layer 1 1900 + 256 + 256, layer 3 2000 + 64: its output is the caller's."""
    prices: Prices = {("unpacked", i): (100.0, 100, scratch) for i, scratch in ((0, 3000), (1, 1900), (3, 2000))}
    expected = {3256: {0, 1, 3}, 3255: {1, 3}, 2416: {1, 3}, 2415: {3}, 2064: {3}, 2056: set(), 10: set()}
    for ram, unpacked in expected.items():
        choice = choose_kernels(graph, TARGET, "auto", Budget(10**9, ram), priced(prices))
        assert {index for index, name in choice.kernels.items() if name == "unpacked"} == unpacked, ram
        plan = plan_memory(graph, {index: cost.ram_bytes for index, cost in choice.costs.items()})
        assert plan.size <= ram or not unpacked
        for index in {0, 1, 3} - unpacked:
            assert "bytes of scratch, more than the RAM holds" in choice.reasons[index]


def test_preferences_go_before_cost(graph: Graph) -> None:
    nothing = Budget(0, 0)
    assert set(choose_kernels(graph, TARGET, LIBRARY, PLENTY, priced(QUICK)).kernels.values()) == {LIBRARY}
    dear = dict.fromkeys(QUICK, (9999.0, 10**6, 10**6))
    choice = choose_kernels(graph, TARGET, "unpacked", nothing, priced(dear))
    assert choice.kernels == {0: "unpacked", 1: "unpacked", 2: LIBRARY, 3: "unpacked"}
    assert choice.costs[0].flash_bytes == 10**6


def test_reason_where_a_kernel_cannot_be_had(graph: Graph) -> None:
    """The assembly needs the DSP instructions."""
    choice = choose_kernels(graph, Target("cortex-m33", False, "assembly"), "unpacked", PLENTY, priced(QUICK))
    assert set(choice.kernels.values()) == {LIBRARY}
    assert set(choice.reasons) == {0, 1, 3}
    assert all(reason.startswith("unpacked: ") for reason in choice.reasons.values())


def thinned(graph: Graph, layer: int) -> Candidate:
    """A third of the layer's products kept."""
    conv = graph.operators[layer]
    assert isinstance(conv, Conv2D)
    kept = np.arange(conv.weights.size).reshape(conv.weights.shape) % 3 == 0
    return Candidate(layer, kept, np.where(kept, conv.weights, np.int8(0)), conv.bias, 0.5)


class TestSkipping:
    """What the search may count on."""

    def test_only_layers_that_leave_the_library_can_skip(self, graph: Graph) -> None:
        budget = Budget(flash=600, ram=10**9)  # room for layers 0 and 3 only
        choice = choose_kernels(graph, TARGET, "auto", budget, priced(QUICK))
        assert skipping_kernels(graph, (0, 1, 3), choice, budget, priced(QUICK)) == {0: "unpacked", 3: "unpacked"}
        assert skipping_kernels(graph, (1, 3), choice, budget, priced(QUICK)) == {3: "unpacked"}

    def test_a_layer_that_is_no_quicker_exact_may_be_so_when_it_skips(self, graph: Graph) -> None:
        prices = {**QUICK, ("unpacked", 1): (1000.0, 600, 0)}
        choice = choose_kernels(graph, TARGET, "auto", PLENTY, priced(prices))
        assert choice.kernels[1] == LIBRARY
        assert skipping_kernels(graph, (0, 1, 3), choice, PLENTY, priced(prices))[1] == "unpacked"
        tight = Budget(flash=999, ram=10**9)
        choice = choose_kernels(graph, TARGET, "auto", tight, priced(prices))
        assert 1 not in skipping_kernels(graph, (0, 1, 3), choice, tight, priced(prices)), "all must fit together"

    def test_nothing_can_skip_in_the_library(self, graph: Graph) -> None:
        choice = choose_kernels(graph, TARGET, LIBRARY, PLENTY, priced(QUICK))
        assert skipping_kernels(graph, (0, 1, 3), choice, PLENTY, priced(QUICK)) == {}

    def test_an_approximated_layer_keeps_its_kernel(self, graph: Graph) -> None:
        """Even where another layer would now give more cycles for a byte."""
        budget = Budget(flash=600, ram=10**9)
        choice = choose_kernels(graph, TARGET, "auto", budget, priced(QUICK), {0: "unpacked"})
        assert choice.kernels[0] == "unpacked"
        nothing = choose_kernels(graph, TARGET, "auto", Budget(0, 0), priced(QUICK), {0: "unpacked"})
        assert {i for i, name in nothing.kernels.items() if name != LIBRARY} == {0}

    def test_prices_are_those_of_what_will_be_lowered(self, graph: Graph) -> None:
        cost_of = estimated_cost(TARGET)
        choice = choose_kernels(graph, TARGET, "unpacked", PLENTY, cost_of)
        skipping = skipping_kernels(graph, (1, 3), choice, PLENTY, cost_of)
        cost = ChosenKernels(choice, skipping, cost_of)
        conv, thin = graph.operators[1], thinned(graph, 1)
        assert isinstance(conv, Conv2D)
        assert cost.layer(conv, None) == choice.costs[1]
        assert cost.layer(conv, thin) == cost_of("unpacked", conv.with_constants(thin.weights, thin.bias))
        assert cost.layer(conv, thin).cycles < cost.layer(conv, None).cycles
        assert cost.layer(conv, thin).flash_bytes < cost.layer(conv, None).flash_bytes
        assert cost.layer(graph.operators[4], None) == LayerCost(0.0, 0, 0), "the view costs nothing"
        with pytest.raises(KeyError):
            cost.layer(graph.operators[0], thinned(graph, 0))


def test_real_network_on_a_small_flash(root: Path) -> None:
    """What is chosen stays within the budget, and a larger budget never gives a slower network."""
    graph = read_graph(root / "models" / "cifar10_lenet.tflite")
    cost_of = estimated_cost(TARGET)
    least = sum(c.flash_bytes for c in choose_kernels(graph, TARGET, LIBRARY, PLENTY, cost_of).costs.values())
    previous = float("inf")
    for flash in (least, least + 50_000, least + 300_000, 10**9):
        choice = choose_kernels(graph, TARGET, "auto", Budget(flash, 10**9), cost_of)
        assert sum(cost.flash_bytes for cost in choice.costs.values()) <= flash
        cycles = sum(cost.cycles for cost in choice.costs.values())
        assert cycles <= previous
        previous = cycles
