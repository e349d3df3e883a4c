"""Lines of generated C: calls and long lines, folded at a width that editors and reviews show whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH = 100
"""Columns."""

INDENT = "    "


def call(function: str, arguments: Sequence[str]) -> str:
    """A call as an expression in one line; `folded` cuts it where it is too long."""
    return f"{function}({', '.join(arguments)})"


def folded(text: str) -> str:
    """The text with every line that is longer than `WIDTH` cut behind a comma or before an operator or word.

    Continuation lines are indented once more than the line. Directives stay whole: they end with their line. Strings
    and comments are not looked into: other generated lines that are too long hold neither.
    """
    return "\n".join(cut for line in text.split("\n") for cut in _cut(line))


def _cut(line: str) -> Iterable[str]:
    if len(line) <= WIDTH or line.startswith("#"):
        return [line]
    indent = line[: len(line) - len(line.lstrip())] + INDENT
    lines = []
    while len(line) > WIDTH:
        place = _place(line, len(indent))
        if place <= len(indent):
            break
        lines.append(line[:place].rstrip())
        line = indent + line[place:].lstrip()
    return [*lines, line]


def _place(line: str, indent: int) -> int:
    """Where to cut: after the comma that stands in the fewest brackets, the last of those; else after the last
    equals sign or space.

    Only the second half of the width is looked at for commas. 0 if there is no place.
    """
    depth, best = 0, (1 << 30, 0)
    for place, character in enumerate(line[:WIDTH]):
        depth += (character in "({[") - (character in ")}]")
        if character == "," and line[place + 1] == " " and place > max(indent, WIDTH // 2):
            best = min(best, (depth, -(place + 2)))
    if best[1]:
        return -best[1]
    for mark in (" = ", " "):
        found = line.rfind(mark, indent + 1, WIDTH)
        if found > 0:
            return found + len(mark)
    return 0


def array(values: Iterable[str]) -> str:
    """The inside of an initialiser: as many values a line as fit, each line indented once."""
    lines: list[str] = []
    current = INDENT
    for value in values:
        if len(current) + len(value) + 1 > WIDTH:
            lines.append(current.rstrip())
            current = INDENT
        current += f"{value}, "
    return "\n".join([*lines, current.rstrip()])
