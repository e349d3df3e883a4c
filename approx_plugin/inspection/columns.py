"""Columns of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    """One line for the head and each row. sides: of each column, l or r."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        cells = [
            text.rjust(width) if side == "r" else text.ljust(width) for text, width, side in zip(row, widths, sides)
        ]
        yield "  ".join(cells).rstrip()
