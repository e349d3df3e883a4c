"""Outputs that lie over inputs: the harness gives kernels what they ask for, and finds those that ask for too much."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from networks import conv_graph

from approx_plugin.build.toolchain import COMPILER
from approx_plugin.kernels.gemm.kernel import Gemm
from approx_plugin.kernels.gemm.plan import GemmPlan
from approx_plugin.kernels.overlap import Overlap
from approx_plugin.laboratory.__main__ import board_of
from approx_plugin.laboratory.batch import lowered, offsets, overlapped
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import PROCEDURE, Stand, Subject, examine

CORE = "cortex-m33"
KERNEL = Gemm()


def subject() -> Subject:
    """A layer in several stripes: of its plans the one with the smallest ones."""
    graph = conv_graph(np.random.default_rng(2), size=(12, 12), channels=(8, 8), kernel=(3, 3))
    run = (graph.operators[0],)
    plans = [p for p in KERNEL.plans(run, unpriced(board_of(CORE), "assembly")) if isinstance(p, GemmPlan)]
    plan = max(plans, key=lambda p: p.stripes.count)
    assert plan.stripes.count > 2
    return Subject(0, Drawn(run, KERNEL, plan.variant))


def test_the_output_lies_as_far_behind_the_input_as_the_plan_allows() -> None:
    step = lowered(subject().drawn, 0, unpriced(board_of(CORE), "assembly"))
    (overlap,) = step.plan.needs.overlaps
    over, apart = overlapped(step, PROCEDURE), offsets(step, PROCEDURE)
    assert overlap is not None and over is not None and over.size < apart.size
    distance = over.output - over.inputs[0]
    assert overlap.allows(distance) and not overlap.allows(distance + 8)
    assert over.scratch >= max(over.output, over.inputs[0]) + 12 * 12 * 8


def test_a_plan_that_writes_what_it_still_reads_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("unicorn")
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}")
    board = board_of(CORE)
    stand = Stand(board, unpriced(board, "assembly"), None, tmp_path, 2)
    assert examine([subject()], stand, 1).faults == ()
    monkeypatch.setattr(GemmPlan, "overlaps", property(lambda plan: (Overlap(12 * 8 * 4),)))
    faults = examine([subject()], stand, 1).faults
    assert faults and all("output[" in fault.what for fault in faults)
    assert any("random" in fault.what for fault in faults)
