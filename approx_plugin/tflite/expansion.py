"""Operators with several outputs as one node for each output: each is a part of the input by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from approx_plugin.model.node import Node
from approx_plugin.operators.slices import PART, PARTS

SEVERAL = frozenset({"SPLIT", "SPLIT_V", "UNPACK"})
"""Operators whose outputs do not depend on each other."""


def expanded(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, those of `SEVERAL` cut into one for each output, with its number among the options."""
    for node in nodes:
        if node.builtin not in SEVERAL:
            yield node
            continue
        for part, output in enumerate(node.outputs):
            options = {**node.options, PART: part, PARTS: len(node.outputs)}
            yield replace(node, outputs=(output,), options=options)
