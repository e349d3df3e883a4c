"""board/<id>/board.yaml to `Board`: the one place that knows where boards lie and what their files may say."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from approx_plugin.boards.board import Board, Console, Emulator, Memory, ReadyFlag
from approx_plugin.boards.description import BASED_ON, DESCRIPTION, as_board_errors, base_of, merged, read_document
from approx_plugin.documents.reader import Document, Keys
from approx_plugin.errors import BoardError, Location, raise_all
from approx_plugin.resources import resource_root

MAX_INTERRUPTS = 480
"""Armv8-M's limit (Armv7-M: 240, the STM32 of that architecture have at most 155)."""


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
    # A board's id is its name in lower case: `_mistakes` sees to that.
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        question = f"Did you mean '{near[0]}'? " if near else ""
        raise BoardError(
            f"there is no board '{name}'", where=where, hint=f"{question}The boards are: {', '.join(known)}"
        )
    return _read(root, name.lower())


def _read(root: Path, board_id: str) -> Board:
    """The board in the folder of that name."""
    document = _described(root, board_id)
    raise_all([*as_board_errors(document.errors), *_schema_mistakes(document, _schema(root))])
    values = document.value
    table = root / "board" / "common" / "interrupts" / f"{values['interrupts']}.yaml"
    if not table.is_file():
        known = ", ".join(sorted(path.stem for path in table.parent.glob("*.yaml")))
        raise BoardError(
            f"there is no table of interrupts '{values['interrupts']}'",
            where=document.where(("interrupts",)),
            hint=f"write one into {table.parent.name}/, or use one of: {known}",
        )
    interrupts = _interrupts(read_document(table))
    board = _build(board_id, values, interrupts, root / "board" / board_id)
    raise_all(_mistakes(board, document))
    return board


def _described(root: Path, board_id: str) -> Document:
    """The board's description, laid over that of the board that it is based on. Raises BoardError, or several."""
    own = read_document(root / "board" / board_id / DESCRIPTION)
    base_id = base_of(own)
    if base_id is None:
        return own
    where = own.where((BASED_ON,))
    if base_id == board_id:
        raise BoardError(f"the board '{board_id}' is based on itself", where=where, hint="name another board")
    known = [name for name in known_boards(root) if name != board_id]
    if base_id not in known:
        near = difflib.get_close_matches(base_id.lower(), known, n=1)
        question = f"Did you mean '{near[0]}'? " if near else ""
        raise BoardError(
            f"there is no board '{base_id}' to be based on",
            where=where,
            hint=f"{question}The other boards are: {', '.join(known)}",
        )
    base = read_document(root / "board" / base_id / DESCRIPTION)
    if isinstance(base.value, dict) and BASED_ON in base.value:
        raise BoardError(
            f"the board '{base_id}' is itself based on another",
            where=where,
            why="what a board says has to stand in two files at most",
            hint=f"name the board that '{base_id}' is based on",
        )
    raise_all([*as_board_errors(base.errors), *_schema_mistakes(base, _schema(root))])
    return merged(own, base)


def _schema(root: Path) -> Any:
    """The JSON Schema of board.yaml."""
    return json.loads((root / "schemas" / "board.schema.json").read_text(encoding="utf-8"))


def _schema_mistakes(document: Document, schema: Any) -> Iterator[BoardError]:
    """What the schema says about the file, in the file's order."""

    def place(keys: Keys) -> tuple[int, int]:
        where = document.where(keys)
        return where.line, where.column

    errors = Draft202012Validator(schema).iter_errors(document.value)
    for error in sorted(errors, key=lambda error: (place(tuple(error.absolute_path)), error.message)):
        keys = tuple(error.absolute_path)
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
        purpose = str(error.schema.get("description", "")) if isinstance(error.schema, dict) else ""
        yield BoardError(f"{name or 'the file'}: {error.message}", where=document.where(keys), why=purpose)


def _interrupts(document: Document) -> tuple[str | None, ...]:
    """The names by position, None in the gaps. Raises BoardError, or several."""
    values = document.value if isinstance(document.value, dict) else {}
    names: dict[int, str] = {}
    errors = as_board_errors(document.errors)
    for key, name in values.items():
        where = document.where((key,))
        if not (key.isdecimal() and int(key) < MAX_INTERRUPTS):
            errors.append(BoardError(f"'{key}' is no position of an interrupt", where=where, hint="0 is the first"))
        elif not (isinstance(name, str) and name.isidentifier()):
            errors.append(BoardError(f"interrupt {key} needs a name, as in 'WWDG'", where=where))
        else:
            names[int(key)] = name
    if not values:
        errors.append(BoardError("the table of interrupts is empty", where=document.file))
    raise_all(errors)
    return tuple(names.get(position) for position in range(max(names) + 1))


def _size(value: Any) -> int:
    """Bytes of a size as it stands in board.yaml: 1024, "1K", "1M"."""
    if isinstance(value, int):
        return value
    return int(value[:-1]) * {"K": 1 << 10, "M": 1 << 20}[value[-1]]


def _memory(values: Any, name: str, kind: str) -> Memory:
    return Memory(name, kind, values["origin"], _size(values["length"]))


def _build(board_id: str, values: Any, interrupts: tuple[str | None, ...], folder: Path) -> Board:
    """The Board of values that the schema has passed."""
    emulator = values["emulator"]
    return Board(
        id=board_id,
        memories=tuple(_memory(item, item["name"], item["kind"]) for item in values["memories"]),
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
        timing=values.get("timing", {}),
        based_on=values.get(BASED_ON, ""),
        preparation=values.get("preparation", ""),
        **{
            key: values[key]
            for key in ("name", "mcu", "series", "define", "core", "fpu", "float_abi", "dsp", "clock_hz")
        },
    )


def _mistakes(board: Board, document: Document) -> Iterator[BoardError]:
    """What a schema cannot say."""
    if board.name.lower() != board.id:
        yield BoardError(
            f"the board's folder is '{board.id}', but its name is '{board.name}'",
            where=document.where(("name",)),
            hint=f"call the folder '{board.name.lower()}'",
        )
    for kind in ("flash", "ram"):
        if all(memory.kind != kind for memory in board.memories):
            yield BoardError(f"there is no memory of kind {kind}", where=document.where(("memories",)))
    for index, memory in enumerate(board.memories):
        for other in board.memories[:index]:
            if memory.name == other.name:
                yield BoardError(
                    f"two memories are called '{memory.name}'", where=document.where(("memories", index, "name"))
                )
            if memory.origin < other.origin + other.length and other.origin < memory.origin + memory.length:
                yield BoardError(
                    f"the memories '{other.name}' and '{memory.name}' overlap",
                    where=document.where(("memories", index, "origin")),
                )
    for index, flag in enumerate(board.ready_flags):
        if flag.value & ~flag.mask:
            yield BoardError(
                f"the value {flag.value:#x} has bits outside of the mask {flag.mask:#x}",
                where=document.where(("ready_flags", index, "value")),
            )
