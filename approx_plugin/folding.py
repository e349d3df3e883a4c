"""Tables and prose of a report, folded for a terminal that is narrower than they are.

A table is a head, a rule of dashes, and rows; columns are parted by two blanks or more. One that is too wide becomes
several, one below the other, each with the first columns again, by which a row is known. Nothing is left out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

_RULE = re.compile(r"-{8,}")
_PARTS = re.compile(r"\S+(?: \S+)*")
NARROWEST = 40
"""Columns that are wanted at least: below that nothing is folded."""

KEYS = 2
"""Columns that stand in every part, as long as they take no more than half of the width."""


def folded(text: str, width: int) -> str:
    """The text in lines of at most `width` columns, as far as single words and cells allow."""
    if width < NARROWEST:
        return text
    lines = text.split("\n")
    made: list[str] = []
    place = 0
    while place < len(lines):
        rows = _table(lines, place)
        if rows and len(lines[place + 1]) <= width:
            made += lines[place : place + 2 + rows]
            place += 2 + rows
        elif rows:
            made += _folded_table([lines[place], *lines[place + 2 : place + 2 + rows]], width)
            place += 2 + rows
        else:
            last = _end_of_sentence(lines, place, width)
            made += _folded_line(" ".join([lines[place], *map(str.strip, lines[place + 1 : last])]), width)
            place = last
    return "\n".join(made)


def _end_of_sentence(lines: Sequence[str], place: int, width: int) -> int:
    """Behind the lines that go on with the one at `place`: each was too long, and the next begins in lower case."""
    end = place + 1
    while end < len(lines) and len(lines[end - 1]) > width and lines[end].lstrip()[:1].islower():
        if _table(lines, end):
            break
        end += 1
    return end


def _table(lines: Sequence[str], place: int) -> int:
    """How many rows the table has whose head is the line at `place`; 0 for none."""
    if place + 2 >= len(lines) or not _RULE.fullmatch(lines[place + 1]) or not lines[place].strip():
        return 0
    wanted = len(_PARTS.findall(lines[place]))
    if wanted < 2:
        return 0
    count = 0
    for number, line in enumerate(lines[place + 2 :], 1):
        if not line.strip() or len(line) > len(lines[place + 1]):
            break
        if len(_columns([lines[place], *lines[place + 2 : place + 2 + number]])) < wanted:
            break
        count = number
    return count


def _columns(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Where the columns begin and end: between them are two blanks or more in every line."""
    width = max(map(len, lines))
    padded = [line.ljust(width) for line in lines]
    profile = "".join(" " if all(line[i] == " " for line in padded) else "x" for i in range(width))
    return [match.span() for match in re.finditer(r"x+(?: x+)*", profile)]


def _folded_table(lines: Sequence[str], width: int) -> list[str]:
    """The head first."""
    columns = _columns(lines)
    # What has no head belongs to the column before it.
    headed = [columns[0], *(span for span in columns[1:] if lines[0][span[0] : span[1]].strip())]
    ends = [*(following[0] for following in headed[1:]), columns[-1][1]]
    columns = [(start, max(e for s, e in columns if start <= s < end)) for (start, _), end in zip(headed, ends)]
    cells = [[line[start:end].ljust(end - start) for start, end in columns] for line in lines]
    sizes = [end - start for start, end in columns]
    keys = _keys(cells[1:], sizes, width)
    parts: list[list[int]] = []
    for column in range(keys, len(columns)):
        used = sum(sizes[i] + 2 for i in (*range(keys), *(parts[-1] if parts else ())))
        if parts and used + sizes[column] <= width:
            parts[-1].append(column)
        else:
            parts.append([column])
    made: list[str] = []
    for part in parts:
        shown = [*range(keys), *part]
        rows = ["  ".join(row[i] for i in shown).rstrip() for row in cells]
        rows.insert(1, "-" * max(map(len, rows)))
        made += [*([""] if made else []), *rows]
    return made


def _keys(rows: Sequence[Sequence[str]], sizes: Sequence[int], width: int) -> int:
    """How many of the first columns stand in every part: enough to tell the rows apart, if there is room for them."""

    def fits(count: int, room: int) -> bool:
        return count < len(sizes) and sum(sizes[:count]) + 2 * count <= room

    keys = next((count for count in (KEYS, 1) if fits(count, width // 2)), 0)
    while len({tuple(row[:keys]) for row in rows}) < len(rows) and fits(keys + 1, width * 3 // 4):
        keys += 1
    return keys


def _folded_line(line: str, width: int) -> list[str]:
    """Prose; a rule is cut, and of `name: text` the text stays behind the name."""
    if len(line) <= width:
        return [line]
    if _RULE.fullmatch(line):
        return [line[:width]]
    label = re.match(r"\s*\S[^:]{0,24}:\s+", line)
    indent = " " * (len(label[0]) if label and len(label[0]) <= width * 2 // 5 else len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
