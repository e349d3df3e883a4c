"""Convolutions as matrix products without some taps of all output channels: what is read, what is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examined import CORES, core_errors, examined
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_assemblers import clang, function_sizes, gnu, unpadded
from networks import conv_graph

from approx_plugin.approximation.grouping import Grouping
from approx_plugin.kernels.gemm.gather import Gathering
from approx_plugin.kernels.gemm.geometry import Geometry
from approx_plugin.kernels.gemm.kernel import Gemm
from approx_plugin.kernels.gemm.plan import GemmPlan
from approx_plugin.kernels.gemm.skipping import SparseGathering, gathering_of
from approx_plugin.kernels.platform import Platform
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import Padding

GEMM = Gemm()
M33 = Platform("cortex-m33", True, "assembly")


def conv(share: float, seed: int = 1, **arguments: Any) -> Conv2D:
    """Without a share of its taps, for all output channels."""
    rng = np.random.default_rng(seed)
    made = conv_graph(rng, **arguments).operators[0]
    assert isinstance(made, Conv2D)
    return replace(made, weights=np.where(rng.random(made.weights.shape[1:]) < share, np.int8(0), made.weights))


LAYERS: dict[str, Conv2D] = {
    "pointwise": conv(0.4, size=(5, 5), channels=(16, 6), kernel=(1, 1), zero_points=(5, -3)),
    "first layer": conv(0.3, size=(12, 14), channels=(3, 8), kernel=(3, 3), stride=(2, 2), zero_points=(-1, 4)),
    "valid": conv(0.5, size=(8, 9), channels=(5, 3), kernel=(3, 3), same=False),
    "far slots": conv(0.2, size=(3, 4), channels=(70, 3), kernel=(3, 3)),
    "far inputs": conv(0.9, size=(3, 64), channels=(33, 2), kernel=(3, 3), same=False),
    "one tap": conv(0.9, seed=5, size=(4, 6), channels=(4, 2), kernel=(2, 2)),
    "no weight at all": conv(1.1, size=(5, 4), channels=(4, 3), kernel=(3, 3), zero_points=(7, 9)),
}


@pytest.mark.parametrize("core", CORES)
def test_every_plan_computes_every_layer(core: str, tmp_path: Path) -> None:
    verdict = examined(GEMM, LAYERS.values(), core, tmp_path)
    errors = core_errors(verdict, core)
    assert float(np.median(np.abs(errors))) < (0.12 if core == "cortex-m7" else 0.06)


@settings(deadline=None, max_examples=60)
@given(channels=st.integers(1, 9), tall=st.integers(1, 3), wide=st.integers(1, 3), data=st.data())
def test_every_kept_tap_is_in_one_slot(channels: int, tall: int, wide: int, data: st.DataObject) -> None:
    geometry = Geometry(8, 8, channels, 6, 6, 4, (tall, wide), (1, 1), (1, 1), Padding(0, 0, 0, 0))
    taps = tall * wide * channels
    kept = data.draw(st.lists(st.integers(0, taps - 1), min_size=1, unique=True))
    weights = np.zeros((2, taps), np.int64)
    weights[data.draw(st.integers(0, 1)), kept] = 3
    gathering = gathering_of(geometry, weights)
    named = [tap for pair in gathering.pairs.tolist() for tap in pair if tap >= 0]
    assert len(named) == len(set(named)) and set(kept) <= set(named)
    assert len(gathering.pairs) == gathering.slots
    if isinstance(gathering, SparseGathering):
        assert set(named) == set(kept)
        # No fewer would do: two taps to a slot.
        assert gathering.slots == -(-len(kept) // 2) < Gathering(geometry).slots


def test_what_is_left_out_saves_cycles_tables_and_products() -> None:
    whole = conv(0.0, size=(16, 16), channels=(32, 32), kernel=(1, 1))
    weights = whole.weights.copy()
    weights[..., ::4] = 0
    plans = [GEMM.plans((layer,), M33)[0] for layer in (whole, replace(whole, weights=weights))]
    cycles = [sum(routine.cycles for routine in plan.routines("s")) for plan in plans if isinstance(plan, GemmPlan)]
    tables = [sum(plan.needs.tables.values()) for plan in plans]
    assert cycles[1] < 0.82 * cycles[0]
    assert tables[1] < 0.85 * tables[0]
    assert plans[0].macs == whole.macs and plans[1].macs == whole.macs * 3 // 4


def test_any_tap_can_go_for_all_channels() -> None:
    layer = LAYERS["first layer"]
    (plan, *_) = GEMM.plans((layer,), M33)
    assert isinstance(plan.grouping, Grouping) and plan.grouping.shared
    assert plan.grouping.groups.shape == (3, 3, 3) and len(np.unique(plan.grouping.groups)) == 27


def test_a_layer_with_all_of_its_taps_is_gathered_as_before() -> None:
    layer = conv(0.0, size=(5, 5), channels=(4, 3), kernel=(3, 3))
    found = gathering_of(Geometry.of(layer), layer.weights.reshape(3, -1).astype(np.int64))
    assert type(found) is Gathering


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["first layer", "far slots"])
def test_size_and_both_assemblers(name: str, core: str, tmp_path: Path) -> None:
    plan = GEMM.plans((LAYERS[name],), Platform(core, True, "assembly"))[0]
    (text,) = plan.emit("layer").sources.values()
    made = gnu(text, tmp_path, core)
    assert function_sizes(made) == {"layer_gemm": plan.needs.code}
    assert unpadded(made) == unpadded(clang(text, tmp_path, core))
