"""Reads fitted cost models: board/<id>/costs.yaml, those of the core's ideal board for boards that have none."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from approx_plugin.boards.board import Board
from approx_plugin.documents.reader import Document, Keys, read
from approx_plugin.errors import ApproxError, BoardError, raise_all
from approx_plugin.kernels.costs.counting import Cache, Memories
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.resources import resource_root

FILE = "costs.yaml"
FALLBACK_CORE = "cortex-m4"
"""Whose ideal figures a core without figures of its own gets: they rank kernels, no more."""

MEMORY_NAMES = ("code", "constants", "activations")
CACHE_NAMES = ("bytes", "line_bytes", "ways")


def board_costs(board: Board) -> CostModel | None:
    """The board's fitted model; None if the board has no costs.yaml.

    Raises BoardError, or several in one ErrorGroup, for a file that is not what calibration writes.
    """
    file = board.folder / FILE
    return load_costs(file, f"the virtual board of {board.name}") if file.is_file() else None


@functools.cache
def ideal_costs(core: str) -> CostModel:
    """The model of a core whose memories never let it wait."""
    file = _ideal_file(core) if _ideal_file(core).is_file() else _ideal_file(FALLBACK_CORE)
    name = file.parent.name.removeprefix("ideal-").replace("cortex-m", "Cortex-M")
    return load_costs(file, f"an ideal {name} without wait states")


def _ideal_file(core: str) -> Path:
    return resource_root() / "board" / f"ideal-{core}" / FILE


def load_costs(file: Path, origin: str) -> CostModel:
    """The model in a file. origin: as in `CostModel`. Raises as `board_costs`."""
    reader = _Reader(read(file))
    memories = reader.memories()
    kinds = reader.kinds()
    raise_all(reader.errors)
    return CostModel(origin, memories, MappingProxyType(kinds))


class _Reader:
    """Reads one document and collects its mistakes."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[ApproxError] = []

    def mistake(self, keys: Keys, what: str) -> None:
        hint = "write the file again: python -m approx_plugin.calibration"
        self.errors.append(BoardError(what, where=self.document.where(keys), hint=hint))

    def mapping(self, keys: Keys, value: Any) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self.mistake(keys, f"'{keys[-1] if keys else 'the file'}' has to be a map")
        return {}

    def memories(self) -> Memories:
        tree = self.mapping((), self.document.value)
        section = self.mapping(("memories",), tree.get("memories"))
        found: dict[str, Cache | None] = {}
        for name in section:
            if name not in MEMORY_NAMES:
                self.mistake(("memories", name), f"there is no memory '{name}'; known: {', '.join(MEMORY_NAMES)}")
                continue
            found[name] = self.cache(("memories", name), section[name])
        return Memories(**found)

    def cache(self, keys: Keys, value: Any) -> Cache | None:
        if value is None:
            return None
        tree = self.mapping(keys, value)
        numbers = [tree.get(name) for name in CACHE_NAMES]
        if set(tree) != set(CACHE_NAMES) or not all(type(n) is int and n > 0 for n in numbers):
            self.mistake(keys, f"a cache has {', '.join(CACHE_NAMES)}, whole numbers above 0")
            return None
        cache = Cache(**{name: tree[name] for name in CACHE_NAMES})
        if cache.bytes % (cache.line_bytes * cache.ways):
            self.mistake(keys, "bytes has to be a multiple of line_bytes * ways")
        return cache

    def kinds(self) -> dict[str, Mapping[str, float]]:
        tree = self.mapping((), self.document.value)
        section = self.mapping(("kinds",), tree.get("kinds"))
        found: dict[str, Mapping[str, float]] = {}
        for kind in section:
            keys: Keys = ("kinds", kind, "coefficients")
            entry = self.mapping(keys[:2], section[kind])
            coefficients = self.mapping(keys, entry.get("coefficients"))
            for name, value in coefficients.items():
                if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                    self.mistake((*keys, name), f"'{name}' has to be a number that is not negative, not {value!r}")
            found[kind] = MappingProxyType(dict(coefficients))
        if not found:
            self.mistake(("kinds",), "there are no kinds of kernels")
        return found
