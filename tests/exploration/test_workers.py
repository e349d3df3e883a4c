"""Executors."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Executor

import numpy as np
import pytest
from chain import dataset, network, thinned

from approx_plugin.errors import ToolError
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.workers import THREAD_VARIABLES, SerialExecutor, executor

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
