"""Figures, tables and paragraphs of texts for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 118

SHORTEST = 12
"""Characters that are left of a text in a table at least."""


def kib(count: int | None) -> str:
    """`12,345 B (12.06 KiB)`, or a dash."""
    return "-" if count is None else f"{count:,} B ({count / 1024:.2f} KiB)"


def share(part: float, whole: float) -> str:
    """`-12.3 %` of a whole that has become `part`."""
    return f"{100.0 * (part - whole) / whole:+.1f} %" if whole else "0.0 %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Lines of a table; `right` names the columns that are set flush right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()
        for row in [head, *rows]
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return lines


def narrow_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Likewise, of at most `WIDTH` columns: texts that are set flush left are cut where that is not enough."""
    rows = [list(row) for row in rows]
    while True:
        lines = table(head, rows, right)
        beyond = max(map(len, lines)) - WIDTH
        widths = {i: max((len(row[i]) for row in rows), default=0) for i in range(len(head)) if i not in right}
        widest = max(widths, key=lambda i: (widths[i], i))
        limit = max(widths[widest] - beyond, len(head[widest]), SHORTEST)
        if beyond <= 0 or limit >= widths[widest]:
            return lines
        rows = [[_cut(text, limit) if i == widest else text for i, text in enumerate(row)] for row in rows]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of at most `WIDTH` characters; all but the first are indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def number(value: float | None) -> str:
    """Two decimals, or a dash."""
    return "-" if value is None else f"{value:.2f}"
