"""One run at a time for an output directory, whichever spec, user or program starts it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ATTEMPTS = 1000
"""Times that the directory may vanish under us, as its last holder removes it, before it is one that cannot be made."""


@contextlib.contextmanager
def alone(directory: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold `directory` for one run at a time. `waiting` is called once if another run has it.

    The lock lies on the directory itself, so it is the same for all who reach it, by whatever path, and no file is
    needed for it. A directory that is not there is made for that time, and removed again if it is empty in the end. The
    lock goes with the process, however it ends. Where the system locks no directories, or the directory cannot be made,
    runs are not kept apart: what is wrong with the directory is for others to say.
    """
    with contextlib.ExitStack() as held:
        made = _hold(directory, waiting, held)
        try:
            yield
        finally:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _hold(directory: Path, waiting: Callable[[], None], held: contextlib.ExitStack) -> list[Path]:
    """Lock the directory until `held` is closed; returns the folders that were made for it, the innermost first."""
    told = False
    for _ in range(ATTEMPTS if fcntl else 0):
        made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # whoever had made it for his time has removed it again
        except OSError:
            break
        held.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                waiting()
                told = True
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            return made
        if _is(directory, descriptor):
            return made
        # It was removed, and perhaps made again, while we waited: that lock keeps nobody out.
        held.close()
    return []


def _is(directory: Path, descriptor: int) -> bool:
    """Whether the open directory is the one that has this name now."""
    try:
        return os.path.samestat(directory.stat(), os.fstat(descriptor))
    except OSError:
        return False
