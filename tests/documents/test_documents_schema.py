"""The schema of approx.yaml: valid, documented, with its own examples, and the same as the dataclasses."""

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

from approx_plugin.documents.schema import load_schema, properties, variants, walk, with_defaults
from approx_plugin.documents.validation import REWRITERS
from approx_plugin.spec import spec as dataclass_module
from approx_plugin.spec.loader import load_spec

SCHEMA = load_schema()
KEYS = dict(walk(SCHEMA, SCHEMA))

CANNOT_FAIL = {"if", "else", "properties", "items", "$ref", "description", "default", "examples", "title", "$schema"}
"""Keywords that only lead to others, or only inform."""


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, but for the condition of an `if` (which never fails by itself)."""
    yield schema
    for key, inner in schema.items():
        if key in ("properties", "definitions"):
            for named in inner.values():
                yield from schemas(named)
        elif key in ("items", "else", "additionalProperties") and isinstance(inner, dict):
            yield from schemas(inner)
        elif key == "oneOf":
            for form in inner:
                yield from schemas(form)


def test_schema_is_valid() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_keyword_that_can_fail_has_words() -> None:
    used = {keyword for schema in schemas(SCHEMA) for keyword in schema} - {"definitions"}
    assert used - CANNOT_FAIL == set(REWRITERS)


def test_every_map_is_closed() -> None:
    maps = [schema for schema in schemas(SCHEMA) if schema.get("type") == "object"]
    assert len(maps) > 8
    assert all(schema["additionalProperties"] is False for schema in maps)


def test_every_key_has_a_description() -> None:
    assert len(KEYS) > 35
    for keys, schema in KEYS.items():
        assert re.fullmatch(r"[A-Za-z].{10,}\.", schema.get("description", "")), keys


def test_every_plain_key_has_an_example_and_a_default_or_says_what_happens_without() -> None:
    required = {("model",), ("board",), ("method", "name"), ("cmsis_nn",)}
    for keys, schema in KEYS.items():
        if properties(SCHEMA, schema) and keys != ("method",):
            continue
        assert schema.get("examples"), keys
        known = "default" in schema or "Without" in schema["description"]
        assert known or keys in required or keys[0] == "target" or keys[-1] == "file", keys


def test_examples_and_defaults_fit_their_own_schema() -> None:
    for keys, schema in KEYS.items():
        for variant in (schema, *variants(SCHEMA, schema)):
            alone = {**variant, "definitions": SCHEMA["definitions"]}
            for value in [*variant.get("examples", []), *([variant["default"]] if "default" in variant else [])]:
                assert not list(Draft7Validator(alone).iter_errors(value)), (keys, value)


def test_schema_and_dataclasses_have_the_same_fields() -> None:
    def fields(name: str) -> set[str]:
        return {field.name for field in dataclasses.fields(getattr(dataclass_module, name))}

    def keys(*path: str) -> set[str]:
        return set(properties(SCHEMA, KEYS[path] if path else SCHEMA))

    assert fields("Spec") - {"file", "locations", "verify_images"} == keys() - {"version", "verify"}
    assert keys("verify") == {"images"}
    for name, path in {
        "Target": ("target",),
        "DataSpec": ("data",),
        "DataSource": ("data", "calibration"),
        "Method": ("method",),
        "Search": ("search",),
        "KernelOptions": ("kernels",),
        "ProjectOptions": ("project",),
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
    filled = with_defaults(SCHEMA, SCHEMA, given)
    assert json.dumps(given) == before
    assert filled["search"] == {"seed": 5, "evaluations": 60, "workers": 1}
    assert filled["kernels"] == 3
    assert filled["other"] == []
    assert filled["verify"] == {"images": 20}
    assert "target" not in filled
    assert "data" not in filled


@pytest.mark.parametrize("keys", [keys for keys, schema in KEYS.items() if "enum" in schema and keys != ("version",)])
def test_every_choice_loads(tmp_path: Path, keys: tuple[str, ...]) -> None:
    for choice in KEYS[keys]["enum"]:
        kept = [line for line in GOOD.splitlines() if not line.startswith(keys[0])]
        name = "" if keys == ("method", "name") or keys[0] != "method" else "name: significance, "
        text = "\n".join([*kept, f"{keys[0]}: {{{name}{keys[1]}: {choice}}}", ""])
        spec = load_spec(write_folder(tmp_path, text))
        assert getattr(getattr(spec, keys[0]), keys[1]) == choice
