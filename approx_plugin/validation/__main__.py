"""`python -m approx_plugin.validation`: after a change of the virtual board, or when something new was published.

Needs the libraries that were measured, each from its public repository, and MLPerf Tiny's four .tflite files:

    --library tflm=DIR               CMSIS-NN, commit 601d96c6
    --library microtvm=DIR,HEADERS   CMSIS 5, commit 51263182: CMSIS/NN and CMSIS/Core/Include
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.cli import MISTAKE, guarded, positive
from approx_plugin.errors import ProjectError
from approx_plugin.exploration.workers import executor
from approx_plugin.measured.record import file_of, load_records
from approx_plugin.resources import resource_root
from approx_plugin.validation.document import document
from approx_plugin.validation.firmware import parse_libraries
from approx_plugin.validation.measurements import load_measurements
from approx_plugin.validation.run import band, compare


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m approx_plugin.validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--library", action="append", default=[], help="STACK=DIR or STACK=DIR,HEADERS")
    parser.add_argument("--models", type=Path, help="the folder of MLPerf Tiny's .tflite files")
    parser.add_argument("--jobs", type=positive, default=2, help="simulations at a time")
    parser.add_argument("--work", type=Path, help="where objects are kept for the next time")
    today = datetime.date.today()
    parser.add_argument("--date", type=_date, default=today, help="for the document; today's if not given")
    parser.add_argument("--write", action="store_true", help="write docs/validation.md; all libraries have to be there")
    return parser


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a date as in 2026-01-31, not '{text}'") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Compare. 0: done; 2: a mistake, which is said; 130: interrupted."""
    options = arguments().parse_args(argv)
    return guarded(lambda: run(options))


def _check_writable(file: Path) -> None:
    """Nobody should learn at the end of a run that its result cannot be written."""
    file.parent.mkdir(exist_ok=True)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ProjectError("the document cannot be written", where=file)


def run(options: argparse.Namespace) -> int:
    """The command. Returns its exit status; raises what `compare` raises, and OSError."""
    measurements = load_measurements()
    stacks = list(dict.fromkeys(one.stack.id for one in measurements))
    libraries = parse_libraries(options.library, stacks)
    missing = [stack for stack in stacks if stack not in libraries]
    for stack in missing:
        print(f"not compared: {stack} (--help says which --library it needs)", file=sys.stderr)
    if not libraries or (options.write and missing):
        return MISTAKE
    file = resource_root() / "docs" / "validation.md"
    if options.write:
        _check_writable(file)
    with tempfile.TemporaryDirectory() as temporary, executor(options.jobs) as pool:
        found = compare(measurements, libraries, options.models, options.work or Path(temporary), pool, print)
    boards = [load_board(name) for name in known_boards()]
    records = [(board, record) for board in boards for record in load_records(file_of(board))]
    low, high = band(found)
    print(f"{len(found)} figures: {low:+.1%} to {high:+.1%}")
    if options.write:
        file.write_text(document(found, options.date.isoformat(), records), encoding="utf-8")
        print(f"{file} was written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
