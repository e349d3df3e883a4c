"""Evaluations on a cluster of dask.distributed: the same answers, and what is said where the package is missing."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from chain import dataset, network, thinned

from approx_plugin.errors import ToolError
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.workers import SerialExecutor, executor

GRAPH, IMAGES = network(), dataset(600)


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
