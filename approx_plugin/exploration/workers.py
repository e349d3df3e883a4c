"""Where evaluations run: in this process, in several, or on a cluster. All are executors as in `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, TypeVar

from approx_plugin.errors import ToolError

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


LOCAL = "dask"
"""In the place of a scheduler's address: a cluster of this machine."""

SECONDS = 30
"""That a scheduler has to answer."""


@contextmanager
def executor(workers: int, cluster: str | None = None) -> Iterator[Executor]:
    """An executor of `workers` processes; 1 is this process. Leaving it early (Ctrl-C) drops what has not begun.

    Processes are spawned, not forked: a fork would copy the threads' locks of the BLAS library. Each computes with one
    thread, unless the environment says otherwise. cluster: as `Search.cluster`; the scheduler at an address decides
    itself how many workers there are. Raises ToolError where dask.distributed is missing, or the scheduler.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if cluster is not None:
        with _on_cluster(workers, cluster) as pool:
            yield pool
        return
    if workers == 1:
        yield SerialExecutor()
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _leave_interrupts_to_the_parent)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _on_cluster(workers: int, cluster: str) -> Iterator[Executor]:
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise ToolError(
            "the Python package distributed is missing: there is no cluster to search on",
            hint="pip install 'approx-plugin[cluster]', or leave `search: cluster` out",
        ) from None
    with ExitStack() as stack:
        stack.enter_context(_one_thread_each())
        if cluster == LOCAL:
            local = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
            address = stack.enter_context(local)
        else:
            address = cluster
        try:
            client = stack.enter_context(Client(address, timeout=SECONDS))
        except (OSError, TimeoutError) as error:
            raise ToolError(
                f"no scheduler of dask.distributed answers at {cluster}",
                why=str(error),
                hint="start one with `dask scheduler`, and workers that have approx-plugin installed",
            ) from None
        # Equal calls are not one: what is computed is decided by the memo, here.
        yield client.get_executor(pure=False)


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
