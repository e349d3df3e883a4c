"""The divergence of designs against the definition on each network alone; the memo; a softmax at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chain import dataset, network, thinned
from numpy.typing import NDArray

from approx_plugin.approximation.candidate import apply
from approx_plugin.exploration.divergence import Divergence
from approx_plugin.exploration.family import Family
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.workers import SerialExecutor
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.softmax import Softmax, differences_scaled_by
from approx_plugin.reference.executor import run

GRAPH = network()
INPUTS = dataset(300).inputs
DESIGNS = [
    (),
    (thinned(GRAPH, 0, 0.2),),
    (thinned(GRAPH, 1, 0.5), thinned(GRAPH, 2, 0.3)),
    (thinned(GRAPH, 0, 0.2), thinned(GRAPH, 1, 0.5), thinned(GRAPH, 2, 0.3)),
]


def probabilities(graph: Graph) -> NDArray[np.float64]:
    real = run(graph, INPUTS).reshape(len(INPUTS), -1).astype(np.float64) * GRAPH.output_tensor.scale
    spread = np.exp(real)
    return np.asarray(spread / spread.sum(axis=1, keepdims=True))


def test_it_is_the_mean_divergence_of_the_probabilities() -> None:
    found = Divergence(GRAPH, INPUTS, SerialExecutor())(DESIGNS)
    exact = probabilities(GRAPH)
    wanted = [float((exact * np.log(exact / probabilities(apply(GRAPH, one)))).sum(axis=1).mean()) for one in DESIGNS]
    assert found[0] == 0.0
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert found[1] < found[3]


def test_what_is_stored_is_not_computed_again(tmp_path: Path) -> None:
    class Broken(SerialExecutor):
        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            raise AssertionError("nothing is left to compute")

    first = Divergence(GRAPH, INPUTS, SerialExecutor(), Memo(tmp_path))(DESIGNS[:3])
    again = Divergence(GRAPH, INPUTS, Broken(), Memo(tmp_path))([DESIGNS[2], DESIGNS[1]])
    assert again == [first[2], first[1]]
    with pytest.raises(AssertionError):
        Divergence(GRAPH, INPUTS[:200], Broken(), Memo(tmp_path))([DESIGNS[1]])


def test_a_softmax_is_looked_behind() -> None:
    """Its int8 probabilities would hide what happens to classes that are sure."""
    scores = GRAPH.output_tensor
    output = Tensor(9, "probabilities", scores.shape, "int8", Quantization((1 / 256,), (-128,)))
    multiplier, least = differences_scaled_by(scores.scale)
    last = Softmax(3, "softmax_3", "softmax", (scores,), output, multiplier, least)
    graph = replace(
        GRAPH, tensors={**GRAPH.tensors, 9: output}, operators=(*GRAPH.operators, last), output=9, sha256="cd" * 32
    )
    assert Family(graph, DESIGNS).scores.index == scores.index
    assert Divergence(graph, INPUTS, SerialExecutor())(DESIGNS) == Divergence(GRAPH, INPUTS, SerialExecutor())(DESIGNS)
