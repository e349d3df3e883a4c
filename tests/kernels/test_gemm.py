"""Convolutions as matrix products: which window reads what, the table, every plan on the virtual boards, the text."""

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

from approx_plugin.kernels.gemm.gather import Gathering
from approx_plugin.kernels.gemm.geometry import BLOCK, Geometry, Stripes
from approx_plugin.kernels.gemm.kernel import Gemm
from approx_plugin.kernels.gemm.plan import GemmPlan, stripes_of
from approx_plugin.kernels.gemm.table import stream
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.rolled.pairs import channel_pairs, is_packable, numbers_of
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import SAME, VALID, Window, padded

GOLDEN = Path(__file__).parent / "golden"
GEMM = Gemm()


def conv(seed: int = 1, **arguments: Any) -> Conv2D:
    made = conv_graph(np.random.default_rng(seed), **arguments).operators[0]
    assert isinstance(made, Conv2D)
    return made


def dilated(made: Conv2D, dilation: tuple[int, int], scheme: int) -> Conv2D:
    """The same weights further apart."""
    window = Window.resolve(scheme, made.input_shape[:2], made.kernel, made.stride, dilation)
    shape = (1, *window.output, made.out_channels)
    return replace(made, dilation=dilation, padding=window.padding, output=replace(made.output, shape=shape))


LAYERS: dict[str, Conv2D] = {
    "1x1": conv(size=(5, 5), channels=(8, 6), kernel=(1, 1)),
    "one of everything": conv(size=(1, 1), channels=(1, 1), kernel=(1, 1), zero_points=(5, -3)),
    "two pixels, odd channels": conv(size=(1, 2), channels=(3, 5), kernel=(1, 1), zero_points=(127, 127)),
    "3x3, stride 2": conv(size=(9, 7), channels=(5, 7), kernel=(3, 3), stride=(2, 2), zero_points=(-1, 4)),
    "first layer": conv(size=(12, 14), channels=(3, 8), kernel=(3, 3), stride=(2, 2)),
    "10x4": conv(size=(13, 9), channels=(1, 4), kernel=(10, 4), stride=(2, 2)),
    "many taps": conv(size=(4, 6), channels=(33, 2), kernel=(3, 3), zero_points=(-128, 0), limits=(-100, 90)),
    "valid 5x5": conv(size=(8, 9), channels=(2, 3), kernel=(5, 5), same=False),
    "stride over the window": conv(size=(9, 11), channels=(4, 2), kernel=(1, 1), stride=(3, 2)),
    "dilated": dilated(conv(size=(9, 8), channels=(6, 4), kernel=(3, 3)), (2, 3), SAME),
    "dilated, valid": dilated(conv(size=(9, 8), channels=(2, 4), kernel=(3, 2)), (1, 2), VALID),
    "a weight of -128": replace(
        conv(size=(6, 5), channels=(4, 4), kernel=(3, 3)),
        weights=np.where(np.arange(144).reshape(4, 3, 3, 4) % 5, np.int8(-128), np.int8(3)),
    ),
}


@pytest.mark.parametrize("core", CORES)
def test_every_plan_computes_every_layer(core: str, tmp_path: Path) -> None:
    verdict = examined(GEMM, LAYERS.values(), core, tmp_path)
    errors = core_errors(verdict, core)
    # A call's own entry and the fates of branches weigh much in layers as small as these.
    assert float(np.median(np.abs(errors))) < (0.12 if core == "cortex-m7" else 0.05)


@settings(deadline=None, max_examples=80)
@given(
    height=st.integers(1, 9), width=st.integers(1, 9), channels=st.integers(1, 6), tall=st.integers(1, 4),
    wide=st.integers(1, 4), down=st.integers(1, 3), across=st.integers(1, 3), apart=st.integers(1, 3),
    same=st.booleans(),
)  # fmt: skip
def test_slots_read_the_taps_that_they_name(
    height: int, width: int, channels: int, tall: int, wide: int, down: int, across: int, apart: int, same: bool
) -> None:
    if not same:
        height, width = height + (tall - 1) * apart, width + (wide - 1) * apart
    window = Window.resolve(SAME if same else VALID, (height, width), (tall, wide), (down, across), (1, apart))
    geometry = Geometry(
        height, width, channels, *window.output, 1, (tall, wide), (down, across), (1, apart), window.padding
    )
    gathering = Gathering(geometry)
    taps = sorted(tap for pair in gathering.pairs.tolist() for tap in pair if tap >= 0)
    assert taps == list(range(tall * wide * channels))
    # The whole input as it would be copied, and every tap of every pixel where the code looks for it.
    values = np.arange(1, height * width * channels + 1).reshape(1, height, width, channels)
    rows = (geometry.out_height - 1) * down + geometry.window_rows
    buffer = np.zeros((rows, geometry.row_bytes), np.int64)
    for row in range(rows):
        source = row - window.padding.top if geometry.is_copied else row
        if 0 <= source < height:
            start = geometry.left_bytes if geometry.is_copied else 0
            count = geometry.copied_bytes if geometry.is_copied else width * channels
            buffer[row, start : start + count] = values[0, source].reshape(-1)[:count]
    flat = buffer.reshape(-1)
    around = padded(values, window.padding, 0, np.int64)
    for y in range(geometry.out_height):
        for x in range(geometry.out_width):
            at = geometry.first_byte + y * geometry.line_bytes + x * geometry.pixel_bytes
            for run in gathering.runs:
                for byte in range(run.bytes):
                    tap, channel = divmod(run.tap + byte, channels)
                    i, j = divmod(tap, wide)
                    wanted = around[0, y * down + i, x * across + j * apart, channel]
                    assert flat[at + run.offset + byte] == wanted


@settings(deadline=None, max_examples=60)
@given(width=st.integers(1, 20), height=st.integers(1, 12), down=st.integers(1, 2), extra=st.integers(0, 3))
def test_stripes_hold_what_their_pixels_need(width: int, height: int, down: int, extra: int) -> None:
    window = Window.resolve(SAME, (height * down, width), (3, 3), (down, 1))
    geometry = Geometry(height * down, width, 2, *window.output, 4, (3, 3), (down, 1), (1, 1), window.padding)
    for stripes in stripes_of(geometry, 9 + extra):
        seen = set()
        for number, (row, column) in enumerate(stripes.starts):
            last = number == stripes.count - 1
            blocks = stripes.last_blocks if last else stripes.blocks
            assert 0 < blocks <= stripes.blocks
            first = row * geometry.out_width + column
            for block in range(blocks):
                start = first + BLOCK * block
                if last and block == blocks - 1:
                    start -= stripes.borrowed
                for pixel in range(start, start + stripes.block_pixels):
                    seen.add(pixel)
                    down_there = pixel // geometry.out_width - row
                    assert down_there * geometry.stride[0] >= 0
                    assert down_there * geometry.stride[0] + geometry.window_rows <= stripes.rows
        assert seen == set(range(geometry.pixels))


@pytest.mark.parametrize("name", LAYERS)
def test_the_table_holds_the_weights(name: str) -> None:
    layer = LAYERS[name]
    numbers, pairs = numbers_of(layer), Gathering(Geometry.of(layer)).pairs
    assert numbers is not None
    words = stream(numbers, pairs)
    both = channel_pairs(layer.out_channels)
    size = len(words) // len(both)
    assert len(words) == size * len(both)
    for number, channels in enumerate(both):
        part = words[number * size : (number + 1) * size].view(np.int16).astype(np.int64).reshape(-1, 2)
        for slot, taps in enumerate(pairs):
            for half, tap in enumerate(taps):
                if tap < 0:
                    continue
                a, b = (int(numbers.weights[channel][tap]) for channel in channels)
                if numbers.packed:
                    assert part[slot, half] == 256 * a + b
                else:
                    assert (part[2 * slot, half], part[2 * slot + 1, half]) == (a, b)
    assert numbers.packed == is_packable(numbers.weights)
    assert numbers.packed == (name != "a weight of -128")


def test_packed_sums_come_apart() -> None:
    """The guard as the code relies on it: at the largest sums 256 * A does not leave int32, beyond it it would."""
    weights = np.full((2, 516), 127, np.int64)
    assert is_packable(weights)
    assert abs(int(256 * (weights[0] * -128).sum())) < 1 << 31
    assert not is_packable(np.full((2, 517), 127, np.int64))


def test_refusals_say_why() -> None:
    layer = LAYERS["1x1"]
    assert "no SMLAD" in str(GEMM.refusal((layer,), Platform("cortex-m0plus", False, "assembly")))
    assert "assembly" in str(GEMM.refusal((layer,), Platform("cortex-m4", True, "c")))
    wide = conv(size=(1, 1), channels=(1, 1400), kernel=(1, 1))
    assert "too many output channels" in str(GEMM.refusal((wide,), Platform("cortex-m4", True, "assembly")))
    far = replace(layer, bias=np.full(6, 2**31 - 1, np.int32))
    assert "int32" in str(GEMM.refusal((far,), Platform("cortex-m4", True, "assembly")))
    grouped = replace(layer, weights=layer.weights[..., :4])
    assert not GEMM.suits((grouped,))


def first_plan(name: str, core: str) -> GemmPlan:
    plan = GEMM.plans((LAYERS[name],), Platform(core, True, "assembly"))[0]
    assert isinstance(plan, GemmPlan)
    return plan


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["1x1", "3x3, stride 2", "a weight of -128"])
def test_size_and_both_assemblers(name: str, core: str, tmp_path: Path) -> None:
    plan = first_plan(name, core)
    (text,) = plan.emit("layer").sources.values()
    made = gnu(text, tmp_path, core)
    assert function_sizes(made) == {"layer_gemm": plan.needs.code}
    assert unpadded(made) == unpadded(clang(text, tmp_path, core))


@pytest.mark.parametrize("core", ["cortex-m33", "cortex-m7"])
def test_this_is_the_code(core: str, golden: Any) -> None:
    (text,) = first_plan("1x1", core).emit("layer").sources.values()
    golden(GOLDEN / f"gemm_{core}.s", text)


def test_without_an_fpu_weights_are_loaded(tmp_path: Path) -> None:
    (plan, *_) = GEMM.plans((LAYERS["1x1"],), Platform("cortex-m4", True, "assembly", fpu=False))
    (text,) = plan.emit("layer").sources.values()
    assert "vmov" not in text and "vldm" not in text
    gnu(text, tmp_path, "cortex-m4")


def test_stripes_trade_scratch_for_cycles() -> None:
    layer = conv(size=(16, 16), channels=(16, 16), kernel=(3, 3))
    plans = GEMM.plans((layer,), Platform("cortex-m33", True, "assembly"))
    by_scratch = sorted((plan.scratch["ram"], sum(r.cycles for r in plan.routines("s"))) for plan in plans
                        if isinstance(plan, GemmPlan) and plan.table_in == "flash")  # fmt: skip
    assert len(by_scratch) >= 3
    assert [cycles for _, cycles in by_scratch] == sorted((cycles for _, cycles in by_scratch), reverse=True)
    assert by_scratch[0][0] < 0.3 * by_scratch[-1][0]
    assert Stripes(Geometry.of(layer), 4).count == 16
