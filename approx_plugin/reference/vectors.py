"""Test vectors: real inputs with what the integer reference makes of them, as they go into the firmware."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array
from approx_plugin.provenance import block_comment
from approx_plugin.reference.executor import BATCH, enter, joined, layers, run

_HOLDS = "inputs, expected outputs and the CRC-32 of every layer's expected output"


@dataclass(frozen=True, eq=False)
class TestVectors:
    """inputs: int8 [count, ...]; outputs: int8 [count, ...]; checksums: uint32 [count, layers].

    sequence: whether they belong together, each after the one before it: those of a network with states.
    A checksum is the CRC-32 of IEEE 802.3 (zlib.crc32) over the bytes of a layer's int8 output.
    """

    __test__ = False  # not a test class, whatever its name begins with

    inputs: Int8Array
    outputs: Int8Array
    checksums: npt.NDArray[np.uint32]
    sequence: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError if the arrays do not belong together."""
        if not len(self.inputs) == len(self.outputs) == len(self.checksums) or self.checksums.ndim != 2:
            raise ValueError("test vectors of different counts")

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.inputs)

    def part(self, start: int, stop: int) -> TestVectors:
        """The vectors from `start` to `stop` exclusively. Raises ValueError for a sequence without its beginning."""
        if self.sequence and start:
            raise ValueError("a sequence starts with its first vector")
        part = slice(start, stop)
        return TestVectors(self.inputs[part], self.outputs[part], self.checksums[part], self.sequence)

    @property
    def bytes(self) -> int:
        """What they take in the firmware."""
        return self.inputs.nbytes + self.outputs.nbytes + self.checksums.nbytes


def make_vectors(graph: Graph, inputs: Int8Array) -> TestVectors:
    """Run the integer reference over `inputs` (int8 [count, *graph.input_shape]) and keep every layer's checksum.

    The inputs of a network with states are one sequence, from the initial states on.
    """
    checksums = np.empty((len(inputs), len(graph.operators)), dtype=np.uint32)
    outputs = np.empty((len(inputs), *graph.output_shape), dtype=np.int8)
    borders = {tensor.index for tensor in graph.outputs}
    together = max(len(inputs), 1) if graph.states else BATCH
    for start in range(0, len(inputs), together):
        part = slice(start, start + together)
        values = dict(enter(graph, inputs[part]).values)
        for operator, results in zip(graph.operators, layers(graph, inputs[part])):
            checksums[part, operator.index] = [zlib.crc32(result.tobytes()) for result in results]
            if operator.output.index in borders:
                values[operator.output.index] = results
        outputs[part] = run(graph, inputs) if graph.states else joined(graph, values)
    return TestVectors(inputs, outputs, checksums, bool(graph.states))


def vectors_text(vectors: TestVectors) -> str:
    """The text of `Core/Src/test_vectors.c`."""
    count = f"const uint32_t test_vector_count = {len(vectors)}u;\n\n"
    return (
        f'{block_comment(_HOLDS)}\n#include "test_vectors.h"\n\n'
        + count
        + _array("int8_t test_vector_inputs", map(str, vectors.inputs.ravel().tolist()), 24)
        + _array("int8_t test_vector_outputs", map(str, vectors.outputs.ravel().tolist()), 24)
        + _array("uint32_t test_vector_checksums", (f"0x{c:08x}u" for c in vectors.checksums.ravel().tolist()), 8)
    )


def _array(name: str, values: Iterable[str], per_line: int) -> str:
    listed = list(values) or ["0"]
    lines = [", ".join(listed[start : start + per_line]) for start in range(0, len(listed), per_line)]
    return f"const {name}[] = {{\n    " + ",\n    ".join(lines) + "\n};\n\n"
