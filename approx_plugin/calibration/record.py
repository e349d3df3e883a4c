"""The cycles of held-out layers as they were simulated: what tests compare a board's costs with.

    [{"kernels": ["unpacked", "cmsis_nn"], "layers": [["CONV_2D", 392820], ...]}, ...]

A group holds the layers that were drawn for some kernels together, in their order: `draw_layers` draws them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Group:
    """kernels: names, in the order in which they were asked; layers: kind of operator and cycles of each."""

    kernels: tuple[str, ...]
    layers: tuple[tuple[str, int], ...]


def read_record(file: Path) -> tuple[Group, ...]:
    """The groups of a file; none where there is no file."""
    if not file.is_file():
        return ()
    groups = json.loads(file.read_text(encoding="utf-8"))
    return tuple(
        Group(tuple(group["kernels"]), tuple((kind, cycles) for kind, cycles in group["layers"])) for group in groups
    )


def merged(earlier: Iterable[Group], later: Sequence[Group]) -> tuple[Group, ...]:
    """The later groups in the place of earlier ones that hold any of their kernels."""
    anew = {name for group in later for name in group.kernels}
    return (*(group for group in earlier if not anew.intersection(group.kernels)), *later)


def record_text(groups: Iterable[Group]) -> str:
    """The file."""
    texts = []
    for group in groups:
        rows = ",\n".join(f"  {json.dumps([kind, cycles])}" for kind, cycles in group.layers)
        texts.append(f'{{"kernels": {json.dumps(list(group.kernels))}, "layers": [\n{rows}\n]}}')
    return "[\n" + ",\n".join(texts) + "\n]\n"
