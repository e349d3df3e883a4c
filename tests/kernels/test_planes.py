"""Depthwise convolutions on planes: layout, weights, constants and code; `tests/laboratory` runs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from depthwise_cases import depthwise
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_assemblers import clang, code_sections, function_sizes, gnu

from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.planes.constants import INT16_MAX, INT16_MIN, Constants, constants_of
from approx_plugin.kernels.planes.geometry import Geometry, geometry
from approx_plugin.kernels.planes.kernel import Planes
from approx_plugin.kernels.planes.plan import PlanesPlan, numbers
from approx_plugin.kernels.planes.weights import arrangement
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.quantization import Multiplier, Quantization
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D

GOLDEN = Path(__file__).parent / "golden"
M4 = Platform("cortex-m4", True, "assembly")

windows = st.builds(
    lambda height, width, kernel, stride, dilation, same, paired: (
        (height + (kernel[0] - 1) * dilation[0], width + (kernel[1] - 1) * dilation[1]),
        dict(kernel=kernel, stride=stride, dilation=dilation, same=same),
        paired,
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.tuples(st.integers(1, 6), st.integers(1, 5)),
    st.tuples(st.integers(1, 4), st.integers(1, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 3)),
    st.booleans(),
    st.booleans(),
)


def words_of_plane(layout: Geometry, image: np.ndarray[Any, Any], border: int) -> np.ndarray[Any, Any]:
    """[rows, columns, halves]: what the code makes of one channel, whose rows are the paired direction."""
    words = np.full((layout.rows, layout.columns, 2), border, np.int64)
    for run in layout.runs:
        for row in range(run.first, run.first + run.length):
            for half, held in enumerate((run.low, run.high)):
                source = layout.first_input(row) + half * layout.apart
                assert held == (0 <= source < layout.paired.extent)
                if held:
                    first = layout.slid.before
                    words[row, first : first + layout.filled, half] = image[source, : layout.filled]
    return words


@settings(max_examples=150, deadline=None)
@given(windows)
def test_the_products_of_words_are_the_convolution(case: Any) -> None:
    size, options, columns_paired = case
    conv = depthwise(size, 1, **options)
    layout = geometry(conv, columns_paired, 1)
    arranged = arrangement(layout)
    image = np.random.default_rng(3).integers(-128, 128, size)
    paired = image.T if columns_paired else image
    words = words_of_plane(layout, paired, conv.inputs[0].zero_point)
    weights = conv.weights.astype(np.int64)[..., 0]
    weights = weights.T if columns_paired else weights
    sums = np.zeros((layout.paired.outputs, layout.slid.outputs), np.int64)
    for row in range(layout.paired.outputs):
        group, output = divmod(row, layout.group)
        count = layout.group if group < layout.groups else layout.left_over
        for product in arranged.products[count - 1]:
            if product.output != output:
                continue
            for column in range(layout.slid.outputs):
                place = layout.slid.stride * column + layout.slid.dilation * product.tap
                word = words[group * layout.step + product.row, place]
                halves = [0 if tap is None else weights[tap] for tap in arranged.words[product.word]]
                if product.mnemonic == "smlad":
                    sums[row, column] += word @ np.array(halves)
                else:
                    operand, weight = ("bt".index(half) for half in product.mnemonic[4:])
                    sums[row, column] += word[operand] * halves[weight]
    plain = replace(conv, bias=np.zeros(1, np.int32), multipliers=(Multiplier(1 << 30, 1),), activation_min=-128)
    plain = replace(plain, output=replace(plain.output, quantization=Quantization((1.0,), (0,))))
    exact = plain.compute([image[None, ..., None].astype(np.int8)])[0, ..., 0].astype(np.int64)
    centred = sums - conv.inputs[0].zero_point * weights.sum()
    assert (np.clip(centred.T if columns_paired else centred, -128, 127) == exact).all()


def test_windows_of_three_by_three_take_two_loads_and_six_words() -> None:
    one, two = (arrangement(geometry(depthwise((8, 8), 4, (3, 3), stride=(s, s)), False, 4)) for s in (1, 2))
    assert (len(one.words), len(one.products[-1])) == (6, 12)
    assert (len(two.words), len(two.products[-1])) == (5, 12)


@pytest.mark.parametrize(
    ("channels", "few", "several"), [(1, 1, 1), (5, 1, 5), (6, 3, 6), (10, 2, 10), (34, 2, 2), (64, 4, 16)]
)
def test_planes_divide_the_channels(channels: int, few: int, several: int) -> None:
    found, counts = numbers(channels)
    assert found == few
    assert counts[-1] == several
    assert all(channels % count == 0 for count in counts)


@pytest.mark.parametrize("zero_points", [(-128, -128), (127, 0), (3, -7)])
@pytest.mark.parametrize("limits", [(-128, 127), (-100, 90)])
def test_constants_requantise_exactly(zero_points: tuple[int, int], limits: tuple[int, int]) -> None:
    conv = depthwise((6, 6), 12, (3, 3), zero_points=zero_points, limits=limits)
    check_constants(conv)


def test_shifts_that_lie_far_apart_get_exponents_of_their_own() -> None:
    shifts = (1, 4, 9, 14, 19)
    conv = depthwise((6, 6), 5, (3, 3), multipliers=tuple(Multiplier((1 << 30) + 12345, -s) for s in shifts))
    assert check_constants(conv).requantisation.exponent is None


def check_constants(conv: DepthwiseConv2D) -> Constants:
    constants = constants_of(conv)
    assert isinstance(constants, Constants)
    weights = constants.weights
    assert weights.min() >= INT16_MIN
    assert weights.max() <= INT16_MAX
    random = np.random.default_rng(4)
    image = random.integers(-128, 128, (1, *conv.inputs[0].shape[1:])).astype(np.int8)
    zero = conv.inputs[0].zero_point
    _, height, width, _ = conv.output.shape
    padded = np.pad(image[0].astype(np.int64), ((1, 1), (1, 1), (0, 0)), constant_values=zero)
    sums = sum(
        padded[i : i + height, j : j + width] * weights[i, j] for i in range(3) for j in range(3)
    ) + constants.bias  # fmt: skip
    assert (constants.requantisation.apply(sums) == conv.compute([image])[0]).all()
    return constants


def test_what_it_does_not_compute_is_refused_with_a_reason() -> None:
    kernel, conv = Planes(), depthwise((5, 5), 4, (3, 3))
    refusals = {
        "cortex-m0 has no SMLAD": kernel.refusal((conv,), Platform("cortex-m0", False, "assembly")),
        "it is written in assembly": kernel.refusal((conv,), Platform("cortex-m4", True, "c")),
    }
    assert all(said == reason for said, reason in refusals.items())
    large = replace(conv, bias=np.full(4, 2**31 - 5, np.int32), multipliers=(Multiplier(1 << 30, 3),) * 4)
    assert "int32" in (kernel.refusal((large,), M4) or "")
    assert "offset" in (kernel.refusal((depthwise((62, 64), 1, (60, 40), same=False),), M4) or "")


def test_without_an_fpu_its_registers_are_left_alone() -> None:
    conv = depthwise((9, 9), 4, (5, 5))
    for platform, used in ((M4, True), (replace(M4, fpu=False), False), (replace(M4, core="cortex-m7"), False)):
        plan = Planes().plans((conv,), platform)[0]
        (text,) = plan.emit("step").sources.values()
        assert (" s1" in text.partition(".text")[2] or "{s0" in text) is used


def test_plans_differ_in_scratch_and_its_memory() -> None:
    plans = Planes().plans((depthwise((9, 9), 32, (3, 3)),), replace(M4, core="cortex-m7", dtcm=1 << 16))
    assert len({plan.variant for plan in plans}) == len(plans) <= 12
    assert {memory for plan in plans for memory in plan.needs.scratch} == {RAM, DTCM}
    sizes = [sum(plan.needs.scratch.values()) for plan in plans]
    assert min(sizes) * 16 == max(sizes)


LAYERS = {
    "planes_twins": depthwise((4, 5), 4, (3, 3), zero_points=(-128, -128)),
    "planes_stride_2_odd": depthwise((5, 4), 3, (3, 3), stride=(2, 2), limits=(-100, 90)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_become_this_code(name: str, golden: Any) -> None:
    plan = Planes().plans((LAYERS[name],), M4)[0]
    (text,) = plan.emit("approx_layer_00").sources.values()
    golden(GOLDEN / f"{name}.s", text)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_two_assemblers_make_the_same_of_it(name: str, core: str, tmp_path: Path) -> None:
    plan = Planes().plans((LAYERS[name],), replace(M4, core=core))[0]
    (text,) = plan.emit("step").sources.values()
    made = gnu(text, tmp_path, core)
    assert isinstance(plan, PlanesPlan)
    (size,) = function_sizes(made).values()
    assert size == sum(routine.size for routine in plan.code)
    (ours,), (theirs,) = (code_sections(elf).values() for elf in (made, clang(text, tmp_path, core)))
    # One of them fills the section up.
    assert ours[:size] == theirs[:size]
