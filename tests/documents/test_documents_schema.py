"""The schemas: valid, documented, with their own examples, and the same as the code that reads the values."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from spec_files import GOOD, write_folder

from approx_plugin.boards.timing import Cache, MemoryTiming, whole
from approx_plugin.cores.core import FOLLOWS, NEEDED, ROW, UNITS, core_schema
from approx_plugin.cores.kinds import KINDS
from approx_plugin.documents.schema import NAME, annotation, closed, filled, load_schema, properties, variants, walk
from approx_plugin.documents.validation import REWRITERS
from approx_plugin.kernels.costs.kinds import COUNTS
from approx_plugin.kernels.costs.loader import costs_schema
from approx_plugin.spec import spec as dataclass_module
from approx_plugin.spec.loader import load_spec
from approx_plugin.virtual_board import layout

SCHEMAS = {
    name: load_schema(name)
    for name in ("approx", "board", "core", "cores", "costs", "family", "interrupts", "measured", "packs_lock")
}
SCHEMA = SCHEMAS["approx"]
KEYS = dict(walk(SCHEMA, SCHEMA))
WITH_EXAMPLES = ("approx", "board", "interrupts")
"""Those of files that people write; for the others the best advice is another one: see the loaders' REMEDY."""

CANNOT_FAIL = {"if", "else", "properties", "patternProperties", "items", "$ref", "definitions"}
INFORM = {"description", "default", "examples", "title", "$schema", "format", "patternErrorMessage"}
"""Keywords that only lead to others, and those that only inform."""


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, but for the condition of an `if` (which never fails by itself)."""
    yield schema
    for key, inner in schema.items():
        if key in ("properties", "patternProperties", "definitions"):
            for named in inner.values():
                yield from schemas(named)
        elif key in ("items", "else", "additionalProperties") and isinstance(inner, dict):
            yield from schemas(inner)
        elif key == "oneOf":
            for form in inner:
                yield from schemas(form)


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(SCHEMAS[request.param])


def test_every_schema_is_there(root: Path) -> None:
    written = {"design"}  # by the tool itself: exploration/design_file.py reads it back
    names = {f"{name}.schema.json" for name in {*SCHEMAS} | written}
    assert {path.name for path in (root / "schemas").iterdir()} == names


def test_schema_is_valid_and_of_the_one_draft(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_keyword_that_can_fail_has_words() -> None:
    used = {keyword for root in SCHEMAS.values() for schema in schemas(root) for keyword in schema}
    assert used - CANNOT_FAIL - INFORM == set(REWRITERS)


def test_every_map_is_closed_or_says_what_its_entries_are(schema: dict[str, Any]) -> None:
    maps = [one for one in schemas(schema) if "object" in one.get("type", "")]
    assert maps
    assert all(one["additionalProperties"] is False or one["additionalProperties"] for one in maps)


def test_every_pattern_is_said_in_words(schema: dict[str, Any]) -> None:
    for one in schemas(schema):
        assert ("pattern" in one) == ("patternErrorMessage" in one)


def test_every_key_has_a_description(schema: dict[str, Any]) -> None:
    keys = list(walk(schema, schema))
    assert keys
    for path, one in keys:
        told = [one.get("description"), *(variant.get("description") for variant in variants(schema, one))]
        assert re.fullmatch(r"[A-Za-z0-9].{6,}\.", next(filter(None, told), "")), path


def test_every_plain_key_has_an_example_and_a_default_or_says_what_happens_without() -> None:
    required = {("model",), ("board",), ("board", "device"), ("board", "pdsc"), ("method", "name"), ("cmsis_nn",)}
    for keys, schema in KEYS.items():
        if properties(SCHEMA, schema) and keys != ("method",):
            continue
        assert schema.get("examples"), keys
        known = "default" in schema or "Without" in schema["description"]
        assert known or keys in required or keys[0] == "target" or keys[-1] == "file", keys


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_key_that_people_write_has_an_example(name: str) -> None:
    root = SCHEMAS[name]
    whole = {("method", "name"), *((key,) for key in ("search", "kernels", "project", "verify"))}
    for keys, schema in walk(root, root):
        told = [schema, *variants(root, schema)]
        assert keys in whole or any(one.get("examples") for one in told), keys


@pytest.mark.parametrize("name", SCHEMAS)
def test_examples_and_defaults_fit_their_own_schema(name: str) -> None:
    root = SCHEMAS[name]
    for keys, schema in [((), root), *walk(root, root)]:
        for variant in (schema, *variants(root, schema)):
            alone = {**{k: v for k, v in schema.items() if k != "examples"}, "definitions": root.get("definitions", {})}
            for value in [*variant.get("examples", []), *([variant["default"]] if "default" in variant else [])]:
                assert not list(Draft7Validator(alone).iter_errors(value)), (keys, value)


def test_schema_and_dataclasses_have_the_same_fields() -> None:
    def fields(name: str) -> set[str]:
        return {field.name for field in dataclasses.fields(getattr(dataclass_module, name))}

    def keys(*path: str) -> set[str]:
        return set(properties(SCHEMA, KEYS[path] if path else SCHEMA))

    assert fields("Spec") - {"file", "locations", "verify_images", "pdsc"} == keys() - {"version", "verify"}
    assert keys("verify") == {"images"}
    for name, path in {
        "Target": ("target",),
        "DataSpec": ("data",),
        "DataSource": ("data", "calibration"),
        "Method": ("method",),
        "Search": ("search",),
        "KernelOptions": ("kernels",),
        "ProjectOptions": ("project",),
        "PackOptions": ("packs",),
    }.items():
        assert fields(name) == keys(*path), name
    assert keys("data", "calibration") == keys("data", "exploration") == keys("data", "confirmation")
    assert tuple(properties(SCHEMA, KEYS["data",])) == dataclass_module.SETS


def test_choices_are_those_that_the_dataclasses_document() -> None:
    for keys, name in {
        ("method", "name"): "Method",
        ("method", "criterion"): "Method",
        ("method", "granularity"): "Method",
        ("kernels", "backend"): "KernelOptions",
        ("kernels", "convolution"): "KernelOptions",
    }.items():
        documentation = getattr(dataclass_module, name).__doc__
        for choice in KEYS[keys]["enum"]:
            assert f'"{choice}"' in documentation, choice


def test_defaults_are_filled_in_without_touching_what_is_given() -> None:
    given = {"model": "a", "search": {"seed": 5}, "kernels": 3, "other": []}
    before = json.dumps(given)
    full = filled(SCHEMA, SCHEMA, given)
    assert json.dumps(given) == before
    assert full["search"] == {"seed": 5, "evaluations": 60, "workers": 1, "confidence": 95}
    assert full["kernels"] == 3
    assert full["other"] == []
    assert full["verify"] == {"images": 20}
    assert "target" not in full
    assert "data" not in full


def test_whole_numbers_become_int_wherever_an_integer_is_meant() -> None:
    given = {"target": {"accuracy": 97.0}, "search": {"seed": 7.0}, "method": {"layers": [3.0, "3.0", 2.5]}}
    full = filled(SCHEMA, SCHEMA, given)
    found = [full["target"]["accuracy"], full["search"]["seed"], *full["method"]["layers"]]
    assert [(type(value), value) for value in found] == [
        (float, 97.0),
        (int, 7),
        (int, 3),
        (str, "3.0"),
        (float, 2.5),
    ]
    board = SCHEMAS["board"]
    timing = {"memories": {"FLASH": {"wait_states": 4.0}}, "caches": {"a": {"bytes": 1024.0}}}
    full = filled(board, board, {"timing": timing, "memories": [{"length": 1024.0}, {"length": "1K"}]})
    assert type(full["timing"]["memories"]["FLASH"]["wait_states"]) is int
    assert type(full["timing"]["caches"]["a"]["bytes"]) is int
    assert [type(memory["length"]) for memory in full["memories"]] == [int, str]


def test_what_stands_beside_a_reference_goes_before_what_stands_at_its_target() -> None:
    board = SCHEMAS["board"]
    assert annotation(board, ("memories", 3, "origin"), "description") == "Address of the first byte."
    assert annotation(board, ("console", "write_address"), "description") == "Address of the transmit data register."
    assert annotation(board, ("console", "write_address"), "format") == "hexadecimal"
    source = ("timing", "memories", "FLASH", "source")
    assert annotation(board, (*source, "port"), "description") == "The manual, or the word assumed."
    assert annotation(board, (*source, "nothing"), "description") is None
    assert annotation(SCHEMAS["interrupts"], ("12",), "description").startswith("The handler's name")
    assert annotation(SCHEMAS["interrupts"], ("x",), "description") is None


def test_a_map_that_is_closed_by_code_has_all_these_keys_and_no_others() -> None:
    one = {"type": "object", "required": ["b"], "properties": {"b": {}}, "additionalProperties": {"type": "integer"}}
    validator = Draft7Validator(closed(one, ["a", "c"]))
    assert validator.is_valid({"a": 1, "b": "x", "c": 2})
    for wrong in ({"a": 1, "b": 1}, {"a": "1", "b": 1, "c": 2}, {"a": 1, "b": 1, "c": 2, "d": 3}, {"a": 1, "c": 2}):
        assert not validator.is_valid(wrong)
    assert Draft7Validator(closed(one, ["a", "c"], optional=True)).is_valid({"b": 1, "c": 2})


def test_timing_has_the_fields_of_its_classes() -> None:
    board = SCHEMAS["board"]
    timing = properties(board, properties(board, board)["timing"])
    Draft7Validator.check_schema(whole(board))
    for part, kind, given in (("caches", Cache, set()), ("memories", MemoryTiming, {"name"})):
        (entry,) = [found for keys, found in walk(board, timing[part]) if keys == (NAME,)]
        keys = set(properties(board, entry))
        assert keys == {field.name for field in dataclasses.fields(kind)} - given | {"source"}
        assert set(properties(board, properties(board, entry)["source"])) == keys - {"source"}
    assert timing["caches"]["maxProperties"] == layout.CACHES
    assert timing["memories"]["maxProperties"] == layout.REGIONS
    assert properties(board, board)["memories"]["maxItems"] == layout.WINDOWS


def test_a_cores_rows_are_those_of_the_code() -> None:
    root = core_schema()
    row = properties(root, properties(root, root)["defaults"])
    assert set(row) == {*ROW, "tail", "unit", "follow", "from"} > set(NEEDED)
    assert annotation(root, ("defaults", "unit"), "enum") == list(UNITS)
    assert annotation(root, ("defaults", "follow"), "enum") == list(FOLLOWS)
    assert set(properties(root, row["tail"])) == set(FOLLOWS)
    assert set(properties(root, properties(root, root)["kinds"])) == set(KINDS)
    assert set(properties(root, properties(root, root)["pairing"])) == {*UNITS, "any", "narrow", "banks", "from"}
    assert annotation(root, ("pairing", "any"), "maxItems") == len(UNITS)


def test_costs_are_wanted_for_every_count() -> None:
    root = costs_schema(COUNTS)
    Draft7Validator.check_schema(root)
    kinds = properties(root, properties(root, root)["kinds"])
    assert {kind: tuple(properties(root, properties(root, one)["coefficients"])) for kind, one in kinds.items()} == {
        **COUNTS
    }


@pytest.mark.parametrize("keys", [keys for keys, schema in KEYS.items() if "enum" in schema and keys != ("version",)])
def test_every_choice_loads(tmp_path: Path, keys: tuple[str, ...]) -> None:
    for choice in KEYS[keys]["enum"]:
        kept = [line for line in GOOD.splitlines() if not line.startswith(keys[0])]
        name = "" if keys == ("method", "name") or keys[0] != "method" else "name: significance, "
        written = choice if len(keys) == 1 else f"{{{name}{keys[1]}: {choice}}}"
        found = load_spec(write_folder(tmp_path, "\n".join([*kept, f"{keys[0]}: {written}", ""])))
        for key in keys:
            found = getattr(found, key)
        assert found == choice
