"""The JSON Schemas (draft-07): the one place that knows the keys of a kind of file, their types, limits and defaults.

Of the language only what the schemas below schemas/ use is understood here: `properties`, `patternProperties`,
`additionalProperties`, `items`, `$ref` within the file, and `oneOf`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from approx_plugin.documents.document import Keys
from approx_plugin.resources import resource_root

Schema = Mapping[str, Any]

NAME = "<name>"
"""In the place of a key that the file chooses, in `walk`."""


def load_schema(name: str) -> Schema:
    """The schema `name` ("approx") as plain values."""
    file = resource_root() / "schemas" / f"{name}.schema.json"
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


def entries(schema: Schema) -> list[tuple[str, Schema]]:
    """Of a schema without indirections: patterns of keys that the file may choose, with the schemas of their values."""
    found = list(schema.get("patternProperties", {}).items())
    others = schema.get("additionalProperties")
    return [*found, ("", others)] if isinstance(others, Mapping) else found


def inner(root: Schema, schema: Schema, key: str | int) -> Iterator[Schema]:
    """The schemas of the value that a map has under `key`, or a list at that index."""
    for variant in variants(root, schema):
        if isinstance(key, int):
            if "items" in variant:
                yield variant["items"]
        elif key in variant.get("properties", {}):
            yield variant["properties"][key]
        else:
            yield from (found for pattern, found in entries(variant) if re.search(pattern, key))


def annotation(root: Schema, keys: Keys, word: str) -> Any:
    """What the schema says about a value beside its rules ("description", "examples"); None if it says nothing.

    What stands beside a `$ref` speaks of this value and goes before what stands at its target.
    """
    found = [root]
    for key in keys:
        found = [deeper for schema in found for deeper in inner(root, schema, key)]
    told = [*found, *(variant for schema in found for variant in variants(root, schema))]
    return next((schema[word] for schema in told if word in schema), None)


def walk(root: Schema, schema: Schema, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every key of the layout with its schema, outer ones first; NAME stands for keys that the file chooses."""
    named = list(properties(root, schema).items())
    chosen = [(NAME, found) for variant in variants(root, schema) for _, found in entries(variant)]
    for key, deeper in [*named, *chosen]:
        yield (*keys, key), deeper
        yield from walk(root, deeper, (*keys, key))


def filled(root: Schema, schema: Schema, value: Any) -> Any:
    """`value` with the schema's default for every key that it leaves out, and every whole number as int (3.0 is 3)."""
    if isinstance(value, list):
        return [filled(root, next(inner(root, schema, index), {}), item) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        whole = isinstance(value, float) and value.is_integer()
        counts = any("integer" in variant.get("type", ()) for variant in variants(root, schema))
        return int(value) if whole and counts else value
    full = {key: filled(root, next(inner(root, schema, key), {}), item) for key, item in value.items()}
    required = {key for variant in variants(root, schema) for key in variant.get("required", ())}
    for key, deeper in properties(root, schema).items():
        if key in full or key in required:
            continue
        if "default" in deeper:
            full[key] = deeper["default"]
        elif _optional(root, deeper):
            full[key] = filled(root, deeper, {})
    return full


def _optional(root: Schema, schema: Schema) -> bool:
    """Whether a map that is left out means a map of defaults: all that it holds may be left out."""
    return any(
        variant.get("type") == "object" and "required" not in variant and "minProperties" not in variant
        for variant in variants(root, schema)
    )


def closed(schema: Schema, names: Iterable[str], optional: bool = False) -> Schema:
    """A map whose keys its schema leaves to the file, for code that knows them: all of `names` and no others.

    optional: some of them may be missing.
    """
    others = schema["additionalProperties"]
    named = dict.fromkeys(names, others)
    required = [*schema.get("required", ()), *(() if optional else named)]
    inner = {**schema.get("properties", {}), **named}
    return {**schema, "properties": inner, "required": required, "additionalProperties": False}
