"""The project's test vectors: how many the firmware holds, and where all of them are kept for the verbs."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.errors import ToolError
from approx_plugin.files import write_whole
from approx_plugin.kernels.capacity import flash_budget
from approx_plugin.kernels.program import Program
from approx_plugin.model.graph import Graph
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.workplace import Workplace

_SHARE = 8
"""A vector that is larger than this part of the flash gets no room of its own."""


def bytes_of_one(graph: Graph) -> int:
    """Inputs, outputs, and a checksum for each layer."""
    return graph.input_bytes + graph.output_bytes + 4 * len(graph.operators)


def reserved(graph: Graph, board: Board, wanted: int) -> int:
    """Bytes of flash that the network leaves to vectors: one, if any are wanted; more take only what is left."""
    one = bytes_of_one(graph)
    return one if wanted and one * _SHARE <= board.flash.length else 0


def fitting(program: Program, board: Board, wanted: int, taken: int = 0) -> int:
    """How many of the wanted vectors fit beside the network. taken: bytes of flash that something else needs."""
    layers = len(program.graph.operators)
    left = flash_budget(board, 0, layers) - program.flash_bytes - taken
    return max(0, min(wanted, left // bytes_of_one(program.graph)))


def give_way(graph: Graph, board: Board, held: int, short: int) -> tuple[int, int]:
    """How many of the vectors stay where a program overflows the flash by `short` bytes, and what is short then.

    held: vectors in the program. One stays, if it has room of its own.
    """
    one, least = bytes_of_one(graph), 1 if reserved(graph, board, held) else 0
    dropped = min(max(held - least, 0), -(-short // one))
    left = short - dropped * one
    return held - dropped, max(left, 0)


def save(place: Workplace, vectors: TestVectors) -> None:
    """Keep them for `load`."""
    # In memory first: an archive on a disk that fails tries again to write its end when it is forgotten.
    content = io.BytesIO()
    np.savez(
        content,
        inputs=vectors.inputs,
        outputs=vectors.outputs,
        checksums=vectors.checksums,
        sequence=np.array(vectors.sequence),
    )
    write_whole(place.vectors, content.getvalue())


def load(place: Workplace) -> TestVectors:
    """What the last generation has saved. Raises ToolError if it is not there."""
    try:
        with np.load(place.vectors, allow_pickle=False) as stored:
            sequence = bool(stored["sequence"])
            return TestVectors(stored["inputs"], stored["outputs"], stored["checksums"], sequence)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ToolError(
            "the test vectors of the last generation are gone", hint="generate the project again"
        ) from error
