"""How messages about approx.yaml name keys, values and choices."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from approx_plugin.documents.reader import Keys
from approx_plugin.documents.schema import Schema

TYPE_NAMES = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}

AMOUNT = re.compile(r"\s*([-+]?)0*([0-9][0-9_]*(?:\.[0-9]+|,(?![0-9]{3}\b)[0-9]+)?)\s*(?:%|[a-z]+(?: [a-z]+)?)?\s*")
"""What people write where a number is expected: with a unit behind it, with _ or a decimal comma (not 1,000) in it."""


def dotted(keys: Keys) -> str:
    """The name of a value in messages: "data.calibration.file", "method.layers[0]"."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text or "the file"


def describe(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 60 else value[:57] + '...'}'"
    if isinstance(value, bool):
        return str(value).lower()
    return f"the number {value}"


def enumeration(words: Iterable[Any], last: str = "or") -> str:
    """'a', 'b' or 'c' (numbers without quotes)."""
    items = [f"'{word}'" if isinstance(word, str) else str(word) for word in words]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was meant to be, or nothing."""
    by_folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_folded, n=1)
    return by_folded[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question that names it, or nothing."""
    near = nearest(word, known)
    return f"Did you mean '{near}'?" if near else ""


def purpose(key: str, schema: Schema) -> str:
    """What a key is for: the first sentence of its description."""
    sentence = str(schema.get("description", "")).split(". ")[0].rstrip(".")
    return f"{key}: {sentence[:1].lower()}{sentence[1:]}" if key and sentence else ""


def example(key: str, schema: Schema) -> str:
    """How a key (or a list's item, which has none) is written; nothing if the schema has no example."""
    examples = schema.get("examples", [])
    if not examples:
        return ""
    return f"write for example  {key}: {_flow(examples[0])}" if key else f"write for example  {_flow(examples[0])}"


def _flow(value: Any) -> str:
    """A value as YAML in one line (only what the schema's examples need)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def number_hint(text: str) -> str:
    """What to write instead of a text where a number is expected, nothing if it is not plain."""
    amount = AMOUNT.fullmatch(text)
    if not amount:
        return ""
    number = "".join(amount.groups()).replace("_", "").replace(",", ".")
    return f"write {number}" + (" without quotes" if text == number else "")
