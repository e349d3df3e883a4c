"""Convolutions in Winograd's domain: every plan on the virtual boards, exact and approximated; the table; the text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examined import CORES, core_errors, examined
from machine_assemblers import clang, function_sizes, gnu, unpadded
from networks import conv_graph

from approx_plugin.approximation.bases.transformed import POINTS_T22, POINTS_T42, Transformed
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.winograd.kernel import Winograd, numbers
from approx_plugin.kernels.winograd.plan import WinogradPlan
from approx_plugin.kernels.winograd.shape import Points
from approx_plugin.kernels.winograd.table import slot_channels
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.transformed_conv2d import TransformedConv2D
from approx_plugin.operators.winograd import P22, T22, T42, Transform

GOLDEN = Path(__file__).parent / "golden"
WINOGRAD = Winograd()
M33 = Platform("cortex-m33", True, "assembly")


def conv(seed: int = 1, **arguments: Any) -> Conv2D:
    made = conv_graph(np.random.default_rng(seed), **arguments, kernel=(3, 3)).operators[0]
    assert isinstance(made, Conv2D)
    return made


LAYERS: dict[str, Conv2D] = {
    "whole tiles": conv(size=(8, 8), channels=(8, 6)),
    "one output": conv(size=(3, 3), channels=(4, 1), same=False, zero_points=(5, -3)),
    "odd sizes and channels": conv(size=(13, 7), channels=(12, 5), zero_points=(-1, 4)),
    "valid": conv(size=(15, 15), channels=(4, 3), same=False, zero_points=(127, 127)),
    "wide": conv(size=(4, 32), channels=(4, 2), limits=(-100, 90), zero_points=(-128, 0)),
    "many channels": conv(size=(8, 8), channels=(72, 2)),
    "half of the weights": conv(size=(6, 8), channels=(16, 4), density=0.5, gain=30.0),
    "one column": conv(size=(9, 1), channels=(4, 2)),
    "stride 2": conv(size=(16, 16), channels=(8, 6), stride=(2, 2)),
    "stride 2, odd sizes": conv(size=(13, 9), channels=(12, 5), stride=(2, 2), zero_points=(3, -4)),
    "stride 2, valid": conv(size=(12, 7), channels=(4, 1), stride=(2, 2), same=False, zero_points=(127, 5)),
    "stride 2, many channels": conv(size=(8, 8), channels=(72, 2), stride=(2, 2), limits=(-100, 90)),
    "stride 2, half of the weights": conv(size=(8, 6), channels=(16, 4), stride=(2, 2), density=0.2, gain=30.0),
}


def approximated(basis: Transformed, layer: Conv2D, share: float, seed: int = 3) -> TransformedConv2D:
    """Without some groups (pairs of input channels at a point), for all outputs, and otherwise changed a little."""
    rng = np.random.default_rng(seed)
    coefficients = basis.coefficients(layer).astype(np.int64)
    coefficients += rng.integers(-30, 31, coefficients.shape)
    for pair in slot_channels(layer.in_channels):
        gone = rng.random(basis.form.points) < share
        coefficients[np.ix_(np.arange(len(coefficients)), np.flatnonzero(gone), pair)] = 0
    made = basis.rebuild(layer, np.clip(coefficients, -32767, 32767).astype(np.int16), basis.bias(layer) + 11)
    assert isinstance(made, TransformedConv2D)
    return made


APPROXIMATED = {
    "a third": approximated(POINTS_T42, LAYERS["whole tiles"], 0.33),
    "two thirds": approximated(POINTS_T42, LAYERS["odd sizes and channels"], 0.67),
    "many channels": approximated(POINTS_T42, LAYERS["many channels"], 0.4),
    "t22": approximated(POINTS_T22, LAYERS["half of the weights"], 0.5),
    "nothing left of it": approximated(POINTS_T42, LAYERS["valid"], 1.0),
    "nothing gone": approximated(POINTS_T22, LAYERS["wide"], 0.0),
}


@pytest.mark.parametrize("core", CORES)
def test_every_plan_computes_every_layer(core: str, tmp_path: Path) -> None:
    verdict = examined(WINOGRAD, LAYERS.values(), core, tmp_path)
    assert float(np.median(np.abs(core_errors(verdict, core)))) < (0.12 if core == "cortex-m7" else 0.05)


@pytest.mark.parametrize("core", CORES)
def test_approximated_layers_are_computed_as_their_reference_says(core: str, tmp_path: Path) -> None:
    verdict = examined(WINOGRAD, APPROXIMATED.values(), core, tmp_path)
    assert float(np.median(np.abs(core_errors(verdict, core)))) < (0.12 if core == "cortex-m7" else 0.05)


def test_what_is_left_out_saves_cycles_and_flash() -> None:
    layer = conv(size=(16, 16), channels=(32, 32))
    exact = WINOGRAD.plans((layer,), M33)[0]
    less = WINOGRAD.plans((approximated(POINTS_T42, layer, 0.4),), M33)[0]
    assert isinstance(exact, WinogradPlan) and isinstance(less, WinogradPlan)
    cycles = [sum(routine.cycles for routine in plan.routines("s")) for plan in (exact, less)]
    assert cycles[1] < 0.8 * cycles[0]
    assert sum(less.needs.tables.values()) < 0.7 * sum(exact.needs.tables.values())
    assert less.macs < 0.7 * exact.macs


def test_groups_are_what_the_loops_leave_out() -> None:
    layer = LAYERS["whole tiles"]
    (plan, *_) = WINOGRAD.plans((layer,), M33)
    assert plan.grouping is not None and plan.grouping.shared
    groups = plan.grouping.groups
    assert groups.shape == (24, 8) and len(np.unique(groups)) == 24 * 4
    for pair in slot_channels(8):
        assert (groups[:, pair[0]] == groups[:, pair[1]]).all()


def test_points_stand_side_by_side_by_their_slots() -> None:
    points = Points.of([2, 5, 2, 0, 5])
    assert points.order == (1, 4, 0, 2, 3)
    assert points.groups == ((5, 2), (2, 2), (0, 1))
    assert points.offsets == {1: 0, 4: 112, 0: 224, 2: 288, 3: 352}
    assert points.sums[4] == 112 + 80 and points.block_bytes == 384


def test_the_bias_takes_up_the_input_s_zero_point() -> None:
    layer = LAYERS["odd sizes and channels"]
    for form, one in ((T22, layer), (T42, layer), (P22, replace(layer, stride=(2, 2)))):
        found = numbers(one, form)
        assert found is not None and found.scale % form.scale == 0
        # A patch of zero points gives the layer's bias alone.
        points = np.einsum("opc,p->op", found.coefficients, form.inputs.sum(axis=1)) * layer.input_zero_point
        sums = form.outputs @ points.T + found.bias
        assert (sums == layer.bias.astype(np.int64) * found.requantisation.live * found.scale).all()


@pytest.mark.parametrize("form", [T22, T42, P22], ids=lambda form: form.name)
def test_a_transform_computes_the_convolution(form: Transform) -> None:
    rng = np.random.default_rng(4)
    filters, patch = rng.integers(-128, 128, (5, 3, 3, 6)), rng.integers(-128, 128, (*form.patch, 6))
    (down, across), (rows, columns) = form.stride, form.tile
    sums = form.outputs @ np.einsum("opc,pc->po", form.weights(filters), form.transformed(patch))
    for number in range(rows * columns):
        top, left = number // columns * down, number % columns * across
        window = patch[top : top + 3, left : left + 3]
        assert (sums[number] == form.scale * np.einsum("orsc,rsc->o", filters, window)).all()
    assert sorted(point for points in form.sums for point in points) == list(range(form.points))
    assert len(form.sums) == {"t22": 16, "t42": 24, "p22": 9}[form.name]


def test_refusals_say_why() -> None:
    layer = LAYERS["whole tiles"]
    assert "no SMLAD" in str(WINOGRAD.refusal((layer,), Platform("cortex-m0plus", False, "assembly")))
    assert "multiple of 4" in str(WINOGRAD.refusal((conv(size=(8, 8), channels=(6, 4)),), M33))
    assert "input channels" in str(WINOGRAD.refusal((conv(size=(2, 2), channels=(256, 1)),), M33))
    assert "rows are too long" in str(WINOGRAD.refusal((conv(size=(3, 99), channels=(64, 1)),), M33))
    far = replace(layer, bias=np.full(6, 2**31 - 1, np.int32))
    assert "no exact constants" in str(WINOGRAD.refusal((far,), M33))
    assert not WINOGRAD.suits((replace(layer, stride=(2, 1)),))


@pytest.mark.parametrize("core", CORES)
def test_size_and_both_assemblers(core: str, tmp_path: Path) -> None:
    layers = (LAYERS["odd sizes and channels"], APPROXIMATED["a third"], LAYERS["many channels"])
    for number, layer in enumerate(layers):
        plan = WINOGRAD.plans((layer,), Platform(core, True, "assembly"))[0]
        (text,) = plan.emit("layer").sources.values()
        folder = tmp_path / str(number)
        folder.mkdir()
        made = gnu(text, folder, core)
        assert function_sizes(made) == {"layer_winograd": plan.needs.code}
        assert unpadded(made) == unpadded(clang(text, folder, core))


@pytest.mark.parametrize("core", ["cortex-m33", "cortex-m7"])
def test_this_is_the_code(core: str, golden: Any) -> None:
    plan = WINOGRAD.plans((LAYERS["one output"],), Platform(core, True, "assembly"))[0]
    (text,) = plan.emit("layer").sources.values()
    golden(GOLDEN / f"winograd_{core}.s", text)
