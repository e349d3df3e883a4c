"""Memories of a microcontroller, and how their sizes are written."""

from __future__ import annotations

from dataclasses import dataclass

UNITS = {"K": 1 << 10, "M": 1 << 20}
ADDRESSES = 1 << 32
"""How many there are."""


@dataclass(frozen=True)
class Memory:
    """A memory region of the microcontroller.

    name: as in the linker script ("FLASH", "RAM"); kind: "flash", "ram", or "dtcm" for the core's own data memory,
    which answers without wait states; origin: address; length: bytes.
    """

    name: str
    kind: str
    origin: int
    length: int


def size_of(value: int | str) -> int:
    """Bytes of a size as it stands in board.yaml: 1024, "1K", "1M"."""
    return value if isinstance(value, int) else int(value[:-1]) * UNITS[value[-1]]


def beyond_addresses(origin: int, length: int) -> bool:
    """Whether a region ends where no address is."""
    return origin + length > ADDRESSES
