"""How a board's memories answer: the `timing` section of its board.yaml as plain values, every number with its source.

The virtual board adds the core's table to them and counts cycles; what the caches cost a kernel is estimated from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from approx_plugin.boards.memory import Memory, beyond_addresses, size_of
from approx_plugin.documents.checked import Checked
from approx_plugin.documents.document import Keys
from approx_plugin.documents.schema import Schema
from approx_plugin.documents.wording import did_you_mean, enumeration
from approx_plugin.errors import ApproxError

SECTION = "timing"
SOURCE = "source"
CACHE_NAMES = ("fetch_cache", "data_cache")


@dataclass(frozen=True)
class Cache:
    """A set-associative cache with LRU replacement: sizes in bytes. bytes == 0: it is switched off."""

    bytes: int
    line_bytes: int
    ways: int


@dataclass(frozen=True)
class MemoryTiming:
    """How a range of addresses answers.

    wait_states:  core cycles beyond the first that an array read takes, the bus on the way included.
    read_bytes:   what one array read delivers; 0: memory without wait states, everything below is meaningless then.
    prefetch:     behind every line for the fetch side, the first read of the next one starts by itself.
    beat_cycles:  further core cycles until each next `beat_bytes` of a line arrive; 0: all at once.
    fetch_cache, data_cache: names of caches that instruction fetches and data accesses go through.
    branch_wait:  cycles added to the first fetch after a taken branch.
    port:         ranges of the same port share one bus: a data access costs a fetch cycle there; None: its own.
    """

    name: str
    origin: int
    length: int
    wait_states: int = 0
    read_bytes: int = 0
    prefetch: bool = False
    beat_cycles: int = 0
    beat_bytes: int = 4
    fetch_cache: str | None = None
    data_cache: str | None = None
    branch_wait: int = 0
    port: str | None = None


@dataclass(frozen=True)
class BoardTiming:
    """What stands between a board's core and its memories.

    memories:   ranges that are not named answer without wait states.
    references: "FLASH wait_states" -> where the number comes from, for every number that board.yaml gives.
    """

    memories: tuple[MemoryTiming, ...]
    caches: Mapping[str, Cache]
    references: Mapping[str, str] = field(default_factory=dict, repr=False)


def whole(root: Schema) -> Schema:
    """The schema of a board's whole description: parts of one that is laid over another's may leave these keys out."""
    timing = {**root["properties"][SECTION], "required": ["memories"]}
    definitions = {
        **root["definitions"],
        "cache": {**root["definitions"]["cache"], "required": ["bytes", "line_bytes", "ways", SOURCE]},
        "memory": {**root["definitions"]["memory"], "required": [SOURCE]},
    }
    return {**root, "properties": {**root["properties"], SECTION: timing}, "definitions": definitions}


def build_timing(section: Any, memories: tuple[Memory, ...]) -> BoardTiming:
    """The timing of a section that has passed schema and `timing_mistakes`. memories: of the board."""
    known = {memory.name: memory for memory in memories}
    caches, entries = section.get("caches", {}), section["memories"]
    return BoardTiming(
        tuple(_memory(name, entry, known.get(name)) for name, entry in entries.items()),
        {name: Cache(**_numbers(entry)) for name, entry in caches.items()},
        {
            f"{name} {key}": _source(entry, key)
            for part in (caches, entries)
            for name, entry in part.items()
            for key in _numbers(entry)
        },
    )


def _numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without its sources."""
    return {key: value for key, value in entry.items() if key != SOURCE}


def _source(entry: Mapping[str, Any], key: str) -> Any:
    """Where a number comes from; None if nobody says so."""
    said = entry.get(SOURCE)
    return said.get(key) if isinstance(said, dict) else said


def _memory(name: str, entry: Mapping[str, Any], known: Memory | None) -> MemoryTiming:
    """A memory; origin and length are those of the board's memory of this name where they are not given."""
    values = _numbers(entry)
    if known:
        values = {"origin": known.origin, "length": known.length, **values}
    return MemoryTiming(name, **{**values, "length": size_of(values["length"])})


def timing_mistakes(checked: Checked) -> Iterator[ApproxError]:
    """What a schema cannot say about the section of a board's description."""
    for name in checked.names(SECTION, "caches"):
        yield from _cache_mistakes(checked, name)
    for name in checked.names(SECTION, "memories"):
        yield from _memory_mistakes(checked, name)


def _right(checked: Checked, keys: Keys) -> dict[str, Any]:
    """Of a map, what has no message yet."""
    found = {key: checked.get(*keys, key) for key in checked.names(*keys)}
    return {key: value for key, value in found.items() if value is not None}


def _cache_mistakes(checked: Checked, name: str) -> Iterator[ApproxError]:
    keys = (SECTION, "caches", name)
    entry = _right(checked, keys)
    yield from _source_mistakes(checked, keys, entry)
    problem = geometry_problem(entry)
    if problem:
        yield checked.error(keys, problem, hint="write bytes that are a multiple of line_bytes * ways")


def geometry_problem(entry: Mapping[str, int]) -> str:
    """What is wrong with the sizes of a cache, each of which is right for itself; nothing if there is such a cache."""
    if not {"bytes", "line_bytes", "ways"} <= set(entry):
        return ""
    size, line, ways = entry["bytes"], entry["line_bytes"], entry["ways"]
    return f"no cache has {ways} ways of {line}-byte lines in {size} bytes" if size % (line * ways) else ""


def _memory_mistakes(checked: Checked, name: str) -> Iterator[ApproxError]:
    keys = (SECTION, "memories", name)
    entry = _right(checked, keys)
    yield from _source_mistakes(checked, keys, entry)
    caches = checked.names(SECTION, "caches")
    for key in CACHE_NAMES:
        if key in entry and entry[key] not in caches:
            known = f"the caches are {enumeration(caches, 'and')}" if caches else "describe it in timing.caches"
            hint = did_you_mean(entry[key], caches) or known
            yield checked.error((*keys, key), f"there is no cache '{entry[key]}'", hint=hint)
    if entry.get("wait_states") and "read_bytes" not in checked.names(*keys):
        why = "without read_bytes a memory answers without wait states"
        yield checked.error(keys, "wait_states stand there without read_bytes", why, "write read_bytes beside them")
    if checked.names(*keys):
        yield from _range_mistakes(checked, keys, entry)


def _range_mistakes(checked: Checked, keys: Keys, entry: Mapping[str, Any]) -> Iterator[ApproxError]:
    """A range of its own, or that of one of the board's memories (not looked at if those have mistakes)."""
    memories = checked.get("memories")
    given = checked.names(*keys)
    known: Mapping[str, Any] = next((memory for memory in memories or () if memory["name"] == keys[-1]), {})
    if memories is not None and not known and not ("origin" in given and "length" in given):
        names = [memory["name"] for memory in memories]
        others = f"the board's memories are {enumeration(names, 'and')}; give others an origin and a length"
        hint = did_you_mean(str(keys[-1]), names) or others
        yield checked.error(keys, f"the board has no memory '{keys[-1]}'", hint=hint)
        return
    region = {**known, **entry}
    if {"origin", "length"} <= set(region) and beyond_addresses(region["origin"], size_of(region["length"])):
        yield checked.error(keys, "the memory ends beyond the last address, 0xffffffff", hint="write a smaller length")


def _source_mistakes(checked: Checked, keys: Keys, entry: Mapping[str, Any]) -> Iterator[ApproxError]:
    """Every number has a source, and that of its own: not the one that a base has for its other value."""
    document = checked.document
    if SOURCE not in entry:
        return
    for key in _numbers(entry):
        if not _source(entry, key):
            hint = f"name the manual in {SOURCE}, or write that it is assumed"
            yield checked.error((*keys, key), "this number has no source", hint=hint)
            continue
        source = (*keys, SOURCE, key) if isinstance(entry[SOURCE], dict) else (*keys, SOURCE)
        if document.where((*keys, key)).file == document.file != document.where(source).file:
            why = f"what stands at {document.where(source)} is about the value that this board replaces"
            yield checked.error(
                (*keys, key), "this number has the source of another value", why, "write its own source"
            )
