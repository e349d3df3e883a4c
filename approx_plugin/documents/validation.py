"""The JSON Schema's verdict on a document, in words for people: every mistake at once, each with its place."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Callable, NamedTuple

from approx_plugin.documents.document import Document, Keys
from approx_plugin.documents.schema import Schema, annotation, properties, variants, walk
from approx_plugin.documents.validator import Failure, failures, repeated
from approx_plugin.documents.wording import (
    TYPE_NAMES,
    counted,
    describe,
    did_you_mean,
    dotted,
    enumeration,
    example,
    nearest,
    number_hint,
    purpose,
)
from approx_plugin.errors import ApproxError, Location

MAX_HOMES = 3
"""A key that more maps have says nothing about where it was meant to stand."""


class Mistake(NamedTuple):
    """A mistake and the value it is about (for a missing key: where the value would be).

    meant: of an unknown key, the key that was meant.
    """

    keys: Keys
    error: ApproxError
    meant: str = ""


class _Rewriter:
    """Turns the validator's failures about one document into mistakes."""

    def __init__(self, document: Document, root: Schema, remedy: str) -> None:
        self.document, self.root, self.remedy = document, root, remedy

    def mistakes(self, failure: Failure) -> Iterator[Mistake]:
        """What one failure means."""
        yield from REWRITERS[failure.keyword](self, failure)

    def mistake(self, keys: Keys, what: str, where: Location, hint: str, meant: str = "") -> Mistake:
        """A mistake of a value or a key: what the value is for, and what to do (else the remedy, else an example)."""
        key = keys[-1] if keys and isinstance(keys[-1], str) else ""
        why = purpose(key, annotation(self.root, keys, "description"))
        hint = hint or self.remedy or self.example(keys)
        return Mistake(keys, self.document.error(what, where=where, why=why, hint=hint), meant)

    def example(self, keys: Keys) -> str:
        """How a value is written; nothing if the schema has no example."""
        examples = annotation(self.root, keys, "examples")
        return example(keys, examples[0], self.is_address) if examples else ""

    def is_address(self, keys: Keys) -> bool:
        """Whether a number is an address or a register's content."""
        return bool(annotation(self.root, keys, "format") == "hexadecimal")

    def of_value(self, failure: Failure, what: str, hint: str = "") -> Iterator[Mistake]:
        """A mistake of a value: `what` is wrong with it."""
        keys = failure.keys
        yield self.mistake(keys, f"{dotted(keys)} {what}", self.document.where(keys), hint)

    def other_type(self, failure: Failure) -> Iterator[Mistake]:
        """Another type than expected."""
        types = [failure.expected] if isinstance(failure.expected, str) else failure.expected
        yield from self.none_of_types(failure, types)

    def none_of_types(self, failure: Failure, types: list[str]) -> Iterator[Mistake]:
        """None of the types that would do."""
        value, inner = failure.instance, list(properties(self.root, failure.schema))
        if value is None and not failure.keys:
            yield self.mistake((), "the file is empty", Location(self.document.file), self.beginning())
        elif value is None:
            holds = f"; it may hold {enumeration(inner, 'and')}" if inner else ""
            hint = self.remedy or f"give it a value, or remove the key{holds}"
            yield from self.of_value(failure, "has no value", hint)
        else:
            hint = ""
            if isinstance(value, str) and {"integer", "number"} & set(types):
                hint = number_hint(value)
            elif types == ["string"] and not isinstance(value, (dict, list)):
                hint = "write quotes around it if it is meant"
            elif types == ["object"] and inner:
                hint = self.remedy or f"write its keys below it, one a line: {enumeration(inner, 'and')}"
            wanted = " or ".join(TYPE_NAMES[name] for name in types)
            yield from self.of_value(failure, f"is {describe(value)}, but has to be {wanted}", hint)

    def beginning(self) -> str:
        """How a file begins: with the first keys that it must have."""
        first = [f"{key}:" for key in self.root.get("required", ())[:2]]
        return f"start with the line{'s' * (len(first) - 1)} {enumeration(first, 'and')}" if first else ""

    def other_choice(self, failure: Failure) -> Iterator[Mistake]:
        """None of the values that there are."""
        value, allowed = failure.instance, failure.expected
        if value is None:
            yield from self.none_of_types(failure, ["string"])
            return
        hint = ""
        if isinstance(value, str):
            hint = number_hint(value) if value in map(str, allowed) else did_you_mean(value, map(str, allowed))
        yield from self.of_value(failure, f"is {describe(value)}, but has to be {enumeration(allowed)}", hint)

    def missing_keys(self, failure: Failure) -> Iterator[Mistake]:
        """Keys that must be there. The validator fails once a key without naming it: each time, all are given."""
        for key in failure.expected:
            if key not in failure.instance:
                what = f"the key '{key}' is missing{self.inside(failure.keys)}"
                yield self.mistake((*failure.keys, key), what, self.document.where(failure.keys), "")

    def unknown_keys(self, failure: Failure) -> Iterator[Mistake]:
        """Keys that nobody reads."""
        keys, known = failure.keys, properties(self.root, failure.schema)
        patterns = failure.schema.get("patternProperties", {})
        for key in failure.instance:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                where = self.document.keys.get((*keys, key), Location(self.document.file))
                meant = "" if self.homes[key] else nearest(key.partition(":")[0], known)
                hint = self.unknown_hint(keys, key, meant, known)
                yield self.mistake((*keys, key), f"unknown key '{key}'{self.inside(keys)}", where, hint, meant)

    def unknown_hint(self, keys: Keys, key: str, meant: str, known: Mapping[str, Schema]) -> str:
        """What to do about an unknown key: it is glued to its value, misspelt, or at the wrong level."""
        if meant and ":" in key:
            return f"write a space after the colon: '{meant}: {key.partition(':')[2]}'"
        if meant:
            return f"Did you mean '{meant}'?"
        homes = [home for home in self.homes[key] if home != dotted(keys)]
        if 0 < len(homes) <= MAX_HOMES:
            return f"'{key}' belongs to {enumeration(homes)}: check the indentation"
        if not known:
            return self.remedy or self.example(keys)
        return self.remedy or f"the keys here are {enumeration(known, 'and')}"

    @functools.cached_property
    def homes(self) -> Mapping[str, list[str]]:
        """Key -> the maps that may have it (of one within another, the outer one)."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for path, _ in walk(self.root, self.root):
            homes = found[path[-1]]
            if not any(dotted(path[:-1]).startswith(f"{outer}.") for outer in homes):
                homes[dotted(path[:-1]) if path[:-1] else "the top level"] = None
        return defaultdict(list, {key: list(homes) for key, homes in found.items()})

    def inside(self, keys: Keys) -> str:
        """In which map a key stands, nothing for the outermost."""
        return f" in {dotted(keys)}" if keys else ""

    def beyond_limit(self, failure: Failure) -> Iterator[Mistake]:
        """A number beyond a limit."""
        value, limit = failure.instance, failure.expected
        if self.is_address(failure.keys):
            value, limit = (f"{int(number):#x}" for number in (value, limit))
        yield from self.of_value(failure, f"is {value}, but has to be {LIMITS[failure.keyword]} {limit}")

    def too_short(self, failure: Failure) -> Iterator[Mistake]:
        """An empty text, list or map, or a list of too few items."""
        if failure.instance:
            what = f"has {counted(len(failure.instance), 'item')}, but needs at least {failure.expected}"
            yield from self.of_value(failure, what)
        else:
            yield from self.of_value(failure, "is empty")

    def too_many_keys(self, failure: Failure) -> Iterator[Mistake]:
        """More keys than may stand together. Keys that do not exist have their own message."""
        choices = failure.schema.get("properties")
        known = [key for key in failure.instance if choices is None or key in choices]
        if choices is None:
            what = f"has {counted(len(known), 'entry')}, but there can be no more than {failure.expected}"
            yield from self.of_value(failure, what, "remove some of them")
        elif len(known) > failure.expected:
            what = f"has {enumeration(known, 'and')}, but only one of them can hold"
            yield from self.of_value(failure, what, "remove one of them")

    def too_long(self, failure: Failure) -> Iterator[Mistake]:
        """A text of too many characters."""
        yield from self.of_value(failure, f"has more than {failure.expected} characters")

    def too_many_items(self, failure: Failure) -> Iterator[Mistake]:
        """A list of too many items."""
        what = f"has {counted(len(failure.instance), 'item')}, but there can be no more than {failure.expected}"
        yield from self.of_value(failure, what, "remove some of them")

    def other_pattern(self, failure: Failure) -> Iterator[Mistake]:
        """A text of another form than expected; the schema says in words which one that is."""
        wanted = annotation(self.root, failure.keys, "patternErrorMessage")
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", failure.instance).strip("_-")
        near = plain if re.search(failure.expected, plain) else ""
        hint = f"Did you mean '{near}'?" if near else ""
        yield from self.of_value(failure, f"is {describe(failure.instance)}, but has to be {wanted}", hint)

    def repeated_item(self, failure: Failure) -> Iterator[Mistake]:
        """A list that names something twice."""
        twice = failure.instance[repeated(failure.instance)]
        yield from self.of_value(failure, f"names {describe(twice)} more than once", "remove one of them")

    def no_form(self, failure: Failure) -> Iterator[Mistake]:
        """None of several forms: the mistakes within the form whose type it has, or the types that there are."""
        here = failure.keys
        other = {cause.form for cause in failure.causes if cause.keyword == "type" and cause.keys == here}
        causes = [cause for cause in failure.causes if cause.form not in other]
        for cause in causes:
            yield from self.mistakes(cause)
        if not causes:
            yield from self.none_of_types(failure, [form["type"] for form in variants(self.root, failure.schema)])


LIMITS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}

REWRITERS: dict[str, Callable[[_Rewriter, Failure], Iterator[Mistake]]] = {
    "type": _Rewriter.other_type,
    "enum": _Rewriter.other_choice,
    "required": _Rewriter.missing_keys,
    "additionalProperties": _Rewriter.unknown_keys,
    "minimum": _Rewriter.beyond_limit,
    "maximum": _Rewriter.beyond_limit,
    "exclusiveMinimum": _Rewriter.beyond_limit,
    "minLength": _Rewriter.too_short,
    "minItems": _Rewriter.too_short,
    "minProperties": _Rewriter.too_short,
    "maxProperties": _Rewriter.too_many_keys,
    "maxLength": _Rewriter.too_long,
    "maxItems": _Rewriter.too_many_items,
    "pattern": _Rewriter.other_pattern,
    "uniqueItems": _Rewriter.repeated_item,
    "oneOf": _Rewriter.no_form,
}
"""Every keyword of the schemas that can fail."""


def schema_mistakes(document: Document, root: Schema, remedy: str = "") -> list[Mistake]:
    """Every mistake that the schema finds, one a value, without those that follow from others.

    A value that could not be read has had its message; a missing key needs none if an unknown one was meant to be it.
    remedy: what to do about a mistake where nothing better is known, in the place of the schema's examples.
    """
    rewriter = _Rewriter(document, root, remedy)
    found: dict[Keys, Mistake] = {}
    for failure in failures(root, document.value):
        for mistake in rewriter.mistakes(failure):
            if mistake.keys not in document.broken:
                found.setdefault(mistake.keys, mistake)
    meant = {(*mistake.keys[:-1], mistake.meant) for mistake in found.values() if mistake.meant}
    return [m for m in found.values() if m.keys not in meant or m.keys in document.locations]
