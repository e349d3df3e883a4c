"""A YAML file that was read: plain values, and the place of everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from approx_plugin.errors import ApproxError, Location

Keys = tuple[Union[str, int], ...]
"""The way from the root to a value: keys of maps and indexes of lists."""

Mistake = TypeVar("Mistake", bound=ApproxError)


@dataclass(frozen=True)
class Document:
    """A file that was read.

    file:   the file as the caller named it.
    error:  the class of all mistakes in it.
    value:  dict, list, str, int, float, bool or None, nested.
    locations: the place of every value: where a scalar starts, where the key of a map or list stands.
    keys:   where the key of every value of a map stands.
    broken: the values that could not be read (they are None in `value`); `errors` says why.
    """

    file: str
    error: type[ApproxError]
    value: Any
    locations: dict[Keys, Location]
    keys: dict[Keys, Location]
    broken: frozenset[Keys]
    errors: tuple[ApproxError, ...]

    def where(self, keys: Keys) -> Location:
        """The place of a value, or of the nearest enclosing one that the file has."""
        while keys and keys not in self.locations:
            keys = keys[:-1]
        return self.locations.get(keys, Location(self.file))


def in_order(errors: Iterable[Mistake]) -> list[Mistake]:
    """Mistakes as they stand in their file (those of several files: one file after the other)."""

    def position(error: ApproxError) -> tuple[str, int, int]:
        where = error.where
        return (where.file, where.line, where.column) if isinstance(where, Location) else ("", 0, 0)

    return sorted(errors, key=position)
