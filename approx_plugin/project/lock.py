"""One run at a time for an output directory, whichever spec, user or program starts it."""

from __future__ import annotations

import contextlib
import os
import threading
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
            _remove(made)


def _hold(directory: Path, waiting: Callable[[], None], held: contextlib.ExitStack) -> list[Path]:
    """Lock the directory until `held` is closed; returns the folders that were made for it, the innermost first."""
    told = False
    for _ in range(ATTEMPTS if fcntl else 0):
        try:
            made = _make(directory)
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


def _make(directory: Path) -> list[Path]:
    """Make the directory and what is missing above it, all at once; returns those that were not there, the innermost
    first.

    Others make and remove the same ones at the same time: whoever makes the outermost one has made them all, and
    removes them all. Raises OSError; FileNotFoundError if another one was quicker.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    if len(made) < 2:
        directory.mkdir(exist_ok=True)
        return made
    outermost = made[-1]
    prepared = _aside(outermost, "new")
    try:
        (prepared / directory.relative_to(outermost)).mkdir(parents=True)
        prepared.rename(outermost)
    except OSError as error:
        _dismantle(prepared, outermost, made)
        if outermost.exists():
            raise FileNotFoundError from error
        raise
    return made


def _aside(folder: Path, purpose: str) -> Path:
    """A name beside the folder's that is this run's alone."""
    return folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}.{purpose}")


def _dismantle(place: Path, outermost: Path, folders: list[Path]) -> None:
    """Remove the folders, the innermost first, where the outermost one has the name `place`."""
    with contextlib.suppress(OSError):
        for folder in folders:
            (place / folder.relative_to(outermost)).rmdir()


def _remove(made: list[Path]) -> None:
    """Remove what is empty of the folders that were made, the innermost first.

    Several of them go at once, under another name: whoever comes in between would else find some of them, and not know
    that they were to go.
    """
    empty: list[Path] = []
    for folder in made:
        with contextlib.suppress(OSError):
            if {entry.name for entry in os.scandir(folder)} != {inner.name for inner in empty[-1:]}:
                break
            empty.append(folder)
    if not empty:
        return
    outermost = empty[-1]
    gone = outermost if len(empty) == 1 else _aside(outermost, "gone")
    with contextlib.suppress(OSError):
        if gone != outermost:
            outermost.rename(gone)
        _dismantle(gone, outermost, empty)


def _is(directory: Path, descriptor: int) -> bool:
    """Whether the open directory is the one that has this name now."""
    try:
        return os.path.samestat(directory.stat(), os.fstat(descriptor))
    except OSError:
        return False
