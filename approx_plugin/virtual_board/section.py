"""The `timing` section of a board.yaml: reads it into a `Timing`, and wants a source for every number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from approx_plugin.boards.board import Board
from approx_plugin.boards.description import DESCRIPTION, document_of
from approx_plugin.cores.core import load_core
from approx_plugin.documents.reader import Document, Keys
from approx_plugin.errors import ApproxError, BoardError, Location, raise_all
from approx_plugin.virtual_board import layout
from approx_plugin.virtual_board.timing import Cache, MemoryTiming, Timing

CACHE_KEYS: Mapping[str, type] = {"bytes": int, "line_bytes": int, "ways": int}
MEMORY_KEYS: Mapping[str, type] = {
    "origin": int,
    "length": int,
    "wait_states": int,
    "read_bytes": int,
    "prefetch": bool,
    "beat_cycles": int,
    "beat_bytes": int,
    "fetch_cache": str,
    "data_cache": str,
    "branch_wait": int,
    "port": str,
}
TYPE_NAMES = {int: "whole number that is not negative", bool: "truth value", str: "text"}
PARTS = ("caches", "memories")


def load_timing(board: Board) -> Timing:
    """The timing of `board`.

    Ranges that the section does not name answer without wait states. Raises BoardError (or several, in one ErrorGroup):
    unknown keys, wrong values, numbers without a source, a core that does not exist.
    """
    if not board.timing:
        raise BoardError(
            f"{board.name} has no timing: the virtual board cannot count its cycles",
            where=board.folder,
            hint="add a 'timing' section to its board.yaml",
        )
    core = load_core(board.core)
    reader = _Reader(board)
    section = reader.mapping(("timing",), board.timing, PARTS)
    caches: dict[str, Cache | None] = {}
    memories: dict[str, MemoryTiming | None] = {}
    for name, entry in reader.mapping(("timing", "caches"), section.get("caches", {})).items():
        caches[name] = reader.cache(("timing", "caches", name), entry)
    for name, entry in reader.mapping(("timing", "memories"), section.get("memories", {})).items():
        memories[name] = reader.memory(("timing", "memories", name), entry, caches)
    for what, found, limit in (("caches", caches, layout.CACHES), ("memories", memories, layout.REGIONS)):
        if len(found) > limit:
            reader.mistake(("timing", what), f"there are {len(found)} {what}", f"at most {limit}")
    raise_all(reader.errors)
    return Timing(
        core,
        tuple(memory for memory in memories.values() if memory is not None),
        {name: cache for name, cache in caches.items() if cache is not None},
        {**core.references, **reader.references},
    )


class _Reader:
    """Reads one section and collects its mistakes."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.errors: list[ApproxError] = []
        self.references: dict[str, str] = {}

    def mistake(self, keys: Keys, what: str, hint: str = "") -> None:
        """Note a mistake at a value of the board's description."""
        self.errors.append(BoardError(what, where=self.place(keys), hint=hint))

    def place(self, keys: Keys) -> Location:
        """Where a value of the description stands; without a file there is only the file's name."""
        return self.document.where(keys) if self.document else Location(str(self.board.folder / DESCRIPTION))

    @cached_property
    def document(self) -> Document | None:
        """The description with its places."""
        return document_of(self.board)

    def mapping(self, keys: Keys, tree: Any, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """`tree` if it is a map; with `known`, of these keys only."""
        if not isinstance(tree, Mapping):
            self.mistake(keys, f"'{keys[-1]}' has to be a map")
            return {}
        for key in tree:
            if known and key not in known:
                self.mistake((*keys, key), f"'{key}' is no part of '{keys[-1]}'", f"known: {', '.join(known)}")
        return tree

    def entry(self, keys: Keys, tree: Any, known: Mapping[str, type]) -> dict[str, Any]:
        """One map of values: unknown keys, wrong types and values without a source are mistakes."""
        pairs = self.mapping(keys, tree, (*known, "source"))
        source = pairs.get("source")
        values: dict[str, Any] = {}
        for key in (key for key in pairs if key in known):
            value, kind = pairs[key], known[key]
            if type(value) is not kind or (kind is int and pairs[key] < 0):
                self.mistake((*keys, key), f"'{key}' has to be a {TYPE_NAMES[kind]}, not {value!r}")
                continue
            values[key] = value
            said = source.get(key) if isinstance(source, Mapping) else source
            if isinstance(said, str) and said and self.is_of_another(keys, key, source):
                self.mistake((*keys, key), f"'{key}' has the source of another value", "name this one's, beside it")
            elif isinstance(said, str) and said:
                self.references[f"{keys[-1]} {key}"] = said
            else:
                self.mistake((*keys, key), f"'{key}' has no source", "name the manual, or write 'assumed'")
        return values

    def is_of_another(self, keys: Keys, key: str, source: Any) -> bool:
        """Whether a board that is based on another gives a value, but the other one gives its source."""
        if not self.board.based_on:
            return False
        spoken = (*keys, "source", key) if isinstance(source, Mapping) else (*keys, "source")
        own = str(self.board.folder / DESCRIPTION)
        return self.place((*keys, key)).file == own != self.place(spoken).file

    def cache(self, keys: Keys, tree: Any) -> Cache | None:
        """A cache, all of its geometry given."""
        values = self.entry(keys, tree, CACHE_KEYS)
        missing = [key for key in CACHE_KEYS if key not in values]
        if missing:
            self.mistake(keys, f"the cache '{keys[-1]}' lacks {', '.join(missing)}")
            return None
        cache = Cache(**values)
        line = cache.line_bytes
        if line < 4 or line & (line - 1) or not cache.ways or not cache.bytes or cache.bytes % (line * cache.ways):
            hint = "line_bytes: a power of two, 4 or more; bytes: a multiple of line_bytes * ways"
            self.mistake(keys, f"no cache has {cache.ways} ways of {line}-byte lines in {cache.bytes} bytes", hint)
            return None
        return cache

    def memory(self, keys: Keys, tree: Any, caches: Mapping[str, Any]) -> MemoryTiming | None:
        """A memory; origin and length are the board's where they are not given."""
        values = self.entry(keys, tree, MEMORY_KEYS)
        for key in ("fetch_cache", "data_cache"):
            if key in values and values[key] not in caches:
                self.mistake((*keys, key), f"there is no cache '{values.pop(key)}'", f"known: {', '.join(caches)}")
        for key, least, none in (("read_bytes", 4, "; or 0 for no wait states"), ("beat_bytes", 1, "")):
            size = values.get(key, least)
            if (size < least or size & (size - 1)) and not (none and size == 0):
                self.mistake((*keys, key), f"'{key}' is {values.pop(key)}", f"a power of two, {least} or more{none}")
        name = str(keys[-1])
        known = next((memory for memory in self.board.memories if memory.name == name), None)
        if known:
            values = {"origin": known.origin, "length": known.length, **values}
        if "origin" not in values or "length" not in values:
            self.mistake(keys, f"the board has no memory '{name}'", "give its origin and length")
            return None
        return MemoryTiming(name, **values)
