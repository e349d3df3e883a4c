"""A board by the name in approx.yaml: a folder of board/, or any part that a pack describes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.errors import BoardError, Location
from approx_plugin.packs.generic import board_of
from approx_plugin.packs.interrupt_names import of_header, of_svd
from approx_plugin.packs.library import locked_pack
from approx_plugin.packs.lock import read_lock
from approx_plugin.packs.pdsc import Description
from approx_plugin.packs.source import companion, describe, header
from approx_plugin.packs.store import Store

_PART = re.compile(r"STM32[A-Z0-9]{4,}", re.IGNORECASE)
FETCH = "fetch the pack: scons packs (python -m approx_plugin packs)"


def is_part(name: str) -> bool:
    """Whether a name is one of a part rather than of a board."""
    return _PART.fullmatch(name) is not None and name.lower() not in known_boards()


def find_board(name: str, where: Location, pdsc: Path | None, store: Store) -> Board:
    """The board of this name. where: the place that names it; pdsc: a pack description that was named for it.

    Raises as `load_board`, and BoardError for a part that no pack at hand describes.
    """
    if pdsc is None and not is_part(name):
        return load_board(name, where)
    if name.lower() in known_boards():
        return load_board(name, where)
    path = pdsc if pdsc is not None else _locked(name, where, store)
    return board_from(path, name, where)


def board_from(path: Path, name: str, where: Location | None = None) -> Board:
    """The board of a part that the pack or description at `path` has.

    Raises BoardError for a part that it does not have, or does not describe as far as a board needs.
    """
    description = describe(path, where)
    if description.spelling(name) is None:
        raise BoardError(
            f"{description.title} has no part '{name}'",
            where=where,
            why=f"{description.where} describes {_count(description)}",
            hint=meant(name, description.devices) or "name the pack of the part's family",
        )
    device = description.device(name)
    names = of_header(header(path, f"{device.define.lower()}.h")) or of_svd(companion(path, device.svd))
    return board_of(device, where, names)


def meant(name: str, known: Iterable[str]) -> str:
    """A question for the parts whose names are most alike."""
    spelled = {one.upper(): one for one in known}
    near = difflib.get_close_matches(name.upper(), spelled, n=3, cutoff=0.8)
    return f"Did you mean {' or '.join(spelled[one] for one in near)}?" if near else ""


def _count(description: Description) -> str:
    count = len(description.devices)
    return f"{count} part{'' if count == 1 else 's'}" if count else "no parts at all: it is no device family pack"


def _locked(name: str, where: Location, store: Store) -> Path:
    """The fetched pack that describes a part."""
    for locked in read_lock(store.lock):
        if name.upper() in (device.upper() for device in locked.devices):
            return locked_pack(locked, store)
    raise BoardError(
        f"'{name}' is no board of this tool, and no pack with such a part was fetched",
        where=where,
        why=f"{store.lock} names none" if store.lock.exists() else f"there is no {store.lock}",
        hint=f"{FETCH}, or name a description: board: {{device: {name}, pdsc: <file>}}",
    )
