"""Which images a design classifies correctly, as a pure function of network, design and images.

Designs are measured together: those with the same first layers share the activations up to the layer in which they
differ, a small batch of images at a time. So the memory that is needed does not depend on the number of designs, and
nothing has to be remembered between two calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

import numpy as np
import numpy.typing as npt

from approx_plugin.dataset import Dataset
from approx_plugin.exploration.design import Candidates, fingerprint, ordered
from approx_plugin.exploration.family import Family
from approx_plugin.exploration.memo import Memo
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.reference.executor import BATCH

BoolArray = npt.NDArray[np.bool_]

VERSION = 2
"""Of the arithmetic of an evaluation: results that another version has stored are not used."""

SLICE = 500
"""Images of one task for a worker."""


class Evaluate(Protocol):
    """Anything that measures designs on one set of images."""

    def __call__(self, designs: Sequence[Candidates]) -> list[BoolArray]:
        """For every design, bool [images]: whether each image is classified correctly. () is the exact network."""
        ...


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C during a search. str() says what has been kept."""


class Evaluator:
    """Measures designs on one data set, in the processes of an executor, remembering results in a memo."""

    def __init__(self, graph: Graph, dataset: Dataset, executor: Executor, memo: Memo | None = None) -> None:
        """The answers do not depend on `executor` and `memo`, only the time does."""
        self._graph, self._dataset, self._executor = graph, dataset, executor
        self._memo = memo or Memo(None)
        self._content = _content(graph, dataset)

    def __call__(self, designs: Sequence[Candidates]) -> list[BoolArray]:
        """See `Evaluate`. What is not in the memo is measured together: prefer a few designs at a time.

        Raises SearchInterrupted instead of KeyboardInterrupt.
        """
        keys = [self._key(design) for design in designs]
        known: dict[str, BoolArray] = {}
        missing: dict[str, Candidates] = {}
        for key, design in zip(keys, designs):
            stored = self._memo.get(key, len(self._dataset))
            if stored is None:
                missing[key] = design
            else:
                known[key] = stored
        try:
            for key, measured in zip(missing, self._measure(list(missing.values()))):
                self._memo.put(key, measured)
                known[key] = measured
        except KeyboardInterrupt as interrupt:
            raise SearchInterrupted(self._farewell()) from interrupt
        return [known[key] for key in keys]

    def _measure(self, designs: Sequence[Candidates]) -> Sequence[BoolArray]:
        if not designs:
            return []
        futures = []
        for start in range(0, len(self._dataset), SLICE):
            inputs = self._dataset.inputs[start : start + SLICE]
            labels = self._dataset.labels[start : start + SLICE]
            futures.append(self._executor.submit(correct, self._graph, designs, inputs, labels))
        return list(np.concatenate([future.result() for future in futures], axis=1))

    def _key(self, design: Candidates) -> str:
        prints = b"".join(fingerprint(candidate) for candidate in ordered(design))
        return hashlib.sha256(self._content + prints).hexdigest()

    def _farewell(self) -> str:
        if self._memo.directory is None:
            return "The search was interrupted."
        return (
            f"The search was interrupted. What was measured is kept in {self._memo.directory}; run it again to go on."
        )


def correct(graph: Graph, designs: Sequence[Candidates], inputs: Int8Array, labels: npt.NDArray[np.int64]) -> BoolArray:
    """bool [designs, images]: whether each design of `graph` puts each image into the right class.

    inputs: int8 [images, ...]; labels: int64 [images]. Bit-exact: the same as running `apply(graph, design)`.
    """
    family = Family(graph, designs)
    result = np.zeros((len(designs), len(inputs)), np.bool_)
    for start in range(0, len(inputs), BATCH):
        stop = start + BATCH
        for member, predicted in family.classes(inputs[start:stop]).items():
            result[member, start:stop] = predicted == labels[start:stop]
    return result


def _content(graph: Graph, dataset: Dataset) -> bytes:
    """sha256 of everything beside the design that an evaluation depends on."""
    digest = hashlib.sha256(f"{VERSION} {graph.sha256} {dataset.inputs.shape}\n".encode())
    digest.update(np.ascontiguousarray(dataset.inputs, dtype=np.int8).tobytes())
    digest.update(np.ascontiguousarray(dataset.labels, dtype="<i8").tobytes())
    return digest.digest()
