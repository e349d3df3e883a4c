"""`python -m approx_plugin.laboratory`: every kernel on drawn and extreme layers, on the virtual board of each core."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.cli import guarded, positive
from approx_plugin.exploration.workers import executor
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.laboratory.harness import NOTHING_SEEN, Verdict
from approx_plugin.laboratory.jobs import Job, examine_some

CORES = ("cortex-m4", "cortex-m7", "cortex-m33")
BACKENDS = ("assembly", "c")
PORTION = 100
"""Layers between two lines of progress."""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m approx_plugin.laboratory", description=__doc__)
    parser.add_argument(
        "--layers", type=positive, default=200, help="drawn layers for each core (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--only", type=int, help="the number of one layer, as a fault names it")
    parser.add_argument("--core", action="append", choices=CORES, help="may be repeated; all if not given")
    parser.add_argument("--board", action="append", help="a board's id in the place of a core")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="may be repeated; both if not given")
    parser.add_argument("--kernel", action="append", choices=tuple(KERNELS), help="may be repeated; all if not given")
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="simulations at a time")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Examine. 0: nothing is wrong; 1: a kernel is; 2: a mistake of the user, which is said."""
    options = arguments().parse_args(argv)
    return guarded(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """The command. Returns its exit status; raises what building and simulating raise."""
    named = [load_board(name) for name in options.board or ()]
    boards = [board.id for board in named or map(board_of, options.core or CORES)]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, executor(options.jobs) as pool:
        for board in boards:
            for backend in options.backend or BACKENDS:
                jobs = list(_jobs(options, board, backend, Path(folder)))
                verdict, done = NOTHING_SEEN, 0
                verdicts = pool.map(examine_some, jobs) if options.jobs > 1 else map(examine_some, jobs)
                for job, found in zip(jobs, verdicts):
                    for fault in found.faults:
                        print(fault, flush=True)
                    verdict, done = verdict + found, done + len(job.numbers)
                    print(f"{board}, {backend}: {done} layers, {len(verdict.faults)} faults", file=sys.stderr)
                print("\n".join([f"{board}, {backend}:", *summary(verdict)]), flush=True)
                wrong += len(verdict.faults)
    return 1 if wrong else 0


def _jobs(options: argparse.Namespace, board: str, backend: str, folder: Path) -> Iterator[Job]:
    numbers = range(options.layers) if options.only is None else range(options.only, options.only + 1)
    library = Path(options.cmsis_nn) if options.cmsis_nn else None
    names = tuple(options.kernel or KERNELS)
    portion = max(1, min(PORTION, -(-len(numbers) // options.jobs)))
    for start in range(0, len(numbers), portion):
        part = numbers[start : start + portion]
        yield Job(board, backend, options.seed, part, names, library, folder / board / backend)


def board_of(core: str) -> Board:
    """The board with this core that holds most, of those that can be bought. Raises ValueError for another core."""
    boards = [load_board(name) for name in known_boards()]
    return max(
        (board for board in boards if board.core == core and not board.based_on),
        key=lambda board: (board.flash.length, board.ram.length, board.id),
    )


def summary(verdict: Verdict) -> list[str]:
    """What ran, kernel by kernel."""
    count: dict[str, int] = defaultdict(int)
    cycles: dict[str, int] = defaultdict(int)
    for one in verdict.measured:
        name = one.subject.drawn.kernel.name
        count[name] += 1
        cycles[name] += one.figures.cycles
    lines = [f"  {name}: {count[name]} plans, {cycles[name]:,} cycles (simulated) for each input" for name in count]
    if verdict.left_out:
        lines.append(f"  {verdict.left_out} plans did not fit the board")
    return lines


if __name__ == "__main__":
    sys.exit(main())
