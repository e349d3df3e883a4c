"""How messages about documents name keys, values and choices."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from approx_plugin.documents.document import Keys

TYPE_NAMES = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}

AMOUNT = re.compile(r"([-+]?)([0-9][0-9_]*(?:\.[0-9]+|,(?![0-9]{3}\b)[0-9]+)?)\s*(?:%|[a-z]+(?: [a-z]+)?)?")
"""What people write where a number is expected: with a unit behind it, with _ or a decimal comma (not 1,000) in it."""

AMOUNT_LENGTH = 60
"""Nobody means a number by a longer text."""

WORD_LENGTH = 60
"""Nothing is called by a longer word."""


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


def counted(count: int, noun: str) -> str:
    """'1 item', '2 items', '2 entries'."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was meant to be, or nothing."""
    if len(word) > WORD_LENGTH:
        return ""
    by_folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_folded, n=1)
    return by_folded[near[0]] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question that names it, or nothing."""
    near = nearest(word, known)
    return f"Did you mean '{near}'?" if near else ""


def purpose(key: str, description: str | None) -> str:
    """What a key is for: the first sentence of its description."""
    sentence = (description or "").split(". ")[0].rstrip(".")
    if not key or not sentence:
        return ""
    is_word = sentence[1:2].islower() or sentence[1:2] == " "
    return f"{key}: {sentence[0].lower() if is_word else sentence[0]}{sentence[1:]}"


def example(keys: Keys, value: Any, is_address: Callable[[Keys], bool]) -> str:
    """How a key (or a list's item, which has none) is written. is_address: whether a number is written as 0x..."""
    key = keys[-1] if keys and isinstance(keys[-1], str) else ""
    flow = _flow(keys, value, is_address)
    return f"write for example  {key}: {flow}" if key else f"write for example  {flow}"


def _flow(keys: Keys, value: Any, is_address: Callable[[Keys], bool]) -> str:
    """A value as YAML in one line (only what the schemas' examples need)."""
    if isinstance(value, dict):
        pairs = (f"{key}: {_flow((*keys, key), inner, is_address)}" for key, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow((*keys, index), inner, is_address) for index, inner in enumerate(value)) + "]"
    if isinstance(value, str):
        return f'"{value}"' if any(sign in value for sign in (": ", ", ", " #")) else value
    if isinstance(value, int) and not isinstance(value, bool) and is_address(keys):
        return address(value)
    return str(value).lower()


def address(value: int) -> str:
    """A number as board.yaml writes addresses and registers: 0x08000000."""
    return f"{value:#010x}"


def number_hint(text: str) -> str:
    """What to write instead of a text where a number is expected, nothing if it is not plain."""
    amount = AMOUNT.fullmatch(text.strip()) if len(text) <= AMOUNT_LENGTH else None
    if not amount:
        return ""
    sign, digits = amount.groups()
    number = sign + (re.sub(r"^0+(?=[0-9])", "", digits.replace("_", "")).replace(",", "."))
    return f"write {number}" + (" without quotes" if text == number else "")
