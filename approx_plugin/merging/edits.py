"""Changes of a file's bytes that are made all at once, by their places in the file as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Put `text` in the place of the bytes from `start` to `end`; an insertion where both are the same."""

    start: int
    end: int
    text: bytes


def edited(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with all edits. Insertions at one place stand in the order in which they were given.

    Raises ValueError if two edits overlap.
    """
    parts: list[bytes] = []
    position = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < position:
            raise ValueError(f"two edits overlap at byte {edit.start}")
        parts += [content[position : edit.start], edit.text]
        position = edit.end
    return b"".join([*parts, content[position:]])


def indent_of(content: bytes, position: int) -> bytes:
    """The blanks between the beginning of the line and `position`; b"" if anything else stands there."""
    begin = content.rfind(b"\n", 0, position) + 1
    blanks = content[begin:position]
    return blanks if not blanks.strip(b" \t") else b""


def line_end(content: bytes) -> bytes:
    r"""What the file's lines end with: b"\r\n" if its first line does, else b"\n"."""
    first = content.find(b"\n")
    return b"\r\n" if first > 0 and content[first - 1 : first] == b"\r" else b"\n"


def gap_before(content: bytes, position: int) -> int:
    """Where the white space in front of `position` begins, back to the end of the line before it, line end included."""
    begin = position
    while begin and content[begin - 1 : begin] in (b" ", b"\t"):
        begin -= 1
    if content[begin - 1 : begin] == b"\n":
        begin -= 2 if content[begin - 2 : begin] == b"\r\n" else 1
        return begin
    return position
