"""The memories of somebody's linker script, and which of them the sections go to.

Only what STM32CubeIDE and STM32CubeMX write is understood: numbers with K and M, sums, differences and products of
them, no symbols. A region that says its length otherwise is left out: then nobody knows what the application leaves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MEMORY = re.compile(r"\bMEMORY\s*\{(.*?)\}", re.DOTALL)
_REGION = re.compile(
    r"(\w+)\s*(?:\([^)]*\))?\s*:\s*(?:ORIGIN|org|o)\s*=\s*([^,]+),\s*(?:LENGTH|len|l)\s*=\s*([^\n;}]+?)\s*(?=\n|;|$)"
)
_TERM = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+)\s*([KkMm]?)[Bb]?\s*")


@dataclass(frozen=True)
class Region:
    """A memory. origin: address; length: bytes."""

    name: str
    origin: int
    length: int


def regions_of(text: str) -> Mapping[str, Region]:
    """The regions of a linker script whose numbers can be read, by name, in order."""
    plain = _COMMENT.sub(" ", text)
    found: dict[str, Region] = {}
    for block in _MEMORY.findall(plain):
        for name, origin, length in _REGION.findall(block):
            at, size = number_of(origin), number_of(length)
            if at is not None and size is not None:
                found[name] = Region(name, at, size)
    return found


def number_of(text: str) -> int | None:
    """The value of "2048K", "0x8000000 + 16K", "4 * 64K"; None for what is not understood."""
    total, sign, product, position = 0, 1, None, 0
    while True:
        term = _TERM.match(text, position)
        if term is None:
            return None
        value = int(term[1], 0) * {"": 1, "k": 1 << 10, "m": 1 << 20}[term[2].lower()]
        product = value if product is None else product * value
        position = term.end()
        operator = text[position : position + 1]
        if operator != "*":
            total, product = total + sign * product, None
            if not operator:
                return total
            if operator not in "+-":
                return None
            sign = 1 if operator == "+" else -1
        position += 1


def home_of(section: str, text: str) -> str | None:
    """The region that an output section (".text", ".bss") lies in at run time; None where it is not found."""
    plain = _COMMENT.sub(" ", text)
    match = re.search(rf"(?m)^\s*{re.escape(section)}\b[^{{}}]*\{{", plain)
    if match is None:
        return None
    depth, position = 1, match.end()
    while depth and position < len(plain):
        depth += {"{": 1, "}": -1}.get(plain[position], 0)
        position += 1
    home = re.match(r"\s*>\s*(\w+)", plain[position:])
    return home[1] if home else None
