"""An XML file as a tree of places: where in the file's bytes each element begins and ends.

A file that belongs to somebody else is not written anew by a serialiser, which would lose what it does not know of
(line ends, the order of attributes, the processing instruction in front): text is inserted at a place, or taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from approx_plugin.errors import Location, ProjectError

_TAG_END = re.compile(rb"""(?:[^'">]|"[^"]*"|'[^']*')*>""")
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding=["']([\w.-]+)["']""")
_ASCII_COMPATIBLE = frozenset({"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})


@dataclass(eq=False)
class Place:
    """An element. All positions count bytes of the file.

    start, end: of the whole element; inner: behind its start tag; closing: of its end tag. An element without an end
    tag (`<a/>`) has `inner` and `closing` at its end.
    """

    tag: str
    attributes: Mapping[str, str]
    start: int
    inner: int
    closing: int = 0
    end: int = 0
    children: list[Place] = field(default_factory=list)

    @property
    def is_closed_at_once(self) -> bool:
        """Whether it is written as `<a/>`."""
        return self.inner == self.end

    def get(self, attribute: str) -> str:
        """An attribute's value, "" where there is none."""
        return self.attributes.get(attribute, "")

    def find(self, tag: str, **attributes: str) -> Place | None:
        """The first child with this tag and these attributes."""
        return next(self.all(tag, **attributes), None)

    def all(self, tag: str, **attributes: str) -> Iterator[Place]:
        """The children with this tag and these attributes, in order."""
        wanted = attributes.items()
        return (c for c in self.children if c.tag == tag and all(c.attributes.get(k) == v for k, v in wanted))

    def walk(self) -> Iterator[Place]:
        """This element and all below it, in the file's order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_places(content: bytes, file: str) -> Place:
    """The root element of a file. file: its name, for messages.

    Raises ProjectError for what is not well-formed, and for an encoding in which ASCII text has other bytes.
    """
    declared = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared.group(1).decode().lower() if declared else "utf-8"
    if encoding not in _ASCII_COMPATIBLE or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ProjectError(
            f"the encoding {encoding} is not one that is edited here",
            where=file,
            why="STM32CubeIDE writes UTF-8",
            hint="open and save the project's properties in the IDE once",
        )
    parser = expat.ParserCreate()
    stack: list[Place] = []
    roots: list[Place] = []

    def opened(tag: str, attributes: dict[str, str]) -> None:
        start = parser.CurrentByteIndex
        match = _TAG_END.match(content, start)
        assert match is not None, "the parser has found the tag's end"
        place = Place(tag, attributes, start, match.end())
        if content[match.end() - 2 : match.end()] == b"/>":
            place.closing = place.end = match.end()
        (stack[-1].children if stack else roots).append(place)
        stack.append(place)

    def closed(_: str) -> None:
        place = stack.pop()
        if not place.end:
            place.closing = parser.CurrentByteIndex
            place.end = content.index(b">", place.closing) + 1

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ProjectError(
            f"not well-formed XML: {expat.ErrorString(error.code)}",
            where=Location(file, error.lineno, error.offset + 1),
            hint="mend the file, or restore it from version control",
        ) from error
    return roots[0]
