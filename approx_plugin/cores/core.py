"""A core's instruction timing as data: `<name>.yaml`, where every row says where its numbers come from."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from approx_plugin.cores.kinds import KINDS
from approx_plugin.documents.checked import Checked, load
from approx_plugin.documents.schema import Schema, closed, load_schema
from approx_plugin.documents.wording import did_you_mean, enumeration
from approx_plugin.errors import ApproxError, BoardError

CORES = Path(__file__).resolve().parent
FOLLOWS = ("other", "load", "store", "load_multiple", "store_multiple")
UNITS = ("alu", "shift", "dsp", "multiply", "load", "store", "branch", "it", "nop", "system", "float", "alone")
"""Names of the rows of the pairing matrix."""

STAGES = ("source", "early", "accumulate", "address", "data", "result", "base_result")
ROW = ("cycles", "words_per_cycle", *STAGES, "early_result", "from_load")
NEEDED = ("cycles", *STAGES, "unit", "from")
"""What every row says, by itself or through the defaults."""

REMEDY = "compare it with cores/cortex-m4.yaml, which explains the fields"


@dataclass(frozen=True)
class KindTiming:
    """One row; the numbers are `kind_timing` in virtual_board/native/pipeline.h; `reference`: their source."""

    numbers: Mapping[str, int]
    tail: Mapping[str, int]
    unit: str
    follow: str
    reference: str


@dataclass(frozen=True, eq=False)
class CoreTiming:
    """A core. Two of them are the same only if they are one value: what is computed from one can be remembered.

    kinds:   the rows by kind of instruction.
    pairs:   by unit of the older instruction: units of younger ones that may issue in the same cycle.
    numbers: everything else, by the names of `core_timing` in virtual_board/native/pipeline.h.
    fetch_ahead: cycles by which sequential code is requested before it issues.
    references: number or row -> where it comes from.
    """

    name: str
    kinds: Mapping[str, KindTiming]
    pairs: Mapping[str, frozenset[str]]
    numbers: Mapping[str, int]
    fetch_ahead: int
    references: Mapping[str, str] = field(repr=False)


@functools.cache
def load_core(name: str) -> CoreTiming:
    """The timing of gcc's -mcpu=`name`. Raises BoardError for a core without a table, otherwise as `read_core`."""
    known = sorted(path.stem for path in CORES.glob("*.yaml"))
    if name not in known:
        raise BoardError(f"the virtual board has no timing for the core '{name}'", hint=f"it knows {', '.join(known)}")
    return read_core(CORES / f"{name}.yaml")


def read_core(path: Path) -> CoreTiming:
    """A core's table. Raises BoardError, or several in one ErrorGroup, with every mistake in it."""
    checked = load(path, core_schema(), BoardError, REMEDY)
    checked.raise_mistakes([*_missing(checked), *_unknown_sources(checked)])
    return _build(path.stem, checked.values)


def core_schema() -> Schema:
    """The schema of the tables, with a row for every kind of instruction and a pairing for any unit."""
    root = load_schema("core")
    parts = root["properties"]
    known = {"kinds": closed(parts["kinds"], KINDS), "pairing": closed(parts["pairing"], UNITS, optional=True)}
    return {**root, "properties": {**parts, **known}}


def _missing(checked: Checked) -> Iterator[ApproxError]:
    """What neither a row nor the defaults say."""
    defaults = checked.get("defaults")
    for kind in KINDS if defaults is not None else ():
        row = checked.get("kinds", kind)
        missing = [key for key in NEEDED if row is not None and key not in {**defaults, **row}]
        if missing:
            what = f"the row says nothing about {enumeration(missing, 'and')}, and the defaults do not either"
            yield checked.error(("kinds", kind), what)


def _unknown_sources(checked: Checked) -> Iterator[ApproxError]:
    """Names of sources that there are not; a text of several words speaks for itself."""
    sources = checked.names("sources")
    for keys in (keys for keys in checked.document.locations if keys and keys[-1] == "from"):
        name = checked.get(*keys)
        if isinstance(name, str) and name.isidentifier() and name not in sources:
            hint = did_you_mean(name, sources) or f"the sources are {enumeration(sources, 'and')}"
            yield checked.error(keys, f"there is no source '{name}'", hint=hint)


def _build(name: str, tree: Mapping[str, Any]) -> CoreTiming:
    """The CoreTiming of values without a mistake."""
    sources, defaults = tree["sources"], tree["defaults"]

    def reference(entry: Mapping[str, Any]) -> str:
        named = str(entry["from"])
        return str(sources.get(named, named))

    kinds, references = {}, {}
    for kind in KINDS:
        row = {**defaults, **tree["kinds"][kind]}
        references[kind] = reference(row)
        kinds[kind] = KindTiming(
            {key: row.get(key, 0) for key in ROW},
            row.get("tail", {}),
            row["unit"],
            row.get("follow", "other"),
            references[kind],
        )
    pairing, branch, unaligned, divide = (tree[key] for key in ("pairing", "branch", "unaligned", "divide"))
    references["pairing"] = reference(pairing)
    everywhere = frozenset(pairing.get("any", ()))
    pairs = {unit: everywhere | frozenset(pairing.get(unit, ())) for unit in UNITS}

    def of_branch(key: str) -> int:
        entry = branch.get(key)
        if entry is None:
            return 0
        references[f"branch {key}"] = reference(entry)
        value: int = entry["value"]
        return value

    numbers = {
        "pair_narrow": int(pairing["narrow"]),
        "one_block": int(tree.get("one_block", {"value": False})["value"]),
        "pair_banks": int(pairing.get("banks", False)),
        "taken": of_branch("taken"),
        "taken_same_cycle": of_branch("same_cycle"),
        "wide_target": of_branch("wide_target"),
        "predictor": int("predictor" in branch),
        "mispredicted": of_branch("mispredicted"),
        "mispredicted_early": of_branch("mispredicted_early"),
        "early_flags": of_branch("early_flags"),
        "unaligned_load": unaligned["load"],
        "unaligned_store": unaligned["store"],
        "divide_minimum": divide["minimum"],
        "divide_maximum": divide["maximum"],
        "divide_bits": divide["bits_per_cycle"],
    }
    references.update(
        {"unaligned": reference(unaligned), "divide": reference(divide), "fetch_ahead": reference(tree["fetch_ahead"])}
    )
    return CoreTiming(name, kinds, pairs, numbers, tree["fetch_ahead"]["value"], references)
