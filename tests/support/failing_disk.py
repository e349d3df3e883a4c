"""A disk that fails, or a process that dies, at a chosen file operation: Python's audit events tell of it before."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

CHANGING = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class KilledError(BaseException):
    """What stands for the end of the process: nothing that follows has an effect on the disk."""


class Disk:
    """A context in which the n-th changing operation below `root` does not happen.

    fail_at, kill_at: count from 1; 0 for never. A kill may follow a failure. error: what it fails with, a full disk
    where none is given. calls: how many operations there have been. Where `killed`, none has an effect any more.
    """

    _active: Disk | None = None

    def __init__(self, root: Path, *, fail_at: int = 0, kill_at: int = 0, error: BaseException | None = None) -> None:
        self._root, self._fail_at, self._kill_at = str(root), fail_at, kill_at
        self._error = error
        self.calls, self.killed = 0, False

    def __enter__(self) -> Disk:
        assert Disk._active is None
        Disk._active = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        Disk._active = None

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, str) or not path.startswith(self._root) or not flags & WRITING:
                return
        elif event not in CHANGING:
            return
        self.calls += 1
        if self.calls == self._kill_at or self.killed:
            self.killed = True
            raise KilledError
        if self.calls == self._fail_at:
            raise self._error or OSError(errno.ENOSPC, "No space left on device", str(arguments[0]))

    @staticmethod
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        """For `sys.addaudithook`, which has no way back."""
        if Disk._active is not None:
            Disk._active._see(event, arguments)


sys.addaudithook(Disk.hook)
