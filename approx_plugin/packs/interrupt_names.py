"""The names of a part's interrupts, out of what packs bring along: ST's device header, or a description of registers.

The header has the names that handlers carry in ST's software; those of a register description (.svd) differ in places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

MOST = 480
"""Positions that a vector table may have behind the core's 16 (Armv8-M architecture reference manual)."""

_ENTRY = re.compile(rb"^\s*([A-Za-z_][A-Za-z0-9_]*)_IRQn\s*=\s*(\d+)\b", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def of_header(text: bytes) -> tuple[str | None, ...]:
    """Of a device header: the handlers by position, without "_IRQHandler", None in the gaps; empty if it has none."""
    return _table((name.decode(), int(value)) for name, value in _ENTRY.findall(text))


def of_svd(text: bytes) -> tuple[str | None, ...]:
    """Of a register description, likewise; empty where it says nothing that can be used."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return ()
    found = []
    for one in root.iter("interrupt"):
        name, value = (one.findtext("name") or "").strip(), (one.findtext("value") or "").strip()
        name = name.removesuffix("_IRQHandler").removesuffix("_IRQn")
        if re.fullmatch(r"[0-9]{1,4}", value) and _NAME.fullmatch(name):
            found.append((name, int(value)))
    return _table(found)


def _table(entries: Iterable[tuple[str, int]]) -> tuple[str | None, ...]:
    """The table of these names and positions; of several claims the first one holds."""
    found: dict[int, str] = {}
    for name, position in entries:
        if position < MOST and position not in found and name not in found.values():
            found[position] = name
    return tuple(found.get(position) for position in range(max(found) + 1)) if found else ()
