"""The verb `measure`: a board's console beside the virtual board's, of the project or of the self-test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult
from approx_plugin.build.console import RunResult, parse_console
from approx_plugin.errors import ProjectError
from approx_plugin.measured.comparison import check, rows_of, text
from approx_plugin.measured.consoles import from_file, from_port
from approx_plugin.measured.record import SELF_TEST, Record, file_of, store
from approx_plugin.request import Request
from approx_plugin.virtual_board.fingerprint import fingerprint
from approx_plugin.virtual_board.firmware import load_firmware
from approx_plugin.virtual_board.simulation import simulate

Say = Callable[[str], None]


@dataclass(frozen=True)
class Console:
    """What a board has printed, and where that came from."""

    run: RunResult
    place: str

    @property
    def is_self_test(self) -> bool:
        """Whether it tells of microbenchmarks."""
        return self.run.network is None and bool(self.run.benchmarks)


def console_of(request: Request, board: Board, say: Say) -> Console:
    """The console that a request names. Raises ProjectError unless it names one; otherwise as `consoles`."""
    if (request.console is None) == (not request.port):
        raise ProjectError(
            "measure needs the console of a real board",
            why="both a file and a port are named" if request.port else "neither a file nor a port is named",
            hint="console=FILE (--console FILE) for a recorded one, port=/dev/ttyACM0 (--port) to listen to the board",
        )
    if request.console is not None:
        return Console(parse_console(from_file(request.console)), str(request.console))
    assert request.port and board.console
    return Console(parse_console(from_port(request.port, board.console.baud, say)), request.port)


def measure(console: Console, built: BuildResult, board: Board, request: Request, project: Path, say: Say) -> Record:
    """Simulate a program, compare, show and keep the comparison.

    built: the program; project: the folder of report.json, which is not there for the self-test.
    Raises as `comparison.check`, `record.store` and `simulate`.
    """
    simulated = parse_console(simulate(built.elf, board).console)
    check(console.run, simulated, board, console.place)
    model, kinds = _network(project) if not console.is_self_test else ("", {})
    rows = rows_of(console.run, simulated, kinds)
    record = Record(
        program=console.run.network or SELF_TEST,
        model=model,
        code=code_of(built.elf),
        compiler=built.compiler,
        virtual_board=fingerprint(board),
        clock_hz=console.run.clock_hz or board.clock_hz,
        note=request.note,
        rows=rows,
    )
    say(text(rows, board, "benchmark" if console.is_self_test else "layer"))
    store(record, file_of(board))
    say(f"kept in {file_of(board)}")
    return record


def code_of(elf: Path) -> str:
    """A digest of what is loaded: another path of the sources, in debug information, is no other program."""
    digest = hashlib.sha256()
    for segment in load_firmware(elf).segments:
        digest.update(segment.address.to_bytes(4, "little") + segment.content)
    return digest.hexdigest()


def _network(project: Path) -> tuple[str, dict[str, str]]:
    """By report.json: the model's sha256, and the kernel of every layer."""
    report = json.loads((project / "report.json").read_text(encoding="utf-8"))
    return report["model"]["sha256"], {layer["name"]: layer["kernel"] for layer in report["layers"]}
