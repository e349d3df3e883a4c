"""Depthwise convolutions on planes, on the virtual board of each core: every window and every plan, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from depthwise_cases import depthwise

from approx_plugin.kernels.registry import KERNELS
from approx_plugin.laboratory.__main__ import CORES, board_of
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import Stand, Subject, examine
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D

LAYERS: tuple[DepthwiseConv2D, ...] = (
    depthwise((7, 9), 4, (3, 3)),
    depthwise((8, 6), 8, (3, 3), stride=(2, 2), zero_points=(-128, -128)),
    depthwise((9, 9), 3, (3, 3), stride=(2, 2), same=False, limits=(-100, 90)),
    depthwise((1, 1), 5, (3, 3)),
    depthwise((3, 3), 1, (3, 3), same=False),
    depthwise((9, 13), 6, (5, 5), zero_points=(-128, 127)),
    depthwise((12, 5), 4, (1, 7)),
    depthwise((5, 12), 2, (7, 1), stride=(1, 2)),
    depthwise((14, 9), 1, (10, 4), stride=(2, 2), multiplier=8),
    depthwise((6, 7), 3, (2, 2), multiplier=3, same=False),
    depthwise((11, 10), 4, (3, 3), dilation=(2, 2)),
    depthwise((13, 10), 2, (3, 2), dilation=(3, 1), stride=(1, 2)),
    depthwise((15, 15), 4, (3, 3), stride=(2, 2), dilation=(2, 3), same=False),
    depthwise((9, 10), 2, (3, 3), stride=(3, 4)),
    depthwise((5, 5), 8, (1, 1)),
    depthwise((3, 2), 2, (3, 3), dilation=(4, 4)),
    # Outputs out of an offset's reach; right shifts too far apart for one exponent.
    depthwise((4, 20), 256, (3, 3)),
    depthwise((5, 6), 4, (3, 3), multipliers=tuple(Multiplier(1 << 30, -shift) for shift in (2, 5, 9, 13))),
)


@pytest.mark.parametrize("core", CORES)
def test_every_plan_of_every_window_is_exact(core: str, objects: Path) -> None:
    board = board_of(core)
    platform, kernel = unpriced(board, "assembly"), KERNELS["planes"]
    subjects = []
    for number, layer in enumerate(LAYERS):
        assert kernel.refusal((layer,), platform) is None, layer.weights.shape
        plans = kernel.plans((layer,), platform)
        chosen = plans if number in (0, 3) else (plans[0], plans[-1])
        subjects += [Subject(number, Drawn((layer,), kernel, variant)) for variant in {p.variant: 0 for p in chosen}]
    verdict = examine(subjects, Stand(board, platform, None, objects / f"planes_{core}", 2), 5)
    assert [*map(str, verdict.faults)] == []
    assert len(verdict.measured) == len(subjects)
