from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from approx_plugin.model.graph import Graph
from approx_plugin.model.node import Node
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.reference.vectors import TestVectors, make_vectors


@dataclass(frozen=True, eq=False)
class Shifted(Operator):
    """Adds a constant, modulo 256."""

    kind = "TEST"
    by: int = 0

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Operator:
        raise NotImplementedError

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        return (inputs[0].astype(np.int16) + self.by).astype(np.int8)


def graph() -> Graph:
    tensors = {i: Tensor(i, f"t{i}", (1, 2, 3), "int8", None) for i in range(4)}
    steps = [Shifted(i, f"s{i}", f"t{i + 1}", (tensors[i],), tensors[i + 1], by) for i, by in enumerate((1, 50, 100))]
    return Graph("shifts", tensors, tuple(steps), 0, 3, "")


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_checksums_are_of_every_layer_of_every_vector(count: int) -> None:
    inputs = np.random.default_rng(count).integers(-128, 128, (count, 2, 3), dtype=np.int8)
    found = make_vectors(graph(), inputs)
    expected = [(inputs.astype(np.int16) + by).astype(np.int8) for by in (1, 51, 151)]
    assert np.array_equal(found.inputs, inputs) and np.array_equal(found.outputs, expected[-1])
    assert found.checksums.dtype == np.uint32 and found.checksums.shape == (count, 3)
    assert found.checksums.tolist() == [[zlib.crc32(layer[i].tobytes()) for layer in expected] for i in range(count)]


def test_parts() -> None:
    whole = make_vectors(graph(), np.arange(30, dtype=np.int8).reshape(5, 2, 3))
    part = whole.part(3, 9)
    assert len(part) == 2 and part.bytes == 2 * (6 + 6 + 3 * 4)
    assert np.array_equal(part.checksums, whole.checksums[3:])


def test_arrays_of_different_counts() -> None:
    with pytest.raises(ValueError, match="different counts"):
        TestVectors(np.zeros((2, 1), np.int8), np.zeros((3, 1), np.int8), np.zeros((2, 1), np.uint32))
