"""Strict YAML: text to plain values, with the place of everything, and without the traps of YAML 1.1.

PyYAML's events (its parser, not its constructors) are composed here, so that

- a key that stands twice, an anchor, an alias, a tag, a merge key or a second document is an error, not a surprise;
- plain scalars mean what they mean in YAML 1.2: `yes`, `on` and `12:30` are text, `1e3` is 1000.0;
- `010` (8 for some readers, 10 for others), `.inf` and `.nan` are errors that say what to write.

A syntax error ends the reading; all other mistakes are collected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import yaml

from approx_plugin.documents.syntax import syntax_error
from approx_plugin.errors import Location, SpecError, raise_all

Keys = tuple[Union[str, int], ...]
"""The way from the root to a value: keys of maps and indexes of lists."""

MAX_BYTES = 1 << 18
"""A file of more bytes is not a hand-written one (a model was given, perhaps): it is not parsed."""

MAX_DEPTH = 16
"""Deeper nesting has no meaning here; PyYAML's time grows with the square of the depth, and our stack is finite."""

MAX_DIGITS = 25
"""Longer integers have no meaning here, and Python refuses to convert very long ones."""

NULL = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
LEADING_ZERO = re.compile(r"([-+]?)0+([0-9]+)")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Document:
    """A file that was read.

    file:   the file as the caller named it.
    value:  dict, list, str, int, float, bool or None, nested.
    locations: the place of every value: where a scalar starts, where the key of a map or list stands.
    keys:   where the key of every value of a map stands.
    broken: the values that could not be read (they are None in `value`); `errors` says why.
    """

    file: str
    value: Any
    locations: dict[Keys, Location]
    keys: dict[Keys, Location]
    broken: frozenset[Keys]
    errors: tuple[SpecError, ...]

    def where(self, keys: Keys) -> Location:
        """The place of a value, or of the nearest enclosing one that the file has."""
        while keys and keys not in self.locations:
            keys = keys[:-1]
        return self.locations.get(keys, Location(self.file))


class _ScalarError(Exception):
    """A plain scalar that nobody reads the same way."""

    def __init__(self, what: str, why: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.why, self.hint = what, why, hint


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means. Raises _ScalarError."""
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if NOT_FINITE.fullmatch(text):
        raise _ScalarError(f"'{text}' is no finite number", "", "write a number, or quotes around it if it is text")
    zeros = LEADING_ZERO.fullmatch(text)
    if zeros:
        decimal = zeros.group(1) + (zeros.group(2).lstrip("0") or "0")
        raise _ScalarError(
            f"'{text}' starts with 0",
            "some YAML readers take that for an octal number, others for a decimal one",
            f"write {decimal}, or quotes around it if it is text",
        )
    if INTEGER.fullmatch(text) or BASED.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise _ScalarError(
                f"'{text[:MAX_DIGITS]}...' has more than {MAX_DIGITS} digits", "", "write a smaller number"
            )
        return int(text, 0)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise _ScalarError(f"'{text[:MAX_DIGITS]}' is too large for a number", "", "write a smaller number")
        return number
    return text


class _Composer:
    """Turns the events of one document into plain values, and remembers places and mistakes."""

    def __init__(self, file: str, events: Iterator[yaml.Event], errors: list[SpecError]) -> None:
        self.file, self.events = file, self.limited(events)
        self.locations: dict[Keys, Location] = {}
        self.keys: dict[Keys, Location] = {}
        self.broken: set[Keys] = set()
        self.errors = errors

    def place(self, event: yaml.Event) -> Location:
        """Where an event starts."""
        mark = event.start_mark
        assert mark
        return Location(self.file, mark.line + 1, mark.column + 1)

    def limited(self, events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
        """The events, up to the first that is nested too deeply. Raises SpecError there."""
        depth = 0
        for event in events:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                what = f"this is nested more than {MAX_DEPTH} levels deep"
                raise SpecError(what, where=self.place(event), hint="check the brackets")
            yield event

    def mistake(self, event: yaml.Event, what: str, why: str = "", hint: str = "") -> None:
        """Note a mistake at an event."""
        self.errors.append(SpecError(what, where=self.place(event), why=why, hint=hint))

    def stream(self) -> Any:
        """The value of the only document; None if there is none."""
        value: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.mistake(event, "a second document starts here", hint="remove the '---' and what is below it")
                    return value
                value = self.node(next(self.events), ())
        return value

    def node(self, event: yaml.Event, keys: Keys) -> Any:
        """The value that starts with `event`."""
        inside = isinstance(event, yaml.CollectionStartEvent) and keys in self.keys
        self.locations[keys] = self.keys[keys] if inside else self.place(event)
        if isinstance(event, yaml.AliasEvent):
            self.broken.add(keys)
            self.mistake(event, f"'*{event.anchor}' is an alias", hint="write the value out; aliases are not used here")
            return None
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        if event.anchor:
            self.mistake(event, f"'&{event.anchor}' is an anchor", hint="remove it; anchors are not used here")
        if event.tag:
            self.broken.add(keys)
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.mistake(event, f"'{tag}' is a tag", hint="remove it; tags are not used here")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, keys)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(keys)
        return self.mapping(keys)

    def scalar(self, event: yaml.ScalarEvent, keys: Keys) -> Any:
        """A scalar: quoted or in a block it is text, plain it is what it looks like."""
        control = CONTROL.search(event.value)
        if control:
            self.broken.add(keys)
            self.mistake(
                event,
                f"this text holds a line break or a control character (U+{ord(control.group()):04X})",
                hint="write it on one line, without escapes",
            )
            return None
        if event.style:
            return event.value
        try:
            return plain_value(event.value)
        except _ScalarError as error:
            self.broken.add(keys)
            self.mistake(event, error.what, error.why, error.hint)
            return None

    def sequence(self, keys: Keys) -> list[Any]:
        """The items up to the end of the list."""
        items: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.node(event, (*keys, len(items))))
        return items

    def mapping(self, keys: Keys) -> dict[str, Any]:
        """The pairs up to the end of the map. Of a key that stands twice the first one counts."""
        pairs: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event)
            value = next(self.events)
            if key is None:
                self.skip(value)
                continue
            inner = (*keys, key)
            if key in pairs:
                what, why = f"the key '{key}' stands here again", f"it stands in line {self.keys[inner].line} already"
                self.mistake(event, what, why, "remove one of them")
                self.skip(value)
                continue
            self.keys[inner] = self.place(event)
            pairs[key] = self.node(value, inner)
        return pairs

    def key(self, event: yaml.Event) -> str | None:
        """The text of a key, None (and a mistake) if it cannot be one."""
        if not isinstance(event, yaml.ScalarEvent):
            self.mistake(event, "a key is a single word", hint="write 'key: value'")
            self.skip(event)
            return None
        if event.anchor or event.tag:
            self.mistake(event, "a key has neither an anchor nor a tag", hint="write 'key: value'")
        if event.value == "<<":
            self.mistake(event, "'<<' is a merge key", hint="write the values out; merge keys are not used here")
            return None
        if CONTROL.search(event.value):
            self.mistake(
                event, "this key holds a line break or a control character", hint="write 'key: value' on one line"
            )
            return None
        return event.value

    def skip(self, event: yaml.Event) -> None:
        """Leave out the value that starts with `event`."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if not depth:
                return
            event = next(self.events)


def in_order(errors: Iterable[SpecError]) -> list[SpecError]:
    """Mistakes of one file as they stand in it."""

    def position(error: SpecError) -> tuple[int, int]:
        return (error.where.line, error.where.column) if isinstance(error.where, Location) else (0, 0)

    return sorted(errors, key=position)


def decode(file: str, content: bytes) -> str:
    """The text of a file's bytes. Raises SpecError with the place of the first byte that is no UTF-8."""
    hint = "save the file as UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError("the file is UTF-16", where=file, hint=hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        begin = error.object.rfind(b"\n", 0, error.start) + 1
        column = len(error.object[begin : error.start].decode("utf-8")) + 1
        raise SpecError(
            f"byte 0x{error.object[error.start]:02x} is no UTF-8 text", where=Location(file, line, column), hint=hint
        ) from None


def compose(file: str, text: str) -> Document:
    """The values of a YAML text. Raises SpecError (or several) for what is no YAML at all."""
    errors: list[SpecError] = []
    try:
        composer = _Composer(file, yaml.parse(text, Loader=yaml.SafeLoader), errors)
        value = composer.stream()
    except SpecError as error:
        raise_all(in_order([*errors, error]))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets Python's own complaints through: "\U00110000" and a %YAML version of a thousand digits.
        raise_all(in_order([*errors, syntax_error(file, text, error)]))
    return Document(file, value, composer.locations, composer.keys, frozenset(composer.broken), tuple(composer.errors))


def read(path: Path) -> Document:
    """Read a YAML file. Raises SpecError if it cannot be read or is no YAML."""
    file = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"the file is larger than {MAX_BYTES // 1024} KiB", where=file, hint="give an approx.yaml")
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(
            "there is no such file", where=file, hint="check the path; the file is called approx.yaml"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"the file cannot be read: {reason}", where=file, hint="give an approx.yaml") from None
    return compose(file, decode(file, content))
