"""Which board's costs and emulator stand for a person's project: the one with its part, or one with its core."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.description import DESCRIPTION
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.documents.reader import read
from approx_plugin.errors import BoardError, Location
from approx_plugin.merging.host import Host
from approx_plugin.resources import resource_root

OF_PROJECT = "project"
"""In the place of a board's id: whichever has the part of the project that the network moves into."""


def board_for(host: Host, name: str, where: Location, find: Callable[[str], Board] = load_board) -> Board:
    """The board called `name`, as far as the project allows: with its floating-point ABI, and without memories that
    its linker script does not know.

    find: a board by its name, or by that of a part. Raises BoardError where no board has the part, or the named one has
    another core; and what `find` raises.
    """
    machine = host.machine
    board = _of_part(host, where, find) if name == OF_PROJECT else find(name)
    if board.core != machine.core:
        raise BoardError(
            f"{board.name} has a {board.core}, but {host.name} is compiled for {machine.core}",
            where=where,
            why=f"{host.directory} says so"
            + (f"; its part is {machine.mcu}, which the board has, too" if machine.mcu == board.mcu else ""),
            hint=_choice(host)
            if machine.mcu != board.mcu
            else "mend the -mcpu of the project, or name a board with that core",
        )
    memories = tuple(m for m in board.memories if m.kind != "dtcm")
    if machine.mcu != board.mcu:
        lengths = {"flash": host.flash, "ram": host.ram}
        first = {kind: next(m for m in memories if m.kind == kind) for kind in lengths}
        memories = tuple(
            replace(m, length=region.length)
            if m == first.get(m.kind) and (region := lengths[m.kind]) is not None
            else m
            for m in memories
        )
    return replace(board, fpu=machine.fpu, float_abi=machine.float_abi, memories=memories)


def _parts() -> dict[str, str]:
    """Board id -> part, of all boards that are on sale."""
    root = resource_root()
    files = {name: root / "board" / name / DESCRIPTION for name in known_boards()}
    found = {name: _part(file) for name, file in files.items()}
    return {name: part for name, part in found.items() if part}


def _part(file: Path) -> str:
    values = read(file, BoardError).value
    part = values.get("mcu") if isinstance(values, dict) and "based_on" not in values else None
    return part if isinstance(part, str) else ""


def _of_part(host: Host, where: Location, find: Callable[[str], Board]) -> Board:
    mcu = host.machine.mcu
    found = [name for name, part in _parts().items() if part.casefold() == mcu.casefold()]
    if found:
        return load_board(found[0], where)
    with contextlib.suppress(BoardError):  # a part that a pack describes is a board, too
        return find(mcu)
    raise BoardError(
        f"no board has the part of {host.name}, {mcu or 'which it does not name'}",
        where=where,
        why="costs and wait states belong to a board; flash, RAM and flags are the project's in any case",
        hint=_choice(host),
    )


def _choice(host: Host) -> str:
    """The boards with the project's core."""
    same = [name for name in known_boards() if load_board(name).core == host.machine.core]
    if not same:
        return f"there is no board with a {host.machine.core}: board/README.md says how to add one"
    return f"name one with the same core: {', '.join(same)}"
