"""What the command line or SCons asks for, beside what approx.yaml says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """spec: the approx.yaml; board, out, cmsis_nn: in the place of the file's own, None to leave it.

    force:   replace generated files that the user has edited.
    workers: processes for the search and the compiler; None: as the spec says, and one compiler a processor.
    boards:  for the bench only: ids, or "all"; empty: the one board.
    point:   the number of a point of the front that `explore` has left: its design is taken in the place of a search.
    dry:     show what would be changed in the project of `into`, and change nothing of it.
    layer:   for `explain` only: a name or an index.
    probe:   for `program` only: which tool; None: whichever is there.
    into:    a project of the user's that the network moves into, in the place of the file's own.
    console: for measure only: a recorded console, "-" for standard input; port: a serial port in its place.
    note:    for measure only: kept with what was measured.
    """

    spec: Path
    board: str | None = None
    out: Path | None = None
    cmsis_nn: Path | None = None
    force: bool = False
    workers: int | None = None
    boards: tuple[str, ...] = ()
    point: int | None = None
    dry: bool = False
    layer: str | None = None
    probe: str | None = None
    into: Path | None = None
    console: Path | None = None
    port: str | None = None
    note: str = ""
