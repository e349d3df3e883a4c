"""Evaluations against the executor run on each design alone; the memo; processes; interruption."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import dataset, network, thinned

from approx_plugin.approximation.candidate import apply
from approx_plugin.dataset import Dataset
from approx_plugin.exploration import evaluation
from approx_plugin.exploration.design import fingerprint
from approx_plugin.exploration.evaluation import Evaluator, SearchInterrupted, correct
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.workers import SerialExecutor, executor
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.reference.executor import predictions

GRAPH = network()
IMAGES = dataset(150)


def designs() -> list[tuple]:
    """Every combination of two levels and exact of three layers, in an order without prefixes side by side."""
    ladders = [[None, thinned(GRAPH, layer, 0.3), thinned(GRAPH, layer, 0.6)] for layer in range(3)]
    combined = [tuple(c for c in choice if c) for choice in itertools.product(*ladders)]
    return combined[::2] + combined[1::2]


class CountingExecutor(SerialExecutor):
    """Notes how many designs every task has."""

    def __init__(self) -> None:
        self.tasks: list[int] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        self.tasks.append(len(args[1]))
        return super().submit(fn, *args, **kwargs)


def test_designs_measured_together_are_those_measured_alone() -> None:
    found = correct(GRAPH, designs(), IMAGES.inputs, IMAGES.labels)
    alone = [predictions(apply(GRAPH, design), IMAGES.inputs) == IMAGES.labels for design in designs()]
    np.testing.assert_array_equal(found, alone)
    assert len({row.tobytes() for row in found}) > 15  # the designs do differ


def test_layers_in_common_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    convolution = type(GRAPH.operators[0])
    computed: list[int] = []
    whole = convolution.compute

    def counted(self: Any, inputs: Any) -> Any:
        computed.append(self.index)
        return whole(self, inputs)

    monkeypatch.setattr(convolution, "compute", counted)
    correct(GRAPH, designs(), IMAGES.inputs[:10], IMAGES.labels[:10])
    assert [computed.count(layer) for layer in range(3)] == [3, 9, 27]


def test_the_order_of_candidates_and_designs_does_not_matter() -> None:
    both = (thinned(GRAPH, 0, 0.3), thinned(GRAPH, 2, 0.5))
    evaluator = Evaluator(GRAPH, IMAGES, SerialExecutor())
    first = evaluator([both, (), both[:1]])
    second = evaluator([both[:1], both[::-1], (), ()])
    np.testing.assert_array_equal([first[0], first[1], first[2]], [second[1], second[2], second[0]])
    np.testing.assert_array_equal(second[2], second[3])


def test_two_candidates_of_one_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="one candidate per layer"):
        Evaluator(GRAPH, IMAGES, SerialExecutor())([(thinned(GRAPH, 0, 0.3), thinned(GRAPH, 0, 0.5))])


def test_processes_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "SLICE", 40)
    serial = Evaluator(GRAPH, IMAGES, SerialExecutor())(designs()[:6])
    with executor(2) as pool:
        np.testing.assert_array_equal(serial, Evaluator(GRAPH, IMAGES, pool)(designs()[:6]))
    monkeypatch.setattr(evaluation, "SLICE", 500)
    np.testing.assert_array_equal(serial, Evaluator(GRAPH, IMAGES, SerialExecutor())(designs()[:6]))


def test_what_is_in_the_memo_is_not_measured_again(tmp_path: Path) -> None:
    first = CountingExecutor()
    before = Evaluator(GRAPH, IMAGES, first, Memo(tmp_path))(designs()[:5])
    again = CountingExecutor()
    after = Evaluator(GRAPH, IMAGES, again, Memo(tmp_path))(designs()[:7])
    assert first.tasks == [5] and again.tasks == [2]
    np.testing.assert_array_equal(before, after[:5])


def test_damaged_results_are_measured_again(tmp_path: Path) -> None:
    before = Evaluator(GRAPH, IMAGES, SerialExecutor(), Memo(tmp_path))(designs()[:5])
    damaged = sorted(tmp_path.iterdir())[:2]
    damaged[0].write_bytes(b"\0" * 51)
    damaged[1].write_bytes(damaged[1].read_bytes()[:-3])
    again = CountingExecutor()
    np.testing.assert_array_equal(before, Evaluator(GRAPH, IMAGES, again, Memo(tmp_path))(designs()[:5]))
    assert again.tasks == [2]


def test_results_belong_to_network_images_labels_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Evaluator(GRAPH, IMAGES, SerialExecutor(), Memo(tmp_path))([()])
    pixels, labels = IMAGES.inputs.copy(), IMAGES.labels.copy()
    pixels[3, 2, 1, 0] ^= 1
    labels[7] = (labels[7] + 1) % 4
    others = [
        (replace(GRAPH, sha256="cd" * 32), IMAGES),
        (GRAPH, Dataset("random", pixels, IMAGES.labels)),
        (GRAPH, Dataset("random", IMAGES.inputs, labels)),
        (GRAPH, Dataset("random", IMAGES.inputs[:149], IMAGES.labels[:149])),
    ]
    for graph, images in others:
        counting = CountingExecutor()
        Evaluator(graph, images, counting, Memo(tmp_path))([()])
        assert counting.tasks == [1]
    monkeypatch.setattr(evaluation, "VERSION", evaluation.VERSION + 1)
    counting = CountingExecutor()
    Evaluator(GRAPH, IMAGES, counting, Memo(tmp_path))([()])
    assert counting.tasks == [1]


def test_fingerprints_see_layer_weights_and_bias_but_not_the_level() -> None:
    one = thinned(GRAPH, 1, 0.3)
    assert fingerprint(one) == fingerprint(replace(one, level=9.0))
    conv = one.operator
    assert isinstance(conv, Conv2D)
    weights = conv.weights.copy()
    weights[0, 0, 0, 0] += 1
    changed = [replace(conv, index=2), replace(conv, weights=weights), replace(conv, bias=conv.bias + 1)]
    others = [replace(one, operator=operator) for operator in changed]
    assert len({fingerprint(other) for other in [one, *others]}) == 4


class InterruptedExecutor(SerialExecutor):
    """Ctrl-C in the third task."""

    def __init__(self) -> None:
        self.left = 2

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().submit(fn, *args, **kwargs)


def test_an_interrupted_search_keeps_what_it_has_and_says_so(tmp_path: Path) -> None:
    evaluator = Evaluator(GRAPH, IMAGES, InterruptedExecutor(), Memo(tmp_path))
    evaluator(designs()[:2])
    evaluator(designs()[2:5])
    with pytest.raises(SearchInterrupted, match="run it again") as caught:
        evaluator(designs()[5:7])
    assert isinstance(caught.value, KeyboardInterrupt) and str(tmp_path) in str(caught.value)
    counting = CountingExecutor()
    Evaluator(GRAPH, IMAGES, counting, Memo(tmp_path))(designs()[:7])
    assert counting.tasks == [2]


def test_without_a_memo_an_interruption_promises_nothing() -> None:
    pool = InterruptedExecutor()
    pool.left = 0
    with pytest.raises(SearchInterrupted, match=r"interrupted\.$"):
        Evaluator(GRAPH, IMAGES, pool)([()])
