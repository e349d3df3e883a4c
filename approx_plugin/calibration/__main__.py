"""`python -m approx_plugin.calibration`: after a change of the virtual board, a kernel or the compiler."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.calibration.document import Earlier, report_lines, table
from approx_plugin.calibration.record import Group, merged, read_record, record_text
from approx_plugin.calibration.run import NOTHING_KNOWN, board_text, calibrate, simulate_board
from approx_plugin.cli import MISTAKE, guarded, positive
from approx_plugin.kernels.costs.loader import FILE
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.laboratory.drawing import REGISTERED
from approx_plugin.resources import resource_root
from approx_plugin.virtual_board.fingerprint import fingerprint


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m approx_plugin.calibration", description=__doc__)
    parser.add_argument("--board", action="append", help="a board's id (may be repeated); all boards if not given")
    parser.add_argument(
        "--kernel", action="append", choices=sorted(KERNELS), help="only what this one costs; repeatable"
    )
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    parser.add_argument("--network", action="append", default=[], type=Path, help="a .tflite of held-out layers")
    parser.add_argument("--jobs", type=positive, default=2, help="boards at a time")
    parser.add_argument("--work", type=Path, help="where objects are kept for the next time")
    parser.add_argument("--record", type=Path, help="a folder for the held-out cycles: what the tests compare with")
    parser.add_argument("--check", action="store_true", help="only say which costs are out of date")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Calibrate. 0: done; 1: with --check, some costs are out of date; 2: a mistake, which is said."""
    options = arguments().parse_args(argv)
    return guarded(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """The command. Returns its exit status; raises what building and simulating raise."""
    boards = options.board or list(known_boards())
    if options.check:
        return check(boards)
    if not options.cmsis_nn:
        print("give --cmsis-nn: costs of the portable subset would say nothing", file=sys.stderr)
        return MISTAKE
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        library, kernels = Path(options.cmsis_nn), tuple(options.kernel or ())
        jobs = [Job(name, kernels, library, options.network, work / name, options.record) for name in boards]
        with ProcessPoolExecutor(min(options.jobs, len(jobs))) as pool:
            for said in pool.map(calibrate_board, jobs):
                print(said, flush=True)
    write_table()
    return 0


@dataclass(frozen=True)
class Job:
    """One board's. kernels: names of those that are calibrated, () for all. models: of real networks; folder: for
    objects; record: see the command line.
    """

    board: str
    kernels: Sequence[str]
    cmsis_nn: Path
    models: Sequence[Path]
    folder: Path
    record: Path | None


def calibrate_board(job: Job) -> str:
    """One board, in a process of its own: writes its costs and returns what to say."""
    board = load_board(job.board)
    lines = [board.name]
    # Kernels that are asked for by name are calibrated one by one: what is drawn for one does not depend on the others.
    for kernels in [[kernel] for kernel in REGISTERED if kernel.name in job.kernels] or [list(REGISTERED)]:
        lines += _calibrate(board, kernels, job)
    return "\n".join(lines)


def _calibrate(board: Board, kernels: Sequence[Kernel], job: Job) -> list[str]:
    """Writes what these kernels cost; lines for the terminal."""
    file = board.folder / FILE
    earlier = Earlier.read(file) if job.kernels else None
    known = earlier.kinds if earlier else NOTHING_KNOWN
    simulated = simulate_board(board, job.cmsis_nn, job.models, job.folder, 1, kernels, known)
    found = calibrate(simulated, known)
    file.write_text(board_text(found, board, job.cmsis_nn, earlier), encoding="utf-8")
    if job.record:
        job.record.mkdir(parents=True, exist_ok=True)
        place = job.record / f"{board.id}.json"
        layers = tuple((sample.operator.kind, sample.cycles) for sample in simulated.held_out)
        group = Group(tuple(kernel.name for kernel in kernels), layers)
        groups = merged(read_record(place) if job.kernels else (), (group,))
        place.write_text(record_text(groups), encoding="utf-8")
    return [*report_lines(found.errors), *(f"  {network}: {error:+.1%}" for network, error in found.totals.items())]


def write_table() -> None:
    """docs/costs.md, from all files that are there."""
    root = resource_root()
    files = [(load_board(name).name, root / "board" / name / FILE) for name in known_boards()]
    (root / "docs").mkdir(exist_ok=True)
    text = table([(name, file) for name, file in files if file.is_file()])
    (root / "docs" / "costs.md").write_text(text, encoding="utf-8")


def check(boards: Sequence[str]) -> int:
    """1 if costs were fitted to another virtual board than today's."""
    stale = []
    for name in boards:
        board = load_board(name)
        file = board.folder / FILE
        if not file.is_file():
            stale.append(f"{name}: no {FILE}")
        elif yaml.safe_load(file.read_text(encoding="utf-8"))["tools"]["virtual_board"] != fingerprint(board):
            stale.append(f"{name}: {FILE} was fitted to another virtual board")
    print("\n".join(stale) or "all costs are up to date")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
