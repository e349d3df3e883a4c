"""The .tflite: read, and where it is small enough computed, offered to the kernels and lowered."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import numpy as np
from random_network import random_network

from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph
from tests.campaign.drawing import draw_network
from tests.fuzz.mutation import overwritten
from tests.fuzz.target import Target

MOST_MACS, MOST_ELEMENTS = 200_000, 20_000
"""What is computed on the way."""

_WORDS = (b"TFL3", b"\x00" * 4, b"\xff" * 4, b"\x00\x00\x80\x7f", b"\x00\x00\xc0\x7f", b"\x01\x00\x00\x00", b"int8")


@functools.lru_cache(maxsize=1)
def _seeds() -> tuple[bytes, ...]:
    """Small networks that have every operator between them."""
    return (
        *(random_network(seed, layers=1 + seed % 3) for seed in range(6)),
        random_network(7, float_borders=True, dilation=True),
        *(draw_network(1, number).content for number in range(25)),
    )


def _read(content: bytes, folder: Path) -> str:
    path = folder / "m.tflite"
    path.write_bytes(content)
    graph = read_graph(path)
    kinds = ",".join(sorted({operator.kind for operator in graph.operators}))
    largest = max((t.elements for operator in graph.operators for t in (*operator.inputs, operator.output)), default=0)
    if graph.macs > MOST_MACS or max(largest, graph.input_bytes) > MOST_ELEMENTS:
        return f"large {kinds}"
    inputs = np.zeros((1, *graph.input_shape), np.int8)
    outputs = run(graph, inputs)
    assert outputs.shape == (1, *graph.output_shape) and outputs.dtype == np.int8
    _lower(graph)
    return f"model {kinds}"


def _lower(graph: Graph) -> None:
    platform = Platform("cortex-m4", True, "c")
    offers = Market(platform, estimated(platform)).offers(graph)
    choice = choose(graph, offers.offers, {FLASH: 8 << 20, RAM: 4 << 20})
    assert choice is not None, "an operator that was read and that nothing computes"
    if choice.fits:
        lower(graph, [offer.plan for offer in choice.steps], platform, graph.macs, graph.macs)


def _field(rng: random.Random, content: bytes) -> bytes:
    """A field of four bytes with another number: offsets, counts, shapes, scales, biases."""
    if len(content) < 8:
        return content
    return overwritten(rng, content, rng.randrange(1, len(content) // 4) * 4)


def _byte(rng: random.Random, content: bytes) -> bytes:
    """Types, activations, codes of operators."""
    if not content:
        return content
    place = rng.randrange(len(content))
    return content[:place] + bytes([rng.choice((0, 1, 2, 3, 4, 9, 17, 0x7F, 0x80, 0xFF))]) + content[place + 1 :]


def _copied(rng: random.Random, content: bytes) -> bytes:
    """A field with the number of another one."""
    if len(content) < 12:
        return content
    source, target = (rng.randrange(1, len(content) // 4) * 4 for _ in range(2))
    return content[:target] + content[source : source + 4] + content[target + 4 :]


MODEL = Target("model", _seeds, _WORDS, _read, (_field, _field, _byte, _copied))
