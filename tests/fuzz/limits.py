"""Bounds for one input: a reader that takes longer, or more memory, has a defect."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator

SECONDS = 10.0
"""A second is what a user waits for; a busy machine may need ten times as long."""

MEMORY = 6 << 30
"""Bytes of address space, of the whole process."""


class TooSlowError(BaseException):
    """An input took too long. No `Exception`: a reader that survives all of these must not survive this one."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise TooSlowError in the middle of what takes longer than SECONDS."""
    seconds = SECONDS

    def late(number: int, frame: object) -> None:
        raise TooSlowError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory(size: int = MEMORY) -> None:
    """Let this process have no more: what is too much becomes a MemoryError."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
