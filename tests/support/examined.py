"""Layers given to a kernel on the virtual board: bytes, margins, registers, and how right its cycles are."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from approx_plugin.build.toolchain import COMPILER
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.laboratory.__main__ import board_of
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import Stand, Subject, Verdict, examine
from approx_plugin.model.operator import Operator

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")


def examined(kernel: Kernel, operators: Iterable[Operator], core: str, folder: Path, every: bool = True) -> Verdict:
    """Every plan (or the first one) of the kernel for each operator. Fails where it refuses one."""
    pytest.importorskip("unicorn")
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}")
    board = board_of(core)
    platform = unpriced(board, "assembly")
    subjects: list[Subject] = []
    for number, operator in enumerate(operators):
        run = (operator,)
        assert kernel.suits(run)
        assert kernel.refusal(run, platform) is None
        plans = kernel.plans(run, platform)
        subjects += [Subject(number, Drawn(run, kernel, plan.variant)) for plan in (plans if every else plans[:1])]
    verdict = examine(subjects, Stand(board, platform, None, folder, 2), 1)
    assert [*map(str, verdict.faults)] == []
    assert len(verdict.measured) == len(subjects)
    return verdict


def core_errors(verdict: Verdict, core: str) -> Sequence[float]:
    """By how much a rolled kernel's own count of the core's cycles is off, as a share, plan by plan."""
    board = board_of(core)
    platform = unpriced(board, "assembly")
    found = []
    for one in verdict.measured:
        (work,) = one.subject.drawn.plan(platform).work(platform.model.memories)
        found.append(work.counts["cycles"] / one.figures.ideal_cycles - 1.0)
    return found
