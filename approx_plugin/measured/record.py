"""board/<id>/measured.yaml: what a real board has printed, beside what the virtual board said of the same program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from approx_plugin.boards.board import Board
from approx_plugin.documents.checked import load
from approx_plugin.documents.schema import load_schema
from approx_plugin.errors import BoardError, ProjectError
from approx_plugin.measured.comparison import Row

FILE = "measured.yaml"
SELF_TEST = "self-test"
"""In the place of a network's name."""

HEAD = """\
# Written by `python -m approx_plugin measure`: do not edit, but for notes.
# measured: printed by a real board; simulated: by its virtual board at that time, of the same program. Cycles: of a
# layer in one inference, of a self-test's benchmark in one copy.
"""


@dataclass(frozen=True)
class Record:
    """One program on one board.

    program:       the network's name, or SELF_TEST.
    model:         sha256 of the .tflite; "" for the self-test.
    code:          sha256 of the program that was simulated. Another one may have run, by the user's own compiler.
    compiler:      that made it.
    virtual_board: digest of the model that simulated it.
    clock_hz:      of the core, as the console said.
    note:          the user's: which board, which revision, when.
    """

    program: str
    model: str
    code: str
    compiler: str
    virtual_board: str
    clock_hz: int
    note: str
    rows: tuple[Row, ...]

    @property
    def measured(self) -> float:
        """Cycles of all rows."""
        return sum(row.measured for row in self.rows)

    @property
    def simulated(self) -> float:
        """Cycles of all rows."""
        return sum(row.simulated for row in self.rows)


def file_of(board: Board) -> Path:
    """Where the board's records are."""
    return board.folder / FILE


def load_records(file: Path) -> tuple[Record, ...]:
    """Those of a file, in its order; none where there is no file. Raises BoardError, or several, for a wrong one."""
    if not file.exists():
        return ()
    remedy = "remove the entry, and measure again"
    checked = load(file, load_schema("measured"), BoardError, remedy)
    checked.raise_mistakes()
    return tuple(_record(entry) for entry in checked.values["measurements"])


def _record(entry: dict[str, Any]) -> Record:
    rows = tuple(
        Row(r["name"], r.get("kernel", ""), float(r["measured"]), float(r["simulated"])) for r in entry["rows"]
    )
    return Record(**{key: entry[key] for key in entry if key != "rows"}, rows=rows)


def store(record: Record, file: Path) -> None:
    """Add a record; it takes the place of one of the same program. Raises as `load_records`, and ProjectError."""
    kept = [one for one in load_records(file) if (one.program, one.code) != (record.program, record.code)]
    records = sorted([*kept, record], key=lambda one: (one.program, one.code))
    try:
        new = file.with_name(f"{FILE}.new")
        new.write_text(records_text(records), encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise ProjectError(
            f"the measurement cannot be kept: {error.strerror or error}",
            where=file,
            why="measurements lie beside the board's description, in a checkout of this tool",
            hint="make that folder writable",
        ) from error


def records_text(records: Iterable[Record]) -> str:
    """The file."""
    tree = {"measurements": [_entry(record) for record in records]}
    text: str = yaml.safe_dump(tree, sort_keys=False, width=120, default_flow_style=None, allow_unicode=True)
    return HEAD + text


def _entry(record: Record) -> dict[str, Any]:
    entry = {key: value for key, value in vars(record).items() if key != "rows"}
    return {**entry, "rows": [_row(row) for row in record.rows]}


def _row(row: Row) -> dict[str, Any]:
    kernel = {"kernel": row.kind} if row.kind else {}
    return {"name": row.name, **kernel, "measured": _number(row.measured), "simulated": _number(row.simulated)}


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 4)
