"""A compiler that takes its time: it says that it has begun, and goes on when it is told to."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

NAME = "arm-none-eabi-gcc"
_SCRIPT = """\
#!/bin/sh
case "$*" in *-dumpfullversion*) exec "{real}" "$@";; esac
echo $$ >> "{folder}/started"
while [ ! -e "{folder}/go" ]; do sleep 0.05; done
exec "{real}" "$@"
"""


class SlowCompiler:
    """In a folder of its own, which `path` puts in front of the others."""

    def __init__(self, folder: Path) -> None:
        real = shutil.which(NAME)
        if real is None:
            pytest.skip(f"needs {NAME}")
        folder.mkdir()
        self._folder = folder
        (folder / NAME).write_text(_SCRIPT.format(real=real, folder=folder), encoding="utf-8")
        (folder / NAME).chmod(0o755)

    @property
    def path(self) -> str:
        """For the environment's PATH."""
        return f"{self._folder}{os.pathsep}{os.environ['PATH']}"

    def started(self, count: int = 1, timeout: float = 120) -> list[int]:
        """Wait until so many compilations have begun: their processes."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            file = self._folder / "started"
            found = [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError("no compiler was started")

    def go(self) -> None:
        """Let all of them, and those to come, do their work."""
        (self._folder / "go").touch()
