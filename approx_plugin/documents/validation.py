"""The JSON Schema's verdict on approx.yaml, in words for people: every mistake at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from approx_plugin.documents.reader import Document, Keys
from approx_plugin.documents.schema import Schema, properties, variants, walk
from approx_plugin.documents.wording import (
    TYPE_NAMES,
    describe,
    did_you_mean,
    dotted,
    enumeration,
    example,
    nearest,
    number_hint,
    purpose,
)
from approx_plugin.errors import Location, SpecError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


class Mistake(NamedTuple):
    """A mistake and the value it is about (for a missing key: where the value would be).

    meant: of an unknown key, the key that was meant.
    """

    keys: Keys
    error: SpecError
    meant: str = ""


class Failure(NamedTuple):
    """What the validator reports, as plain values.

    keys:     the value that fails.
    keyword:  the schema's keyword that it fails, expected: that keyword's value, schema: where it stands.
    instance: the failing value itself.
    form:     within the failure of a `oneOf`: which of the alternatives it belongs to.
    causes:   of a `oneOf`: what is wrong with each alternative.
    """

    keys: Keys
    keyword: str
    expected: Any
    instance: Any
    schema: Schema
    form: object
    causes: tuple[Any, ...]


def _failure(error: ValidationError) -> Failure:
    """The validator's error as plain values."""
    schema: Any = error.schema
    return Failure(
        keys=tuple(error.absolute_path),
        keyword=str(error.validator),
        expected=error.validator_value,
        instance=error.instance,
        schema=schema,
        form=error.relative_schema_path[0],
        causes=tuple(_failure(cause) for cause in error.context),
    )


class _Rewriter:
    """Turns the validator's failures about one document into mistakes."""

    def __init__(self, document: Document, root: Schema) -> None:
        self.document, self.root = document, root

    def mistakes(self, failure: Failure) -> Iterator[Mistake]:
        """What one failure means."""
        yield from REWRITERS[failure.keyword](self, failure)

    def of_value(self, failure: Failure, what: str, hint: str = "") -> Iterator[Mistake]:
        """A mistake of a value: `what` is wrong with it, what it is for, and what to do (else an example)."""
        keys = failure.keys
        key = keys[-1] if keys and isinstance(keys[-1], str) else ""
        hint = hint or example(key, failure.schema)
        where, why = self.document.where(keys), purpose(key, failure.schema)
        yield Mistake(keys, SpecError(f"{dotted(keys)} {what}", where=where, why=why, hint=hint))

    def other_type(self, failure: Failure) -> Iterator[Mistake]:
        """Another type than expected."""
        types = [failure.expected] if isinstance(failure.expected, str) else failure.expected
        yield from self.none_of_types(failure, types)

    def none_of_types(self, failure: Failure, types: list[str]) -> Iterator[Mistake]:
        """None of the types that would do."""
        value, inner = failure.instance, list(properties(self.root, failure.schema))
        if value is None:
            holds = f"; it may hold {enumeration(inner, 'and')}" if inner else ""
            yield from self.of_value(failure, "has no value", f"give it a value, or remove the key{holds}")
            return
        hint = ""
        if isinstance(value, str) and {"integer", "number"} & set(types):
            hint = number_hint(value)
        elif types == ["string"] and not isinstance(value, (dict, list)):
            hint = "write quotes around it if it is meant"
        elif types == ["object"]:
            hint = f"write its keys below it, one a line: {enumeration(inner, 'and')}"
        wanted = " or ".join(TYPE_NAMES[name] for name in types)
        yield from self.of_value(failure, f"is {describe(value)}, but has to be {wanted}", hint)

    def other_choice(self, failure: Failure) -> Iterator[Mistake]:
        """None of the values that there are."""
        value, allowed = failure.instance, failure.expected
        if value is None:
            yield from self.none_of_types(failure, ["string"])
            return
        hint = number_hint(value) if value in map(str, allowed) else did_you_mean(str(value), map(str, allowed))
        hint = hint or f"write {enumeration(allowed)}"
        yield from self.of_value(failure, f"is {describe(value)}, but has to be {enumeration(allowed)}", hint)

    def missing_keys(self, failure: Failure) -> Iterator[Mistake]:
        """Keys that must be there. The validator fails once a key without naming it: each time, all are given."""
        keys = failure.keys
        # The schema's condition on the method has no properties of its own: they are those of the whole file.
        known = properties(self.root, failure.schema) or properties(self.root, self.root)
        for key in failure.expected:
            if key not in failure.instance:
                what = f"the key '{key}' is missing{self.inside(keys)}"
                where, why = self.document.where(keys), purpose(key, known[key])
                hint = example(key, known[key]) or example(key, next(variants(self.root, known[key])))
                yield Mistake((*keys, key), SpecError(what, where=where, why=why, hint=hint))

    def unknown_keys(self, failure: Failure) -> Iterator[Mistake]:
        """Keys that nobody reads."""
        keys, known = failure.keys, properties(self.root, failure.schema)
        for key in failure.instance:
            if key not in known:
                what = f"unknown key '{key}'{self.inside(keys)}"
                where = self.document.keys.get((*keys, key), Location(self.document.file))
                meant = nearest(key.partition(":")[0], known)
                hint = self.unknown_hint(keys, key, meant, known)
                yield Mistake((*keys, key), SpecError(what, where=where, hint=hint), meant)

    def unknown_hint(self, keys: Keys, key: str, meant: str, known: dict[str, Schema]) -> str:
        """What to do about an unknown key: it is glued to its value, misspelt, or at the wrong level."""
        if meant and ":" in key:
            return f"write a space behind the colon: '{meant}: {key.partition(':')[2]}'"
        if meant:
            return f"Did you mean '{meant}'?"
        homes = [path[:-1] for path, _ in walk(self.root, self.root) if path[-1] == key and path[:-1] != keys]
        if homes:
            names = dict.fromkeys(dotted(path) if path else "the top level" for path in homes)
            return f"'{key}' belongs to {enumeration(names)}: check the indentation"
        return f"the keys here are {enumeration(known, 'and')}"

    def inside(self, keys: Keys) -> str:
        """In which map a key stands, nothing for the outermost."""
        return f" in {dotted(keys)}" if keys else ""

    def beyond_limit(self, failure: Failure) -> Iterator[Mistake]:
        """A number beyond a limit."""
        limit = f"{LIMITS[failure.keyword]} {failure.expected}"
        yield from self.of_value(failure, f"is {failure.instance}, but has to be {limit}")

    def empty(self, failure: Failure) -> Iterator[Mistake]:
        """An empty text, list or map."""
        yield from self.of_value(failure, "is empty")

    def too_many_keys(self, failure: Failure) -> Iterator[Mistake]:
        """More keys than may stand together. Keys that do not exist have their own message."""
        known = [key for key in failure.instance if key in failure.schema["properties"]]
        if len(known) > failure.expected:
            what = f"has {enumeration(known, 'and')}, but only one of them can hold"
            yield from self.of_value(failure, what, "remove one of them")

    def too_long(self, failure: Failure) -> Iterator[Mistake]:
        """A text of too many characters."""
        yield from self.of_value(failure, f"has more than {failure.expected} characters")

    def other_characters(self, failure: Failure) -> Iterator[Mistake]:
        """A text with characters that it may not have."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", failure.instance).strip("_")
        hint = f"Did you mean '{plain}'?" if plain else ""
        what = f"is {describe(failure.instance)}, which has characters that are not allowed"
        yield from self.of_value(failure, what, hint)

    def repeated_item(self, failure: Failure) -> Iterator[Mistake]:
        """A list that names something twice."""
        items = failure.instance
        twice = next(item for index, item in enumerate(items) if item in items[:index])
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
    "minLength": _Rewriter.empty,
    "minItems": _Rewriter.empty,
    "minProperties": _Rewriter.empty,
    "maxProperties": _Rewriter.too_many_keys,
    "maxLength": _Rewriter.too_long,
    "pattern": _Rewriter.other_characters,
    "uniqueItems": _Rewriter.repeated_item,
    "oneOf": _Rewriter.no_form,
}
"""Every keyword of the schema that can fail."""


def schema_mistakes(document: Document, root: Schema) -> list[Mistake]:
    """Every mistake that the schema finds, one a value, without those that follow from others.

    A value that could not be read has had its message; a missing key needs none if an unknown one was meant to be it.
    """
    # Imported here: it costs more time than all the rest, and a start without a spec (scons -h) need not pay for it.
    from jsonschema import Draft7Validator

    rewriter = _Rewriter(document, root)
    found: dict[Keys, Mistake] = {}
    for error in Draft7Validator(root).iter_errors(document.value):
        for mistake in rewriter.mistakes(_failure(error)):
            if mistake.keys not in document.broken:
                found.setdefault(mistake.keys, mistake)
    meant = {(*mistake.keys[:-1], mistake.meant) for mistake in found.values() if mistake.meant}
    return [m for m in found.values() if m.keys not in meant or m.keys in document.locations]
