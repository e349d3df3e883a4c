"""The cost model: counts against the code they stand for, caches against a simulated one, its files, its fallback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import conv_graph

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.timing import Cache
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.costs.counting import IDEAL, Memories, Work, missed_bytes, swept_again
from approx_plugin.kernels.costs.loader import board_costs, ideal_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.kernel import Kernel, price
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import R0, R1
from approx_plugin.kernels.machine.text import Label
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.unpacked.assembly import Phase, group_code, groups
from approx_plugin.kernels.unpacked.phases import count_phases, cut
from approx_plugin.kernels.unpacked.plan import UnpackedPlan
from approx_plugin.kernels.unpacked.plan import plans as plans_for
from approx_plugin.laboratory.drawing import draw_layers, unpriced
from approx_plugin.operators.conv2d import Conv2D

CACHES = Memories(Cache(1024, 8, 128), Cache(256, 8, 32), Cache(16384, 32, 4))


# --- caches


def misses_of(cache: Cache, footprint: int, sweeps: int) -> tuple[int, int]:
    """Misses of the first sweep and of all later ones, line by line."""
    sets: list[list[int]] = [[] for _ in range(cache.bytes // (cache.line_bytes * cache.ways))]
    found = []
    for _ in range(sweeps):
        missed = 0
        for line in range(-(-footprint // cache.line_bytes)):
            held = sets[line % len(sets)]
            if line in held:
                held.remove(line)
            else:
                missed += 1
                del held[cache.ways - 1 :]
            held.insert(0, line)
        found.append(missed)
    return found[0], sum(found[1:])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([1, 2, 4]), st.sampled_from([8, 16]), st.integers(1, 8), st.integers(1, 1200), st.integers(1, 4))
def test_missed_bytes_are_those_of_a_cache(ways: int, line: int, sets: int, footprint: int, sweeps: int) -> None:
    cache = Cache(ways * line * sets, line, ways)
    first, later = misses_of(cache, footprint, sweeps)
    assert float(missed_bytes(cache, footprint, sweeps)) == (first + later) * line
    # Bytes that were just written: the first sweep has been paid for.
    assert swept_again(cache, footprint, sweeps - 1) == later * line


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e9)), min_size=1, max_size=12), st.randoms())
def test_cycles_are_rounded_once(terms: list[tuple[float, float]], random: Random) -> None:
    """The exact sum of the products, whatever the order of the counts and the version of Python."""
    names = [f"count {number}" for number in range(len(terms))]
    model = CostModel("test", IDEAL, {"kind": {name: factor for name, (factor, _) in zip(names, terms)}})
    wanted = float(sum(Fraction(factor * count) for factor, count in terms))
    random.shuffle(names)
    counts = dict(zip((f"count {number}" for number in range(len(terms))), (count for _, count in terms)))
    assert model.cycles(Work("kind", {name: counts[name] for name in names})) == wanted


def test_without_a_cache_nothing_is_missed() -> None:
    np.testing.assert_array_equal(missed_bytes(None, np.array([10.0, 1e6]), 100), [0, 0])
    assert swept_again(None, 1e6, 10) == 0


# --- counts of the unpacked kernel


def emitted(plan: UnpackedPlan) -> dict[str, float]:
    """What the layer's assembly text consists of."""
    parts = groups(plan.slots, plan.constants, plan.block)
    phases = count_phases(parts, plan.block)
    total = {"products": 0, "loads": 0, "weights": 0, "constants": 0, "bytes": 0}
    for part in parts:
        runs = cut(plan.order, part, plan.block, phases)
        for number, run in enumerate(runs):
            phase = Phase(tuple(run), number == 0, number == phases - 1)
            made = group_code("f", plan.layout, plan.slots, phase, plan.block, part, plan.constants)
            total["bytes"] += made.size
            places = [i for i, item in enumerate(made.items) if isinstance(item, Label) and "_block" in item.name]
            for item in made.items[places[0] if places else 0 :]:
                if not isinstance(item, Instruction):
                    continue
                if item.name == "smmlar":
                    break  # From here on r1 is the output pointer.
                total["products"] += item.name in ("smlad", "smlabb", "smlatb")
                if item.kind == "load":
                    address = item.operands[1]
                    assert isinstance(address, Address)
                    total["loads"] += address.base == R0
                if item.operands[0] == R1 and item.name in ("movw", "movt", "mov", "mvn"):
                    total["constants"] += 1
                    total["weights"] += item.name != "movt"
    return {**total, "phases": phases}


CASES: dict[str, dict[str, Any]] = {
    "dense, four pixels": dict(size=(12, 12), channels=(8, 16), kernel=(3, 3)),
    "pointwise, odd output channels": dict(size=(9, 9), channels=(24, 7), kernel=(1, 1)),
    "one channel": dict(size=(12, 16), channels=(1, 8), kernel=(5, 5)),
    "two phases": dict(size=(8, 8), channels=(64, 4), kernel=(3, 3)),
    "activation limits": dict(size=(8, 8), channels=(4, 8), kernel=(3, 3), limits=(-100, 90)),
    "half the weights": dict(size=(8, 8), channels=(16, 16), kernel=(3, 3), density=0.5),
    "a tenth of the weights": dict(size=(8, 8), channels=(16, 16), kernel=(3, 3), density=0.1),
}


@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_the_emitted_code(name: str) -> None:
    conv = conv_graph(np.random.default_rng(5), **CASES[name]).operators[0]
    assert isinstance(conv, Conv2D)
    for plan in plans_for(conv, "assembly"):
        found, counts = emitted(plan), plan.counts
        assert counts.phases == found["phases"]
        assert counts.products.sum() == found["products"]
        assert counts.weights.sum() == found["weights"]
        assert counts.constants.sum() == found["constants"]
        exact = "density" not in CASES[name] and counts.phases == 1
        # What slots share when some of them are missing is estimated.
        assert counts.loads.sum() == (found["loads"] if exact else pytest.approx(found["loads"], rel=0.1))
        assert counts.bytes.sum() == pytest.approx(found["bytes"], rel=0.005 if exact else 0.02)


def counted(plan: UnpackedPlan, memories: Memories) -> Mapping[str, float]:
    (work,) = plan.work(memories)
    return work.counts


def test_code_that_does_not_stay_in_the_cache_is_fetched_by_every_pass() -> None:
    conv = conv_graph(np.random.default_rng(1), size=(16, 16), channels=(16, 4), kernel=(3, 3)).operators[0]
    assert isinstance(conv, Conv2D)
    plan = plans_for(conv, "assembly")[0]
    passes = plan.block.passes(plan.layout)
    small, large = (Memories(code=Cache(size, 16, 2)) for size in (1024, 16384))
    thrashed, kept = counted(plan, small)["missed_bytes"], counted(plan, large)["missed_bytes"]
    assert thrashed == pytest.approx(kept * passes, rel=0.02)
    assert kept == pytest.approx(plan.needs.code, rel=0.05)
    assert counted(plan, small)["weights_4"] == 0 < counted(plan, large)["weights_4"]
    assert counted(plan, IDEAL)["missed_bytes"] == 0


# --- the model and its files


def test_cycles_are_counts_times_coefficients() -> None:
    model = CostModel("a test", IDEAL, {"kind": {"a": 2.0, "b": 0.5}})
    assert model.cycles(Work("kind", {"a": 10.0, "b": 4.0})) == 22.0
    with pytest.raises(KeyError):
        model.cycles(Work("kind", {"c": 1.0}))
    with pytest.raises(KeyError):
        model.cycles(Work("other", {"a": 1.0}))


def every_model() -> dict[str, CostModel]:
    """Those of all boards that have one."""
    models = {}
    for name in known_boards():
        costs = board_costs(load_board(name))
        if costs is not None:
            models[name] = costs
    return models


def test_every_board_has_costs() -> None:
    assert set(known_boards()) <= set(every_model())


@pytest.mark.parametrize("name", every_model())
def test_every_count_has_a_coefficient(name: str) -> None:
    model = every_model()[name]
    platform = unpriced(load_board("nucleo-u575zi-q"), "assembly")
    kinds = set()
    for drawn in draw_layers(11, 0.5, platform):
        for work in drawn.plan(platform).work(model.memories):
            assert set(work.counts) == set(model.kinds[work.kind])
            assert min(work.counts.values()) >= 0
            assert model.cycles(work) > 0
            kinds.add(work.kind)
    assert kinds == set(model.kinds)


def test_origin_says_what_was_fitted_to() -> None:
    costs = board_costs(load_board("nucleo-u575zi-q"))
    assert costs is not None
    assert costs.origin == "the virtual board of NUCLEO-U575ZI-Q"
    assert ideal_costs("cortex-m7").origin == "an ideal Cortex-M7 without wait states"
    assert ideal_costs("cortex-m7").memories == IDEAL


def test_a_board_without_costs_falls_back_to_the_ideal_core(tmp_path: Path) -> None:
    board: Board = replace(load_board("nucleo-u575zi-q"), folder=tmp_path)
    assert board_costs(board) is None
    assert Platform("cortex-m33", True, "assembly").model is ideal_costs("cortex-m33")
    assert Platform("cortex-m3", False, "c").model.origin == "an ideal Cortex-M4 without wait states"


# --- what the costs decide


def dense() -> Conv2D:
    """3x3x16 -> 32 on 16x16: of the kernel measurements."""
    conv = conv_graph(np.random.default_rng(1), size=(16, 16), channels=(16, 32), kernel=(3, 3)).operators[0]
    assert isinstance(conv, Conv2D)
    return conv


def cost(kernel: Kernel, conv: Conv2D, platform: Platform) -> StepCost:
    """Of the quickest plan."""
    return min((price(plan, platform) for plan in kernel.plans((conv,), platform)), key=lambda found: found.cycles)


def platform_of(board: str) -> Platform:
    found = load_board(board)
    return Platform(found.core, found.dsp, "assembly", board_costs(found))


def cycles(board: str, kernel: str, conv: Conv2D) -> float:
    """On a board, estimated."""
    return cost(KERNELS[kernel], conv, platform_of(board)).cycles


def test_flash_decides_whether_unpacking_pays() -> None:
    fast, slow = "nucleo-u575zi-q", "nucleo-l4r5zi"
    assert cycles(fast, "unpacked", dense()) < 0.6 * cycles(fast, "cmsis_nn", dense())
    # Two banks of 64-bit flash cannot feed straight-line code.
    assert cycles(slow, "unpacked", dense()) > 0.85 * cycles(slow, "cmsis_nn", dense())
    ideal = Platform("cortex-m4", True, "assembly")
    quick = cost(KERNELS["unpacked"], dense(), ideal).cycles
    assert quick < 0.6 * cost(KERNELS["cmsis_nn"], dense(), ideal).cycles


def test_zeros_save_time_and_flash_in_the_unpacked_kernel_only() -> None:
    conv = dense()
    half = conv.weights.copy()
    half.reshape(-1, 4)[:, :2] = 0
    sparse = conv.with_constants(half, conv.bias)
    platform = platform_of("nucleo-u575zi-q")
    unpacked, library = KERNELS["unpacked"], KERNELS["cmsis_nn"]
    thin, full = cost(unpacked, sparse, platform), cost(unpacked, conv, platform)
    assert thin.cycles < 0.7 * full.cycles
    assert thin.flash_bytes < 0.65 * full.flash_bytes
    thin, full = cost(library, sparse, platform), cost(library, conv, platform)
    assert (thin.cycles, thin.flash_bytes, thin.macs) == (full.cycles, full.flash_bytes, full.macs)
