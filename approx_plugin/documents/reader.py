"""Strict YAML: text to a `Document`, without the traps of YAML 1.1.

PyYAML's events (its parser, not its constructors) are composed here, so that

- a key that stands twice, an anchor, an alias, a tag, a merge key or a second document is an error, not a surprise;
- plain scalars mean what `scalars` says.

A syntax error ends the reading; all other mistakes are collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from approx_plugin.documents.document import Document, Keys, in_order
from approx_plugin.documents.scalars import ScalarError, plain_value
from approx_plugin.documents.syntax import syntax_error
from approx_plugin.errors import ApproxError, Location, raise_all
from approx_plugin.files import read_bytes

MAX_BYTES = 1 << 18
"""A file of more bytes is not a hand-written one (a model was given, perhaps): it is not parsed."""

MAX_VALUES = 5_000
"""Keys and values of a file: more have no meaning here, and every one of them takes time and may get a message."""

MAX_DEPTH = 16
"""Deeper nesting has no meaning here; PyYAML's time grows with the square of the depth, and our stack is finite."""

CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class _Composer:
    """Turns the events of one document into plain values, and remembers places and mistakes."""

    def __init__(self, file: str, events: Iterator[yaml.Event], error: type[ApproxError]) -> None:
        self.file, self.events, self.error = file, self.limited(events), error
        self.locations: dict[Keys, Location] = {}
        self.keys: dict[Keys, Location] = {}
        self.broken: set[Keys] = set()
        self.errors: list[ApproxError] = []

    def place(self, event: yaml.Event) -> Location:
        """Where an event starts."""
        mark = event.start_mark
        assert mark
        return Location(self.file, mark.line + 1, mark.column + 1)

    def limited(self, events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
        """The events, up to the first that is one too many or nested too deeply. Raises the error there."""
        depth = values = 0
        for event in events:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            values += isinstance(event, yaml.NodeEvent)
            if depth > MAX_DEPTH:
                what = f"this is nested more than {MAX_DEPTH} levels deep"
                raise self.error(what, where=self.place(event), hint="check the brackets")
            if values > MAX_VALUES:
                what = f"the file holds more than {MAX_VALUES} values"
                raise self.error(what, where=self.place(event), hint="remove what nobody needs")
            yield event

    def mistake(self, event: yaml.Event, what: str, why: str = "", hint: str = "") -> None:
        """Note a mistake at an event."""
        self.errors.append(self.error(what, where=self.place(event), why=why, hint=hint))

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
        except ScalarError as error:
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


def decode(file: str, content: bytes, error: type[ApproxError]) -> str:
    """The text of a file's bytes. Raises `error` with the place of the first byte that is no UTF-8."""
    hint = "save the file as UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise error("the file is UTF-16", where=file, hint=hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as found:
        line = found.object.count(b"\n", 0, found.start) + 1
        begin = found.object.rfind(b"\n", 0, found.start) + 1
        column = len(found.object[begin : found.start].decode("utf-8")) + 1
        what = f"byte 0x{found.object[found.start]:02x} is no UTF-8 text"
        raise error(what, where=Location(file, line, column), hint=hint) from None


def compose(file: str, text: str, error: type[ApproxError]) -> Document:
    """The values of a YAML text. error: the class of its mistakes; raises it, or several, for what is no YAML."""
    composer = _Composer(file, yaml.parse(text, Loader=yaml.SafeLoader), error)
    try:
        value = composer.stream()
    except (ApproxError, yaml.YAMLError, ValueError, OverflowError) as found:
        # PyYAML lets Python's own complaints through: "\U00110000" and a %YAML version of a thousand digits.
        last = found if isinstance(found, ApproxError) else syntax_error(file, text, found, error)
        raise_all(in_order([*composer.errors, last]))
    return Document(
        file, error, value, composer.locations, composer.keys, frozenset(composer.broken), tuple(composer.errors)
    )


def read(path: Path, error: type[ApproxError]) -> Document:
    """Read a YAML file. error: the class of its mistakes; raises it if the file cannot be read or is no YAML."""
    file = str(path)
    hint = "check the path: it has to be that of a YAML file"
    try:
        content = read_bytes(path, MAX_BYTES)
    except FileNotFoundError:
        raise error("there is no such file", where=file, hint="check the path") from None
    except (OSError, ValueError) as found:
        reason = getattr(found, "strerror", None) or str(found)
        raise error(f"the file cannot be read: {reason}", where=file, hint=hint) from None
    return compose(file, decode(file, content, error), error)
