"""Flash and RAM of a linked program as text, by what takes them."""

from __future__ import annotations

from collections.abc import Mapping

from approx_plugin.boards.board import Board
from approx_plugin.build.elf_size import Size
from approx_plugin.report.layout import table

SHOWN = 16
"""The largest entries of a list; the rest is added up."""


def size_text(size: Size, board: Board) -> str:
    """Totals against the board's memories, sections, and the sources by size."""
    used = (("Program (flash)", size.flash_bytes, board.flash.length), ("Data (RAM)", size.ram_bytes, board.ram.length))
    lines = [
        f"{name:<16}: {count:>10,} B of {capacity:>10,} B ({100.0 * count / capacity:.1f} % used)"
        for name, count, capacity in used
    ]
    lines.append("")
    lines += table(["section", "bytes"], [[n, f"{s:,}"] for n, s in sorted(size.sections.items())], right=(1,))
    for title, entries in (("flash by source", size.flash_by_source), ("RAM by source", size.ram_by_source)):
        lines.append("")
        lines += table([title, "bytes"], _largest(entries), right=(1,))
    return "\n".join(lines)


def _largest(entries: Mapping[str, int]) -> list[list[str]]:
    ranked = sorted(entries.items(), key=lambda entry: (-entry[1], entry[0]))
    rows = [[name, f"{count:,}"] for name, count in ranked[:SHOWN] if count]
    rest = sum(count for _, count in ranked[SHOWN:])
    return [*rows, [f"({len(ranked) - SHOWN} others)", f"{rest:,}"]] if rest else rows
