"""Which plan computes what: by cost, by preference, over runs and layouts, and within several memories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from chain import thinned
from fake_kernels import PLANES, FakeKernel, Wanted, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_writer import ModelBuilder

from approx_plugin.exploration.choice import WISHES, Choice, Wish, choose, notes
from approx_plugin.exploration.offers import Market, Offer, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.kernels.memory import Claim, plan_memory
from approx_plugin.kernels.needs import DTCM, FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.run import runs
from approx_plugin.model.graph import Graph
from approx_plugin.tflite.reader import read_graph

PLATFORM = Platform("cortex-m33", True, "assembly")
PLENTY: Mapping[str, int] = {FLASH: 10**9, RAM: 10**9, DTCM: 10**9}
plain = Wanted.plain


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Three convolutions (layers 0, 1 and 3), a pooling and a view behind them."""
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


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """A residual block: 0 conv, 1 conv, 2 add of both, 3 pool."""
    builder = ModelBuilder()
    x = builder.input((1, 6, 6, 2), 0.1)
    weights = np.ones((2, 3, 3, 2), np.int8)
    one = builder.conv2d(x, weights, 0.1, scale=0.2)
    other = builder.conv2d(one, weights, 0.1, scale=0.2)
    builder.output(builder.max_pool2d(builder.add(one, other, scale=0.3), (2, 2)))
    path = tmp_path_factory.mktemp("model") / "forked.tflite"
    path.write_bytes(builder.build())
    return read_graph(path)


LIBRARY = FakeKernel("library", {(i,): [plain(1000, 100)] for i in range(4)})
QUICK = FakeKernel("quick", {(0,): [plain(900, 200)], (1,): [plain(100, 600)], (3,): [plain(400, 200)]})
"""Saved cycles for a byte: 1, 1.8 and 6."""


def market(*kernels: Kernel, preferred: str | None = None) -> Market:
    return Market(PLATFORM, asked, preferred, kernels)


def chosen(graph: Graph, budgets: Mapping[str, int], *kernels: Kernel, preferred: str | None = None) -> Choice:
    found = choose(graph, market(*kernels, preferred=preferred).offers(graph).offers, budgets)
    assert found is not None
    return found


def quick_ones(choice: Choice) -> set[int]:
    return {index for index, name in choice.kernels.items() if name == "quick"}


def test_the_quickest_where_there_is_room(graph: Graph) -> None:
    choice = chosen(graph, PLENTY, LIBRARY, QUICK)
    assert choice.kernels == {0: "quick", 1: "quick", 2: "library", 3: "quick"}, "the view has no kernel"
    assert choice.fits and choice.cycles == 900 + 100 + 1000 + 400
    assert choice.permanent == {FLASH: 1100}


def test_of_equal_plans_that_of_the_first_kernel(graph: Graph) -> None:
    same = FakeKernel("same", {(1,): [plain(1000, 100)]})
    assert chosen(graph, PLENTY, LIBRARY, same).kernels[1] == "library"
    assert chosen(graph, PLENTY, same, LIBRARY).kernels[1] == "same"


def test_memory_is_not_spent_on_next_to_nothing(graph: Graph) -> None:
    """A per cent of a layer's cycles is no more than what an estimate is wrong by."""
    for cycles, kernel in ((992, "library"), (980, "greedy")):
        greedy = FakeKernel("greedy", {(1,): [plain(cycles, 5000)]})
        assert chosen(graph, PLENTY, LIBRARY, greedy).kernels[1] == kernel
    thrifty = FakeKernel("thrifty", {(1,): [plain(1008, 10)]})
    assert chosen(graph, PLENTY, LIBRARY, thrifty).kernels[1] == "thrifty"


def test_flash_goes_where_it_saves_most(graph: Graph) -> None:
    """Four layers of 100 bytes; 100, 500 and 100 more are wanted."""
    for flash, expected in (
        (400, set()),
        (499, set()),
        (500, {3}),
        (600, {0, 3}),
        (899, {0, 3}),
        (900, {1}),
        (1000, {1, 3}),
    ):
        choice = chosen(graph, {**PLENTY, FLASH: flash}, LIBRARY, QUICK)
        assert quick_ones(choice) == expected, flash
        assert choice.fits and choice.flash_bytes <= flash


def test_what_fits_nowhere_is_the_smallest_and_says_so(graph: Graph) -> None:
    choice = chosen(graph, {**PLENTY, FLASH: 399}, LIBRARY, QUICK)
    assert not choice.fits and choice.flash_bytes == 400 and quick_ones(choice) == set()


def test_the_next_best_plan_takes_over_not_the_library(graph: Graph) -> None:
    several = FakeKernel("quick", {(1,): [plain(100, 600), plain(300, 300), plain(500, 150)]})
    for flash, cycles in ((900, 100), (899, 300), (600, 300), (599, 500), (450, 500), (449, 1000)):
        assert chosen(graph, {**PLENTY, FLASH: flash}, LIBRARY, several).cycles == 3000 + cycles, flash


def test_scratch_that_does_not_fit_is_given_back(graph: Graph) -> None:
    """Layer 0 holds 3000 + 256 bytes, layer 1 1900 + 256 + 256, layer 3 2000 + 64: its output is the caller's."""
    greedy = FakeKernel("quick", {(i,): [plain(100, 100, ram)] for i, ram in ((0, 3000), (1, 1900), (3, 2000))})
    expected = {3256: {0, 1, 3}, 3255: {1, 3}, 2416: {1, 3}, 2415: {3}, 2064: {3}, 2056: set()}
    for ram, quick in expected.items():
        choice = chosen(graph, {**PLENTY, RAM: ram}, LIBRARY, greedy)
        assert quick_ones(choice) == quick, ram
        assert choice.fits and choice.memory.size <= ram
    assert not chosen(graph, {**PLENTY, RAM: 10}, LIBRARY, greedy).fits


def test_a_plan_with_less_scratch_takes_over(graph: Graph) -> None:
    thrifty = FakeKernel("quick", {(0,): [plain(100, 100, 3000), plain(200, 100, 500)]})
    assert chosen(graph, {**PLENTY, RAM: 3256}, LIBRARY, thrifty).cycles == 3100
    assert chosen(graph, {**PLENTY, RAM: 3255}, LIBRARY, thrifty).cycles == 3200


def test_tables_in_ram_count_there_and_in_the_flash(graph: Graph) -> None:
    tables = FakeKernel("quick", {(1,): [Wanted(100, 0, {}, {RAM: 5000})]})
    assert chosen(graph, PLENTY, LIBRARY, tables).permanent == {FLASH: 5300, RAM: 5000}
    assert quick_ones(chosen(graph, {**PLENTY, FLASH: 5299}, LIBRARY, tables)) == set()
    # The arena, 512 bytes, and the table share the RAM.
    assert quick_ones(chosen(graph, {**PLENTY, RAM: 5512}, LIBRARY, tables)) == {1}
    assert quick_ones(chosen(graph, {**PLENTY, RAM: 5511}, LIBRARY, tables)) == set()


def test_scratch_in_the_cores_own_memory(graph: Graph) -> None:
    beside = FakeKernel("quick", {(1,): [Wanted(100, 100, {DTCM: 800}), plain(300, 100, 800)]})
    assert chosen(graph, PLENTY, LIBRARY, beside).memory.beside == {DTCM: 800}
    choice = chosen(graph, {**PLENTY, DTCM: 0}, LIBRARY, beside)
    assert choice.cycles == 3300 and choice.memory.beside == {}


def test_preferences_go_before_cost(graph: Graph) -> None:
    assert set(chosen(graph, PLENTY, LIBRARY, QUICK, preferred="library").kernels.values()) == {"library"}
    dear = FakeKernel("quick", {(i,): [plain(9999, 10**6, 10**6)] for i in (0, 1, 3)})
    choice = chosen(graph, {FLASH: 0, RAM: 0}, LIBRARY, dear, preferred="quick")
    assert choice.kernels == {0: "quick", 1: "quick", 2: "library", 3: "quick"}
    assert not choice.fits and choice.flash_bytes == 3 * 10**6 + 100


def test_notes_say_what_stands_against_a_kernel(graph: Graph) -> None:
    limited = FakeKernel("quick", {(0,): [plain(900, 200)], (1,): [plain(100, 600, 40)]}, {3: "no SMLAD"})
    offers = market(LIBRARY, limited).offers(graph)
    choice = choose(graph, offers.offers, {**PLENTY, FLASH: 600})
    assert choice is not None
    assert notes(offers, choice) == {
        1: "quick needs 500 more bytes of flash and 40 bytes of scratch",
        3: "quick: no SMLAD",
    }


def test_a_real_kernel_that_cannot_be_had_says_why(graph: Graph) -> None:
    """The assembly needs the DSP instructions."""
    platform = Platform("cortex-m33", False, "assembly")
    offers = Market(platform, estimated(platform), "unpacked").offers(graph)
    choice = choose(graph, offers.offers, PLENTY)
    assert choice is not None and set(choice.kernels.values()) == {"cmsis_nn"}
    told = notes(offers, choice)
    assert set(told) == {0, 1, 2, 3}
    assert all("unpacked: cortex-m33 has no SMLAD" in told[index] for index in (0, 1, 3))
    assert "pooled: cortex-m33 has no SMLAD" in told[2]


def test_an_operator_without_a_kernel(graph: Graph) -> None:
    assert choose(graph, market(QUICK).offers(graph).offers, PLENTY) is None


class TestRuns:
    """Steps over several operators."""

    def test_runs_hold_no_view_and_nothing_that_others_read(self, graph: Graph, forked: Graph) -> None:
        found = [tuple(op.index for op in run) for run in runs(graph, 3)]
        assert found == [(0,), (0, 1), (0, 1, 2), (1,), (1, 2), (1, 2, 3), (2,), (2, 3), (3,)]
        # Layer 0's output goes to layers 1 and 2.
        assert [tuple(op.index for op in run) for run in runs(forked, 3)] == [
            *((0,), (1,), (1, 2), (1, 2, 3), (2,), (2, 3), (3,))
        ]

    def test_a_run_is_taken_where_it_beats_its_parts(self, graph: Graph) -> None:
        for cycles, steps in ((1099, [(0,), (1, 2), (3,)]), (1101, [(0,), (1,), (2,), (3,)])):
            fused = FakeKernel("fused", {(1, 2): [plain(cycles, 10)]})
            choice = chosen(graph, PLENTY, LIBRARY, QUICK, fused)
            assert [tuple(op.index for op in step.run) for step in choice.steps] == steps

    def test_what_passes_inside_of_a_run_needs_no_arena(self, graph: Graph) -> None:
        fused = FakeKernel("fused", {(0, 1): [plain(1, 10)]})
        choice = chosen(graph, {**PLENTY, RAM: 64 + 256}, LIBRARY, fused)
        assert choice.kernels[0] == "fused" and choice.fits and choice.memory.size == 64 + 256


class TestLayouts:
    """What one step leaves, the next one can read."""

    def test_both_sides_have_to_agree(self, graph: Graph) -> None:
        writer = FakeKernel("writer", {(0,): [Wanted(10, 1, output=PLANES)]})
        reader = FakeKernel("reader", {(1,): [Wanted(10, 1, inputs=PLANES)]})
        both = chosen(graph, PLENTY, LIBRARY, writer, reader)
        assert both.kernels == {0: "writer", 1: "reader", 2: "library", 3: "library"}
        assert both.memory.activations[both.steps[0].run[0].output.index].size == 512, "two bytes an element"
        for alone in (writer, reader):
            assert set(chosen(graph, PLENTY, LIBRARY, alone).kernels.values()) == {"library"}

    def test_it_pays_together_or_not_at_all(self, graph: Graph) -> None:
        writer = FakeKernel("writer", {(0,): [Wanted(1500, 1, output=PLANES)]})
        for cycles, expected in ((499, "reader"), (501, "library")):
            reader = FakeKernel("reader", {(1,): [Wanted(cycles, 1, inputs=PLANES)]})
            assert chosen(graph, PLENTY, LIBRARY, writer, reader).kernels[1] == expected

    def test_every_reader_has_to_agree(self, forked: Graph) -> None:
        writer = FakeKernel("writer", {(0,): [Wanted(10, 1, output=PLANES)]})
        one = FakeKernel("reader", {(1,): [Wanted(10, 1, inputs=PLANES)]})
        assert chosen(forked, PLENTY, LIBRARY, writer, one).kernels[0] == "library"

    def test_what_leaves_the_network_or_is_viewed_is_nhwc(self, graph: Graph, forked: Graph) -> None:
        writer = FakeKernel("writer", {(3,): [Wanted(10, 1, output=PLANES)]})
        assert chosen(graph, PLENTY, LIBRARY, writer).kernels[3] == "library"
        assert chosen(forked, PLENTY, LIBRARY, writer).kernels[3] == "library"


def covers(graph: Graph, offers: Mapping[int, Sequence[Offer]], position: int = 0) -> Iterator[tuple[Offer, ...]]:
    """Every cover whose layouts agree, by trying all."""
    if position == len(graph.operators):
        yield ()
        return
    if graph.operators[position].is_alias:
        yield from covers(graph, offers, position + 1)
        return
    for offer in offers.get(position, ()):
        for rest in covers(graph, offers, offer.last + 1):
            yield (offer, *rest)


def agreeing(steps: tuple[Offer, ...]) -> bool:
    left = {step.run[-1].output.index: step.plan.needs.output for step in steps}
    wanted = [(t.index, step.plan.needs.inputs[0]) for step in steps for t in step.run[0].inputs]
    nhwc = type(steps[0].plan.needs.inputs[0])
    return all(left.get(index) in (layout, None) for index, layout in wanted) and bool(nhwc)


WANTED = st.builds(plain, st.integers(1, 50), st.integers(0, 30), st.sampled_from([0, 100, 700, 1500]))
RUNS = [(0,), (1,), (2,), (3,), (0, 1), (1, 2), (2, 3), (0, 1, 2)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(RUNS), st.lists(WANTED, min_size=1, max_size=2)), max_size=6),
    st.integers(0, 120),
    st.integers(500, 3000),
)
def test_nothing_is_quicker_within_the_budgets(
    graph: Graph, drawn: list[tuple[tuple[int, ...], list[Wanted]]], flash: int, ram: int
) -> None:
    kernels = [FakeKernel("base", {(i,): [plain(40, 10)] for i in range(4)})]
    kernels += [FakeKernel(f"k{n}", {run: wanted}) for n, (run, wanted) in enumerate(drawn)]
    offers = market(*kernels).offers(graph).offers
    budgets = {FLASH: flash, RAM: ram}
    choice = choose(graph, offers, budgets)
    assert choice is not None
    best = None
    for steps in covers(graph, offers):
        held = sum(step.cost.flash_bytes for step in steps)
        if held > flash:
            continue
        cycles = sum(step.cost.cycles for step in steps)
        arena = plan_memory(graph, [Claim(step.run, step.cost.scratch) for step in steps]).size
        if arena <= ram and (best is None or cycles < best):
            best = cycles
    if best is None:
        assert not choice.fits
    elif choice.fits:
        assert choice.flash_bytes <= flash and choice.memory.size <= ram
        assert choice.cycles >= best
        # The arena is no sum: only without its limit is the cover known to be the best one.
        unlimited = choose(graph, offers, {FLASH: flash})
        assert unlimited is not None and unlimited.cycles <= best
    else:
        # Taking apart what does not fit the RAM is a good search, not a proof.
        assert ram < 3000


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(RUNS), st.lists(WANTED, min_size=1, max_size=2)), max_size=6),
    st.sampled_from(WISHES),
    st.integers(60, 250),
)
def test_what_is_wished_for(
    graph: Graph, drawn: list[tuple[tuple[int, ...], list[Wanted]]], after: str, ceiling: int
) -> None:
    """Against all covers, one by one."""
    kernels = [FakeKernel("base", {(i,): [plain(40, 10)] for i in range(4)})]
    kernels += [FakeKernel(f"k{n}", {run: wanted}) for n, (run, wanted) in enumerate(drawn)]
    offers = market(*kernels).offers(graph).offers
    figures = [
        (
            sum(step.cost.cycles for step in steps),
            sum(step.cost.flash_bytes for step in steps),
            plan_memory(graph, [Claim(step.run, step.cost.scratch) for step in steps]).size,
        )
        for steps in covers(graph, offers)
    ]
    choice = choose(graph, offers, {}, Wish(after, ceiling, fixed_flash=20))
    assert choice is not None and choice.fits
    cycles, flash, arena = choice.cycles, choice.flash_bytes, choice.memory.size
    if after == "time":
        assert cycles == min(c for c, _, _ in figures)
    elif after == "balanced":
        assert cycles * (flash + 20) == min(c * (f + 20) for c, f, _ in figures)
    elif after == "flash":
        slow_enough = [f for c, f, _ in figures if c <= ceiling]
        assert (cycles, flash) == min((c, f) for c, f, _ in figures) if not slow_enough else flash == min(slow_enough)
    else:
        # Taking apart what needs most of the arena is a good search, not a proof.
        quickest = min((c, a) for c, _, a in figures)
        assert arena <= quickest[1] and cycles >= quickest[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(RUNS), st.lists(WANTED, min_size=1, max_size=3)), max_size=7), st.data())
def test_flash_alone_is_used_as_well_as_can_be(
    graph: Graph, drawn: list[tuple[tuple[int, ...], list[Wanted]]], data: st.DataObject
) -> None:
    kernels = [FakeKernel("base", {(i,): [plain(40, 10)] for i in range(4)})]
    kernels += [FakeKernel(f"k{n}", {run: wanted}) for n, (run, wanted) in enumerate(drawn)]
    offers = market(*kernels).offers(graph).offers
    flash = data.draw(st.integers(0, 120))
    all_covers = list(covers(graph, offers))
    assert all(map(agreeing, all_covers))
    fitting = [s for s in all_covers if sum(step.cost.flash_bytes for step in s) <= flash]
    choice = choose(graph, offers, {FLASH: flash})
    assert choice is not None and choice.fits == bool(fitting)
    if fitting:
        assert choice.cycles == min(sum(step.cost.cycles for step in steps) for steps in fitting)


class TestDesigns:
    """Exact and approximated plans in one choice."""

    def test_prices_are_those_of_what_will_be_lowered(self, graph: Graph) -> None:
        plans = ChosenPlans(graph, Market(PLATFORM, estimated(PLATFORM), "unpacked"), PLENTY)
        exact = plans.total(())
        thin = thinned(graph, 1, 0.6)
        priced = plans.total((thin,))
        assert priced.cycles < exact.cycles and priced.flash_bytes < exact.flash_bytes and priced.macs < exact.macs
        (step,) = (step for step in plans.choice((thin,)).steps if step.candidate is thin)
        assert step.plan.operators == (thin.operator,) and step.plan.kernel == "unpacked"
        assert exact.macs == graph.macs and plans.effective((thin,)) == (thin,)

    def test_candidates_that_save_nothing_are_left_out(self, graph: Graph) -> None:
        library = Market(PLATFORM, estimated(PLATFORM), "cmsis_nn")
        plans = ChosenPlans(graph, library, PLENTY)
        assert plans.effective((thinned(graph, 1, 0.6),)) == ()
        assert plans.total((thinned(graph, 1, 0.6),)) == plans.total(())

    def test_an_approximated_form_may_fit_where_the_exact_one_does_not(self, graph: Graph) -> None:
        unpacked = Market(PLATFORM, estimated(PLATFORM), "unpacked")
        thin = tuple(thinned(graph, layer, 0.8) for layer in (0, 1, 3))
        least = ChosenPlans(graph, unpacked, {**PLENTY, FLASH: 0}).total(()).flash_bytes
        tight = ChosenPlans(graph, unpacked, {**PLENTY, FLASH: least - 1})
        assert tight.total(thin).fits and tight.effective(thin) == thin
        assert not tight.total(()).fits


def test_real_network_on_a_small_flash(root: Path) -> None:
    """What is chosen stays within the budget, and a larger budget never gives a slower network."""
    graph = read_graph(root / "models" / "cifar10_lenet.tflite")
    offers = Market(PLATFORM, estimated(PLATFORM)).offers(graph).offers
    library = choose(graph, Market(PLATFORM, estimated(PLATFORM), "cmsis_nn").offers(graph).offers, PLENTY)
    assert library is not None
    previous = float("inf")
    for more in itertools.accumulate([0, 50_000, 100_000, 300_000, 10**9]):
        choice = choose(graph, offers, {**PLENTY, FLASH: library.flash_bytes + more})
        assert choice is not None and choice.fits and choice.flash_bytes <= library.flash_bytes + more
        assert choice.cycles <= previous
        previous = choice.cycles
