"""A core's instruction timing as data: `<name>.yaml`, where every row says where its numbers come from."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from approx_plugin.cores.kinds import KINDS
from approx_plugin.documents.reader import read
from approx_plugin.errors import BoardError

CORES = Path(__file__).resolve().parent
FOLLOWS = ("other", "load", "store", "load_multiple", "store_multiple")
UNITS = ("alu", "shift", "dsp", "multiply", "load", "store", "branch", "it", "nop", "system", "float", "alone")
"""Names of the rows of the pairing matrix."""

STAGES = ("source", "early", "accumulate", "address", "data", "result", "base_result")
ROW = ("cycles", "words_per_cycle", *STAGES, "early_result", "from_load")


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
    """The timing of gcc's -mcpu=`name`. Raises BoardError for a core that there is no table for."""
    known = sorted(path.stem for path in CORES.glob("*.yaml"))
    if name not in known:
        raise BoardError(f"the virtual board has no timing for the core '{name}'", hint=f"it knows {', '.join(known)}")
    return parse_core(name, read(CORES / f"{name}.yaml").value)


def parse_core(name: str, tree: Mapping[str, Any]) -> CoreTiming:
    """The plain values of a core's table as a CoreTiming. KeyError, ValueError: the table itself is wrong."""
    sources, defaults = tree["sources"], tree["defaults"]

    def reference(entry: Mapping[str, Any]) -> str:
        named = str(entry["from"])
        return str(sources.get(named, named))

    kinds, references = {}, {}
    for kind in KINDS:
        row = {**defaults, **tree["kinds"][kind]}
        references[kind] = reference(row)
        kinds[kind] = KindTiming(
            {key: int(row.get(key, 0)) for key in ROW},
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
        return int(entry["value"])

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
    return CoreTiming(name, kinds, pairs, numbers, int(tree["fetch_ahead"]["value"]), references)
