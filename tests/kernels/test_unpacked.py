"""Unpacked kernels on an emulated core, bit for bit against the integer reference: named cases, under the harness."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pytest
from networks import conv_graph

from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.unpacked.kernel import Unpacked
from approx_plugin.laboratory.drawing import Drawn
from approx_plugin.laboratory.harness import Stand, Subject, examine

# size, channels, kernel, stride, same, zero points, limits, density, gain
CASES = {
    "three channels, SAME": dict(size=(9, 11), channels=(3, 8), kernel=(3, 3)),
    "one channel in and out": dict(size=(7, 5), channels=(1, 1), kernel=(3, 3)),
    "one channel, stride 2, long kernel": dict(size=(13, 10), channels=(1, 6), kernel=(5, 4), stride=(2, 2)),
    "odd channels, 5x5": dict(size=(8, 8), channels=(5, 7), kernel=(5, 5)),
    "pointwise": dict(size=(6, 6), channels=(16, 9), kernel=(1, 1)),
    "pointwise stride 2 with an unread edge": dict(size=(8, 8), channels=(4, 6), kernel=(1, 1), stride=(2, 2)),
    "VALID": dict(size=(6, 7), channels=(4, 4), kernel=(3, 3), same=False),
    "stride 3, odd sizes": dict(size=(11, 10), channels=(6, 3), kernel=(3, 3), stride=(3, 3)),
    "uneven strides": dict(size=(11, 12), channels=(2, 5), kernel=(3, 2), stride=(1, 2)),
    "map of 2x2": dict(size=(4, 4), channels=(8, 6), kernel=(3, 3), same=False),
    "map of 1x1": dict(size=(3, 3), channels=(8, 17), kernel=(3, 3), same=False),
    "one output in all": dict(size=(3, 3), channels=(4, 1), kernel=(3, 3), same=False),
    "map of 1x1, two channels": dict(size=(3, 3), channels=(3, 2), kernel=(3, 3), same=False),
    "map of 1x1, three channels": dict(size=(1, 1), channels=(5, 3), kernel=(1, 1)),
    "map of 1x3, one channel": dict(size=(1, 3), channels=(2, 1), kernel=(1, 1)),
    "map of 2x1, two channels": dict(size=(2, 1), channels=(2, 2), kernel=(1, 1)),
    "map of 1 column": dict(size=(9, 3), channels=(4, 5), kernel=(3, 3), same=False),
    "map of 3 columns": dict(size=(9, 3), channels=(4, 5), kernel=(3, 3)),
    "map of 9x9": dict(size=(9, 9), channels=(2, 6), kernel=(3, 3)),
    "asymmetric zero points": dict(size=(6, 9), channels=(3, 4), kernel=(3, 3), zero_points=(37, -11)),
    "zero points at the ends": dict(size=(6, 9), channels=(3, 4), kernel=(3, 3), zero_points=(127, 127)),
    "ReLU6": dict(size=(6, 9), channels=(4, 4), kernel=(3, 3), zero_points=(0, -7), limits=(-7, 90)),
    "saturating": dict(size=(6, 9), channels=(4, 4), kernel=(3, 3), gain=40.0),
    "multipliers above one": dict(size=(5, 5), channels=(1, 4), kernel=(1, 1), gain=3000.0),
    "tiny multipliers": dict(size=(5, 5), channels=(2, 4), kernel=(3, 3), gain=1e-3),
    "multipliers that leave nothing": dict(size=(5, 5), channels=(2, 4), kernel=(3, 3), gain=1e-7),
    "half the weights": dict(size=(8, 8), channels=(8, 6), kernel=(3, 3), density=0.5),
    "few weights": dict(size=(8, 8), channels=(7, 5), kernel=(3, 3), density=0.08),
    "no weights": dict(size=(8, 8), channels=(4, 3), kernel=(3, 3), density=0.0),
    "two phases": dict(size=(6, 7), channels=(64, 4), kernel=(3, 3)),
    "three phases, a last group of one channel": dict(size=(5, 3), channels=(130, 3), kernel=(3, 3)),
    "phases of single accumulators": dict(size=(3, 3), channels=(512, 1), kernel=(3, 3), same=False),
    "rows beyond a load's reach": dict(size=(5, 40), channels=(64, 2), kernel=(3, 3)),
}


BOARD = load_board("nucleo-l4r5zi")


@pytest.fixture(scope="module", params=["assembly", "c"])
def faults(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Case -> what is wrong with its quickest plan, and in assembly, which is built sooner, with its first one."""
    pytest.importorskip("unicorn")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    kernel, platform = Unpacked(), Platform(BOARD.core, BOARD.dsp, request.param)
    subjects = []
    for number, name in enumerate(CASES):
        graph = conv_graph(np.random.default_rng(sum(map(ord, name))), **CASES[name])  # type: ignore[arg-type]
        first = kernel.plans(graph.operators, platform)[0]
        (quickest,) = covered_by(graph, kernel, platform)
        for variant in sorted({quickest.variant, *([first.variant] if platform.backend == "assembly" else [])}):
            subjects.append(Subject(number, Drawn(graph.operators, kernel, variant)))
    folder = tmp_path_factory.mktemp("unpacked")
    verdict = examine(subjects, Stand(BOARD, platform, None, folder, 2), 1)
    assert len(verdict.measured) == len(subjects)
    found: dict[str, list[str]] = defaultdict(list)
    for fault in verdict.faults:
        found[[*CASES][fault.number]].append(str(fault))
    return found


@pytest.mark.parametrize("name", CASES)
def test_same_bytes_as_the_reference(name: str, faults: Mapping[str, list[str]]) -> None:
    assert faults.get(name, []) == []
