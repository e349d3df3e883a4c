"""Where evaluations run: in this process, or in several. Both are executors as in `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable, TypeVar

T = TypeVar("T")

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""What numpy's BLAS libraries read when a process starts."""


class SerialExecutor(Executor):
    """Runs every call at once, in this process."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """A future that is already done. KeyboardInterrupt and SystemExit pass through."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def executor(workers: int) -> Iterator[Executor]:
    """An executor of `workers` processes; 1 is this process. Leaving it early (Ctrl-C) drops what has not begun.

    Processes are spawned, not forked: a fork would copy the threads' locks of the BLAS library. Each computes with one
    thread, unless the environment says otherwise.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if workers == 1:
        yield SerialExecutor()
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _leave_interrupts_to_the_parent)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of the terminal; only the parent answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """New processes inherit the environment; numpy in this one has read it long ago."""
    added = [name for name in THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
