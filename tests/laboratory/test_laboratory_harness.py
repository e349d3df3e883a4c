"""Every kernel of the registry on drawn and extreme layers, on three cores; and kernels that come from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from toy_kernels import FromPlanesPlan, Padded, Planes, PlanesPlan

import approx_plugin
from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.TEMPLATE import Loop
from approx_plugin.laboratory.__main__ import CORES, board_of, main
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import Stand, Subject, draw_subjects, examine
from approx_plugin.laboratory.runtime_layers import FORMS, draw_runtime

RUNS = [*((core, "assembly", 60) for core in CORES), ("cortex-m7", "c", 20)]
"""Core, back end, layers. C is the same on all cores."""


@pytest.mark.parametrize(("core", "backend", "layers"), RUNS)
def test_registered_kernels_do_nothing_wrong(core: str, backend: str, layers: int, objects: Path) -> None:
    board = board_of(core)
    platform = unpriced(board, backend)
    subjects = [*draw_subjects(1, range(layers), platform)]
    # Winograd's layers are rarely drawn: its own tests have them.
    rare = {"winograd", *(("added", "gemm", "packed", "planes", "pooled") if backend == "c" else ())}
    assert {*KERNELS} - rare <= {subject.drawn.kernel.name for subject in subjects}
    verdict = examine(subjects, Stand(board, platform, None, objects / core, 2), 1)
    assert [*map(str, verdict.faults)] == []
    assert len(verdict.measured) + verdict.left_out == len(subjects)
    assert verdict.left_out <= 1
    for one in verdict.measured:
        assert 0 < one.figures.ideal_cycles <= one.figures.cycles


@pytest.mark.parametrize("seed", range(2))
def test_the_runtime_computes_every_kind(seed: int, objects: Path) -> None:
    board = board_of("cortex-m33")
    platform = unpriced(board, "c")
    random = np.random.default_rng((9, seed))
    runtime, subjects = KERNELS["runtime"], []
    for kind in FORMS:
        drawn = (draw_runtime(random, kind) for _ in range(50))
        subjects += [Subject(0, Drawn((o,), runtime, "")) for o in islice((o for o in drawn if runtime.suits((o,))), 3)]
    verdict = examine(subjects, Stand(board, platform, None, objects / "runtime", 2), seed)
    assert [*map(str, verdict.faults)] == []
    assert Counter(m.subject.drawn.kinds for m in verdict.measured) == dict.fromkeys(FORMS, 3)


def test_runs_layouts_and_memories_are_served(objects: Path) -> None:
    """Two operators at once, int16 planes on either side, scratch in the core's own memory."""
    board = load_board("nucleo-h743zi2")
    platform = unpriced(board, "assembly")
    kernels = (Padded(), Planes(PlanesPlan), Planes(FromPlanesPlan), Loop())
    subjects = [*draw_subjects(2, range(24), platform, kernels)]
    verdict = examine(subjects, Stand(board, platform, None, objects / "toys", 2), 2)
    assert [*map(str, verdict.faults)] == []
    ran = {(m.subject.drawn.kinds, m.subject.drawn.variant) for m in verdict.measured}
    assert {("PAD + MAX_POOL_2D", RAM), ("PAD + MAX_POOL_2D", DTCM), ("MAX_POOL_2D", "")} <= ran


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, objects: Path) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    assert main(["--layers", "4", "--core", "cortex-m33", "--backend", "assembly", "--jobs", "2"]) == 0
    said = capsys.readouterr()
    assert "nucleo-u575zi-q, assembly:\n" in said.out and "\n  cmsis_nn: 3 plans, " in said.out
    assert "\n  runtime: 1 plans, " in said.out
    assert "4 layers, 0 faults" in said.err
    assert main(["--board", "nucleo-u575"]) == 2
    assert "Did you mean 'nucleo-u575zi-q'?" in capsys.readouterr().err
    for wrong in (["--core", "cortex-m0"], ["--kernel", "nobody"], ["--layers", "0"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


def test_the_command_starts_processes(objects: Path) -> None:
    """As a command of its own: they know nothing of its `__main__`."""
    options = ["--layers", "2", "--core", "cortex-m33", "--backend", "c", "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(approx_plugin.__file__).parents[1])}
    command = [sys.executable, "-m", "approx_plugin.laboratory", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "2 layers, 0 faults" in done.stderr
    assert done.returncode == 0
