"""Unpacked kernels on an emulated core, bit for bit against the integer reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from arm_call import portable_subset, run_program
from networks import conv_graph

from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.unpacked.kernel import Unpacked

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


@pytest.mark.parametrize("backend", ["assembly", "c"])
@pytest.mark.parametrize("name", CASES)
def test_same_bytes_as_the_reference(name: str, backend: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(sum(map(ord, name)))
    graph = conv_graph(rng, **CASES[name])  # type: ignore[arg-type]
    conv = graph.operators[0]
    inputs = rng.integers(-128, 128, (3, *graph.input_tensor.shape[1:]), dtype=np.int8)
    inputs[1], inputs[2] = -128, 127
    platform = Platform("cortex-m4", True, backend)
    program = lower(graph, covered_by(graph, Unpacked(), platform), platform, conv.macs, conv.macs)
    answers = run_program(program, tmp_path, "cortex-m4", inputs, portable_subset())
    np.testing.assert_array_equal(answers, conv.compute([inputs]))
