"""Executors."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest
from chain import dataset, network, thinned

from approx_plugin.errors import ToolError
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.workers import THREAD_VARIABLES, SerialExecutor, executor

ROOT = Path(__file__).resolve().parents[2]
GRAPH, IMAGES = network(), dataset(600)


def refuse() -> None:
    raise ValueError("no")


def interrupt() -> None:
    raise KeyboardInterrupt


def threads() -> list[str]:
    return [os.environ[name] for name in THREAD_VARIABLES]


def test_one_worker_is_this_process() -> None:
    with executor(1) as pool:
        assert isinstance(pool, SerialExecutor)
        assert pool.submit(os.getpid).result() == os.getpid()
        assert list(pool.map(abs, [-1, 2])) == [1, 2]


def test_errors_come_back_with_the_result_and_interrupts_at_once() -> None:
    pool: Executor = SerialExecutor()
    future = pool.submit(refuse)
    with pytest.raises(ValueError, match="no"):
        future.result()
    with pytest.raises(KeyboardInterrupt):
        pool.submit(interrupt)


def test_several_workers_are_other_processes_with_a_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREAD_VARIABLES[0], raising=False)
    monkeypatch.setenv(THREAD_VARIABLES[1], "3")
    with executor(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        found = pool.submit(threads).result()
    assert found[:2] == ["1", "3"]
    assert THREAD_VARIABLES[0] not in os.environ


def test_no_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"), executor(0):
        pass


_PROGRAM = """\
import os, signal, sys, threading, time
from approx_plugin.exploration.workers import executor

def job(number):
    time.sleep(0.2)
    return number

if __name__ == "__main__":
    threading.Timer(float(sys.argv[2]), lambda: {end}).start()
    try:
        with executor(2) as pool:
            for future in [pool.submit(job, number) for number in range(1000)]:
                future.result()
    except KeyboardInterrupt:
        print("interrupted")
"""


def run_and_end(folder: Path, end: str, after: float) -> tuple[str, list[int]]:
    """What a program with two workers says that ends so, and which of its processes are there a while later."""
    file, mark = folder / "program.py", f"workers{os.getpid()}-{after}"
    file.write_text(_PROGRAM.format(end=end), encoding="utf-8")
    command = [sys.executable, str(file), mark, str(after)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARK": mark}
    done = subprocess.run(
        command, env=environment, stdout=-1, stderr=-2, text=True, start_new_session=True, timeout=120, check=False
    )
    left, deadline = marked(mark), time.monotonic() + 30
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = marked(mark)
    return done.stdout, left


def marked(mark: str) -> list[int]:
    """Processes with the mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


@linux
@pytest.mark.parametrize("after", [0.1, 0.3, 0.6])
def test_an_interrupt_while_workers_begin(after: float, tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of a terminal: those that have just begun say nothing of it."""
    said, left = run_and_end(tmp_path, "os.killpg(0, signal.SIGINT)", after)
    assert said == "interrupted\n"
    assert left == []


@linux
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """Their pipes stay open, as each of them holds both ends: nothing else would tell them."""
    _, left = run_and_end(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)", 1.0)
    assert left == []


def test_a_local_cluster_measures_the_same() -> None:
    pytest.importorskip("distributed", reason="needs dask.distributed, of the extra `cluster`")
    designs = [(), (thinned(GRAPH, 1, 0.4),), (thinned(GRAPH, 0, 0.3), thinned(GRAPH, 2, 0.6))]
    wanted = Evaluator(GRAPH, IMAGES, SerialExecutor())(designs)
    with executor(2, "dask") as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        found = Evaluator(GRAPH, IMAGES, pool)(designs)
        moved = Divergence(GRAPH, IMAGES.inputs, pool)(designs)
    np.testing.assert_array_equal(found, wanted)
    assert moved == Divergence(GRAPH, IMAGES.inputs, SerialExecutor())(designs)


def test_a_cluster_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"distributed is missing") as caught, executor(2, "dask"):
        pass
    assert "approx-plugin[cluster]" in str(caught.value)
