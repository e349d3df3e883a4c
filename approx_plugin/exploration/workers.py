"""Where evaluations run: in this process, in several, or on a cluster. All are executors as in `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Callable, TypeVar

from approx_plugin.errors import ToolError

T = TypeVar("T")

TERMINAL = frozenset(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))
"""Signals that reach every process of a terminal."""

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
        pool = _Pool(workers, multiprocessing.get_context("spawn"), _follow_the_parent)
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


class _Pool(ProcessPoolExecutor):
    """Its processes begin with the terminal's signals held back, until they have learnt to ignore them."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """See Executor.submit: what starts processes. An interrupt in between comes a moment later."""
        with _held_back():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _held_back() -> Iterator[None]:
    """Block the signals that a terminal sends to all of its processes; processes that are started inherit that.

    Another thread may take such a signal all the same, and then its handler runs in this one: it waits, too.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda got, frame: came.append(got)) for number in TERMINAL}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for got in came:
            signal.raise_signal(got)


def _follow_the_parent() -> None:
    """Ctrl-C and hang-ups reach every process of the terminal: only the parent answers them. When that has ended,
    however it did, so does this process: it would wait for work for ever.
    """
    for number in TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


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
