"""Layers that one process examines. Not in `__main__`: what stands there cannot be found by the processes it starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.laboratory.drawing import REGISTERED, unpriced
from approx_plugin.laboratory.harness import Stand, Verdict, draw_subjects, examine


@dataclass(frozen=True)
class Job:
    """Some layers on one board. kernels: names; library: a CMSIS-NN, None for the portable subset; folder: each process
    makes one of its own below it.
    """

    board: str
    backend: str
    seed: int
    numbers: range
    kernels: tuple[str, ...]
    library: Path | None
    folder: Path


def examine_some(job: Job) -> Verdict:
    """One job, in a process of its own."""
    board = load_board(job.board)
    platform = unpriced(board, job.backend)
    subjects = draw_subjects(job.seed, job.numbers, platform, chosen(job.kernels))
    stand = Stand(board, platform, job.library, job.folder / str(os.getpid()), 1)
    return examine(subjects, stand, job.seed)


def chosen(names: Sequence[str]) -> tuple[Kernel, ...]:
    """The kernels by these names."""
    return tuple(kernel for kernel in REGISTERED if kernel.name in names)
