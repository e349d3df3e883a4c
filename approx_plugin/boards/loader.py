"""board/<id>/board.yaml to `Board`: the one place that knows where boards lie and what their files may say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from approx_plugin.boards.board import Board, Console, Emulator, ReadyFlag
from approx_plugin.boards.checks import board_mistakes
from approx_plugin.boards.description import BASED_ON, DESCRIPTION, base_of, merged
from approx_plugin.boards.interrupts import folder, load_interrupts, tables
from approx_plugin.boards.memory import Memory, size_of
from approx_plugin.boards.timing import build_timing, whole
from approx_plugin.documents.checked import Checked, hold, load
from approx_plugin.documents.document import Document
from approx_plugin.documents.reader import read
from approx_plugin.documents.schema import load_schema
from approx_plugin.documents.wording import did_you_mean
from approx_plugin.errors import BoardError, Location, attempt
from approx_plugin.resources import resource_root


def known_boards(root: Path | None = None) -> tuple[str, ...]:
    """The ids of all boards below `root`/board, sorted. root: `resource_root()` where it is not given."""
    folder = (root or resource_root()) / "board"
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{DESCRIPTION}")))


def load_board(name: str, where: Location | None = None, root: Path | None = None) -> Board:
    """The board with this id or, in any case, with this name ("nucleo-u575zi-q", "NUCLEO-U575ZI-Q").

    where: the place that names the board, for the message about an unknown one. root: see `known_boards`.
    Raises BoardError for an unknown board, and a BoardError or an ErrorGroup of them with every mistake of a broken
    board.yaml.
    """
    root = root or resource_root()
    known = known_boards(root)
    # A board's id is its name in lower case: `board_mistakes` sees to that.
    if name.lower() not in known:
        raise BoardError(f"there is no board '{name}'", where=where, hint=_choice(name, known, "The boards are"))
    return _read(root, name.lower())


def _choice(name: str, known: tuple[str, ...], introduction: str) -> str:
    """Which board was meant, and which ones there are."""
    question = did_you_mean(name, known)
    return f"{question} {introduction}: {', '.join(known)}".lstrip()


def _read(root: Path, board_id: str) -> Board:
    """The board in the folder of that name, with all mistakes of its description and of its interrupts at once."""
    checked = _described(root, board_id)
    further = list(board_mistakes(checked, board_id))
    interrupts = attempt(further, lambda: _interrupts(root, checked))
    checked.raise_mistakes(further)
    return _build(board_id, checked.values, interrupts or (), root / "board" / board_id)


def _described(root: Path, board_id: str) -> Checked:
    """The board's description, laid over that of the board that it is based on.

    Raises BoardError, or several, where there is nothing to be checked: no such base, or one with mistakes of its own.
    """
    own = read(root / "board" / board_id / DESCRIPTION, BoardError)
    base_id = base_of(own)
    if base_id is not None:
        own = merged(own, _base(root, board_id, base_id, own.where((BASED_ON,))))
    return hold(own, whole(load_schema("board")), own.value)


def _base(root: Path, board_id: str, base_id: str, where: Location) -> Document:
    """The description of the board that another is based on. where: that says so."""
    if base_id == board_id:
        raise BoardError(f"the board '{board_id}' is based on itself", where=where, hint="name another board")
    known = tuple(name for name in known_boards(root) if name != board_id)
    if base_id not in known:
        hint = _choice(base_id, known, "The other boards are")
        raise BoardError(f"there is no board '{base_id}' to be based on", where=where, hint=hint)
    checked = load(root / "board" / base_id / DESCRIPTION, whole(load_schema("board")), BoardError)
    if base_of(checked.document) is not None:
        raise BoardError(
            f"the board '{base_id}' is itself based on another",
            where=where,
            why="what a board says has to stand in two files at most",
            hint=f"name the board that '{base_id}' is based on",
        )
    checked.raise_mistakes()
    return checked.document


def _interrupts(root: Path, checked: Checked) -> tuple[str | None, ...]:
    """The names of the board's interrupts by position, None in the gaps. Raises BoardError, or several."""
    name = checked.get("interrupts")
    if name is None:
        return ()
    known = tables(root)
    if name not in known:
        hint = did_you_mean(name, known) or f"write one into {folder(root)}, or use one of: {', '.join(known)}"
        raise checked.error(("interrupts",), f"there is no table of interrupts '{name}'", hint=hint)
    return load_interrupts(name, root)


def _memory(values: Mapping[str, Any], name: str, kind: str) -> Memory:
    return Memory(name, kind, values["origin"], size_of(values["length"]))


def _build(board_id: str, values: Any, interrupts: tuple[str | None, ...], folder: Path) -> Board:
    """The Board of values that the schema has passed."""
    emulator = values["emulator"]
    memories = tuple(_memory(item, item["name"], item["kind"]) for item in values["memories"])
    return Board(
        id=board_id,
        memories=memories,
        emulator=emulator
        and Emulator(
            machine=emulator["machine"],
            code=_memory(emulator["code"], "CODE", "flash"),
            data=_memory(emulator["data"], "DATA", "ram"),
        ),
        folder=folder,
        console=Console(**values["console"]),
        cycle_counter=values["cycle_counter"],
        ready_flags=tuple(
            ReadyFlag(item["address"], item["mask"], item.get("value", item["mask"]), item["note"])
            for item in values["ready_flags"]
        ),
        interrupts=interrupts,
        timing=build_timing(values["timing"], memories) if "timing" in values else None,
        based_on=values.get(BASED_ON, ""),
        preparation=values.get("preparation", ""),
        **{
            key: values[key]
            for key in ("name", "mcu", "series", "define", "core", "fpu", "float_abi", "dsp", "clock_hz")
        },
    )
