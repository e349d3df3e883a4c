"""Reads fitted cost models: board/<id>/costs.yaml, those of the core's ideal board for boards that have none."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import Cache, geometry_problem
from approx_plugin.documents.checked import Checked, load
from approx_plugin.documents.schema import Schema, closed, load_schema
from approx_plugin.errors import ApproxError, BoardError
from approx_plugin.kernels.costs.counting import Memories
from approx_plugin.kernels.costs.kinds import COUNTS
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.resources import resource_root

FILE = "costs.yaml"
FALLBACK_CORE = "cortex-m4"
"""Whose ideal figures a core without figures of its own gets: they rank kernels, no more."""


def board_costs(board: Board) -> CostModel | None:
    """The board's fitted model, or that of the board that lends it its own; None if the board has no costs.yaml.

    Raises BoardError, or several in one ErrorGroup, for a file that is not what calibration writes, or that lacks
    something that a kernel counts.
    """
    if board.costs_from:
        file = board.folder.parent / board.costs_from / FILE
        return load_costs(file, f"the virtual board of {board.costs_from.upper()}, in the place of {board.name}")
    file = board.folder / FILE
    return load_costs(file, f"the virtual board of {board.name}") if file.exists() else None


@functools.cache
def ideal_costs(core: str) -> CostModel:
    """The model of a core whose memories never let it wait. Raises as `board_costs`."""
    file = _ideal_file(core) if _ideal_file(core).is_file() else _ideal_file(FALLBACK_CORE)
    name = file.parent.name.removeprefix("ideal-").replace("cortex-m", "Cortex-M")
    return load_costs(file, f"an ideal {name} without wait states")


def _ideal_file(core: str) -> Path:
    return resource_root() / "board" / f"ideal-{core}" / FILE


def load_costs(file: Path, origin: str, counts: Mapping[str, Collection[str]] = COUNTS) -> CostModel:
    """The model in a file. origin: as in `CostModel`. counts: what kernels count, by kind. Raises as `board_costs`."""
    remedy = f"write the file again: python -m approx_plugin.calibration --board {file.parent.name}"
    checked = load(file, costs_schema(counts), BoardError, remedy)
    checked.raise_mistakes(_geometry(checked))
    values = checked.values
    memories = {name: cache and Cache(**cache) for name, cache in values["memories"].items()}
    kinds = {kind: dict(entry["coefficients"]) for kind, entry in values["kinds"].items()}
    return CostModel(origin, Memories(**memories), kinds)


def costs_schema(counts: Mapping[str, Collection[str]]) -> Schema:
    """The schema of costs.yaml for kernels that count this: every kind and every coefficient is there, and no other."""
    root = load_schema("costs")
    kind, parts = root["definitions"]["kind"], root["properties"]

    def of(names: Collection[str]) -> Schema:
        inner = kind["properties"]
        return {**kind, "properties": {**inner, "coefficients": closed(inner["coefficients"], names)}}

    kinds = closed(parts["kinds"], counts)
    kinds = {**kinds, "properties": {name: of(names) for name, names in counts.items()}}
    return {**root, "properties": {**parts, "kinds": kinds}}


def _geometry(checked: Checked) -> Iterator[ApproxError]:
    """Caches that there cannot be."""
    for name in checked.names("memories"):
        cache = checked.get("memories", name)
        problem = geometry_problem(cache) if cache else ""
        if problem:
            yield checked.error(("memories", name), problem)
