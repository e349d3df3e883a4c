"""How far a design's answers are from the exact network's, without labels.

The mean over images of the Kullback-Leibler divergence of the classes' probabilities, in nats: 0 where nothing changed.
It tells designs apart with a tenth of the images that top-1 needs, because every image says something, not only those
whose class changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from approx_plugin.exploration.design import Candidates, fingerprint, ordered
from approx_plugin.exploration.family import Family
from approx_plugin.exploration.memo import Memo
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.reference.executor import BATCH

Float64Array = npt.NDArray[np.float64]

VERSION = 1
"""Of what is stored."""

IMAGES = 500
"""That are looked at, at most: their mean is far less noisy than a share of right answers."""

SLICE = 125
"""Images of one task for a worker."""

_BITS = 64


class Diverge(Protocol):
    """Anything that says how far designs are from the exact network."""

    def __call__(self, designs: Sequence[Candidates]) -> list[float]:
        """For every design, in nats."""
        ...


class Divergence:
    """Of designs of one network, on some inputs, in the processes of an executor; remembered in a memo."""

    def __init__(self, graph: Graph, inputs: Int8Array, executor: Executor, memo: Memo | None = None) -> None:
        """inputs: int8 [images, ...]; the first `IMAGES` of them are used."""
        self._graph, self._executor, self._memo = graph, executor, memo or Memo(None)
        self._inputs = np.ascontiguousarray(inputs[:IMAGES], np.int8)
        digest = hashlib.sha256(f"divergence {VERSION} {graph.sha256} {self._inputs.shape}\n".encode())
        digest.update(self._inputs.tobytes())
        self._content = digest.digest()

    def __call__(self, designs: Sequence[Candidates]) -> list[float]:
        """See `Diverge`."""
        keys = [self._key(design) for design in designs]
        known = {key: self._stored(key) for key in keys}
        missing = {key: design for key, design in zip(keys, designs) if known[key] is None}
        if missing:
            starts = range(0, len(self._inputs), SLICE)
            parts = [self._inputs[start : start + SLICE] for start in starts]
            futures = [self._executor.submit(divergences, self._graph, list(missing.values()), part) for part in parts]
            sums = np.sum([future.result() for future in futures], axis=0)
            for key, value in zip(missing, sums):
                known[key] = float(value) / len(self._inputs)
                self._memo.put(key, np.unpackbits(np.array([known[key]], "<f8").view(np.uint8)).astype(np.bool_))
        return [value for key in keys for value in [known[key]] if value is not None]

    def _stored(self, key: str) -> float | None:
        bits = self._memo.get(key, _BITS)
        return None if bits is None else float(np.packbits(bits).view("<f8")[0])

    def _key(self, design: Candidates) -> str:
        prints = b"".join(fingerprint(candidate) for candidate in ordered(design))
        return hashlib.sha256(self._content + prints).hexdigest()


def divergences(graph: Graph, designs: Sequence[Candidates], inputs: Int8Array) -> Float64Array:
    """float64 [designs]: the sum over the images."""
    family = Family(graph, [*designs, ()])
    tensor = family.scores
    found = np.zeros(len(designs))
    for start in range(0, len(inputs), BATCH):
        answers = family.answers(inputs[start : start + BATCH])
        exact = _log_probabilities(answers[len(designs)], tensor)
        for member in range(len(designs)):
            other = _log_probabilities(answers[member], tensor)
            found[member] += float((np.exp(exact) * (exact - other)).sum())
    return found


def _log_probabilities(scores: npt.NDArray[Any], tensor: Tensor) -> Float64Array:
    """Of int8 [images, ...], by the scale of the tensor."""
    scale = tensor.quantization.scale[0] if tensor.quantization else 1.0
    real = scores.reshape(len(scores), -1).astype(np.float64) * scale
    real -= real.max(axis=1, keepdims=True)
    return np.asarray(real - np.log(np.exp(real).sum(axis=1, keepdims=True)), np.float64)
