"""board.yaml as a document: a file of its own, or what differs from another board's file, laid over that one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from approx_plugin.documents.document import Document, Keys
from approx_plugin.errors import Location

DESCRIPTION = "board.yaml"
BASED_ON = "based_on"
OWN = frozenset({"name"})
"""What a board says for itself in any case: the base's would be wrong."""


def base_of(document: Document) -> str | None:
    """The id that stands under `based_on`; None where there is none, or no text (the schema says so)."""
    found = document.value.get(BASED_ON) if isinstance(document.value, dict) else None
    return found if isinstance(found, str) else None


def merged(own: Document, base: Document) -> Document:
    """`own` over `base`: maps merge key by key, everything else replaces. Every value keeps the place that it has in
    the file it comes from; a map of both files stands in `own`.
    """
    if not (isinstance(own.value, dict) and isinstance(base.value, dict)):
        return own
    inherited = {key: value for key, value in base.value.items() if key not in OWN}
    hidden = {(key,) for key in OWN} | set(_replaced(own.value, inherited, ()))

    def kept(places: dict[Keys, Location]) -> dict[Keys, Location]:
        return {keys: place for keys, place in places.items() if not _below(keys, hidden)}

    return replace(
        own,
        value=_laid_over(own.value, inherited),
        locations={**kept(base.locations), **own.locations},
        keys={**kept(base.keys), **own.keys},
        broken=own.broken | {keys for keys in base.broken if not _below(keys, hidden)},
        errors=(*own.errors, *base.errors),
    )


def _laid_over(own: Any, base: Any) -> Any:
    if not (isinstance(own, dict) and isinstance(base, dict)):
        return own
    both = {key: _laid_over(own[key], value) if key in own else value for key, value in base.items()}
    return {**both, **{key: value for key, value in own.items() if key not in base}}


def _replaced(own: dict[str, Any], base: dict[str, Any], keys: Keys) -> Iterator[Keys]:
    """The ways to the values of `base` that nothing is left of."""
    for key in own.keys() & base.keys():
        if isinstance(own[key], dict) and isinstance(base[key], dict):
            yield from _replaced(own[key], base[key], (*keys, key))
        else:
            yield (*keys, key)


def _below(keys: Keys, tops: set[Keys]) -> bool:
    """Whether `keys` is one of `tops` or leads through one."""
    return any(keys[:length] in tops for length in range(1, len(keys) + 1))
