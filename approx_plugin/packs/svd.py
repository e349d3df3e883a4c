"""The names of a part's interrupts, from the description of its registers (.svd) that packs bring along."""

from __future__ import annotations

import re
from xml.etree import ElementTree

MOST = 496
"""Positions that a vector table may have behind the core's 16: what Armv8-M allows."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def interrupts(text: bytes) -> tuple[str | None, ...]:
    """The name of the handler by position, without "_IRQHandler", None in the gaps; empty where the file says nothing
    that can be used: names are a convenience, and a table of positions takes their place.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return ()
    found: dict[int, str] = {}
    for one in root.iter("interrupt"):
        name, value = (one.findtext("name") or "").strip(), (one.findtext("value") or "").strip()
        name = name.removesuffix("_IRQHandler").removesuffix("_IRQn")
        if not value.isdigit() or int(value) >= MOST or not _NAME.fullmatch(name):
            continue
        if int(value) not in found and name not in found.values():
            found[int(value)] = name
    return tuple(found.get(position) for position in range(max(found) + 1)) if found else ()
