"""The JSON Schema of approx.yaml: the one place that knows its keys, their types, limits and defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from approx_plugin.resources import resource_root

Schema = Mapping[str, Any]


def load_schema() -> Schema:
    """The schema as plain values."""
    file = resource_root() / "schemas" / "approx.schema.json"
    schema: Schema = json.loads(file.read_text(encoding="utf-8"))
    return schema


def variants(root: Schema, schema: Schema) -> Iterator[Schema]:
    """A schema without its indirections: what it refers to, each of its alternatives, or itself."""
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        yield from variants(root, target)
    elif "oneOf" in schema:
        for alternative in schema["oneOf"]:
            yield from variants(root, alternative)
    else:
        yield schema


def properties(root: Schema, schema: Schema) -> dict[str, Schema]:
    """The keys that a map of this schema may have, each with the schema of its value."""
    found: dict[str, Schema] = {}
    for variant in variants(root, schema):
        found.update(variant.get("properties", {}))
    return found


def walk(root: Schema, schema: Schema, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every key of the layout with its schema, outer ones first."""
    for key, inner in properties(root, schema).items():
        yield (*keys, key), inner
        yield from walk(root, inner, (*keys, key))


def with_defaults(root: Schema, schema: Schema, value: Any) -> Any:
    """`value` with the schema's default for every key that it leaves out; anything but a map is kept as it is."""
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for key, inner in properties(root, schema).items():
        if key not in filled and "default" in inner:
            filled[key] = inner["default"]
        elif key in filled or _optional(root, inner):
            filled[key] = with_defaults(root, inner, filled.get(key, {}))
    return filled


def _optional(root: Schema, schema: Schema) -> bool:
    """Whether a map that is left out means a map of defaults: all that it holds may be left out."""
    return any(
        variant.get("type") == "object" and "required" not in variant and "minProperties" not in variant
        for variant in variants(root, schema)
    )
