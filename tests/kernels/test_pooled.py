"""Pooling layers: every form of the code on the virtual boards, the factor of means, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from examined import CORES, core_errors, examined
from hypothesis import given
from hypothesis import strategies as st
from networks import same_padding

from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.pooled.average import MOST_TAPS, SHIFT, factor_of
from approx_plugin.kernels.pooled.kernel import Pooled
from approx_plugin.kernels.pooled.plan import PooledPlan
from approx_plugin.laboratory.operators import activation
from approx_plugin.operators.average_pool2d import AveragePool2D
from approx_plugin.operators.geometry import Padding
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pool2d import Pool2D

POOLED = Pooled()
M33 = Platform("cortex-m33", True, "assembly")


def pool(
    kind: type[Pool2D],
    shape: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int] | None = None,
    same: bool = False,
    limits: tuple[int, int] = (-128, 127),
) -> Pool2D:
    """As the reader makes it. shape: height, width, channels; stride: the window's size if not given."""
    step = stride or kernel
    pads = [same_padding(e, k, s) if same else (0, 0) for e, k, s in zip(shape, kernel, step)]
    out = [(e + sum(p) - k) // s + 1 for e, k, s, p in zip(shape, kernel, step, pads)]
    return kind(
        index=0,
        name="pool_0",
        label="pool",
        inputs=(activation(0, shape, 0.1, 3),),
        output=activation(1, (*out, shape[2]), 0.1, 3),
        kernel=kernel,
        stride=step,
        padding=Padding(pads[0][0], pads[1][0], pads[0][1], pads[1][1]),
        activation_min=limits[0],
        activation_max=limits[1],
    )


LAYERS = {
    "max 2x2": pool(MaxPool2D, (8, 8, 16), (2, 2)),
    "max 3x3 s2 of odd channels": pool(MaxPool2D, (7, 9, 7), (3, 3), (2, 2)),
    "max 3x3 s2 with padding": pool(MaxPool2D, (8, 8, 12), (3, 3), (2, 2), same=True),
    "max 3x3 s1 with padding, three channels": pool(MaxPool2D, (5, 6, 3), (3, 3), (1, 1), same=True),
    "max with limits": pool(MaxPool2D, (6, 4, 5), (2, 2), limits=(-20, 90)),
    "max of far rows": pool(MaxPool2D, (4, 20, 256), (2, 2)),
    "max of one channel": pool(MaxPool2D, (5, 1, 1), (3, 1), (1, 1)),
    "max of one pixel": pool(MaxPool2D, (2, 2, 36), (2, 2)),
    "max 1x1 s2": pool(MaxPool2D, (5, 5, 8), (1, 1), (2, 2)),
    "mean 2x2": pool(AveragePool2D, (6, 8, 12), (2, 2)),
    "mean 3x3 s1 of odd channels": pool(AveragePool2D, (5, 6, 7), (3, 3), (1, 1)),
    "mean of all": pool(AveragePool2D, (8, 8, 20), (8, 8)),
    "mean of all, odd": pool(AveragePool2D, (25, 5, 6), (25, 5)),
    "mean of columns": pool(AveragePool2D, (16, 3, 5), (16, 1)),
    "mean with limits": pool(AveragePool2D, (6, 6, 6), (5, 5), (1, 1), limits=(-10, 12)),
    "mean of 256": pool(AveragePool2D, (16, 16, 4), (16, 16)),
    "mean of one": pool(AveragePool2D, (3, 3, 4), (1, 1)),
    "mean of many channels": pool(AveragePool2D, (3, 6, 1000), (3, 6)),
}


@pytest.mark.parametrize("core", CORES)
def test_every_layer(core: str, tmp_path: Path) -> None:
    verdict = examined(POOLED, LAYERS.values(), core, tmp_path)
    assert float(np.median(np.abs(core_errors(verdict, core)))) < (0.15 if core == "cortex-m7" else 0.05)


@given(st.integers(1, MOST_TAPS))
def test_means_are_exact_for_every_sum(taps: int) -> None:
    factor = factor_of(taps)
    assert 0 < factor < 2**31
    for total in (-128 * taps, 127 * taps, *range(-3 * taps, 3 * taps, max(1, taps // 7))):
        half, rest = divmod(abs(2 * total) + taps, 2 * taps)
        wanted = half if total >= 0 else -half
        assert rest >= 0
        assert ((total * factor >> 16) + (1 << (SHIFT - 17))) >> (SHIFT - 16) == wanted


def test_refusals_say_why() -> None:
    refusal = POOLED.refusal
    assert "padding" in str(refusal((pool(AveragePool2D, (8, 8, 4), (3, 3), (2, 2), same=True),), M33))
    assert "too large" in str(refusal((pool(AveragePool2D, (20, 20, 4), (17, 17)),), M33))
    assert "too large" in str(refusal((pool(MaxPool2D, (8, 8, 4), (8, 8)),), M33))
    assert "offset" in str(refusal((pool(MaxPool2D, (8, 40, 128), (5, 5)),), M33))
    assert "too many channels" in str(refusal((pool(AveragePool2D, (2, 2, 4004), (2, 2)),), M33))
    assert "no SMLAD" in str(refusal((LAYERS["max 2x2"],), Platform("cortex-m0plus", False, "assembly")))


def test_outputs_lie_over_inputs() -> None:
    (plan,) = POOLED.plans((LAYERS["max 2x2"],), M33)
    assert isinstance(plan, PooledPlan)
    (overlap,) = plan.needs.overlaps
    assert overlap is not None and overlap.allows(0) and not overlap.allows(8)
    (plan,) = POOLED.plans((LAYERS["max 3x3 s2 with padding"],), M33)
    (overlap,) = plan.needs.overlaps
    # Rows of 4 x 12 bytes are written before the window's next rows, of 8 x 12, are copied.
    assert overlap is not None and overlap.latest == min(2 * row * 96 - row * 48 for row in (1, 2, 3))
