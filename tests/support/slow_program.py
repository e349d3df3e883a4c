"""A program that takes its time: it says that it has begun, and goes on when it is told to."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

COMPILER = "arm-none-eabi-gcc"
_SCRIPT = """\
#!/bin/sh
case "$*" in *-dumpfullversion*) exec "{real}" "$@";; esac
{trap}
echo $$ >> "{folder}/started"
sleep 600 &
echo $! >> "{folder}/children"
while [ ! -e "{folder}/go" ]; do sleep 0.05; done
kill $!
exec "{real}" "$@"
"""


class SlowProgram:
    """A script in the place of a program, in a folder of its own, which `path` puts in front of the others.

    It has a child, as compilers have. stubborn: it does not end when it is asked to.
    """

    def __init__(self, folder: Path, name: str = COMPILER, *, stubborn: bool = False) -> None:
        real = shutil.which(name, path=plain_path())
        if real is None:
            pytest.skip(f"needs {name}")
        folder.mkdir()
        self._folder = folder
        trap = "trap '' TERM INT" if stubborn else ""
        (folder / name).write_text(_SCRIPT.format(real=real, folder=folder, trap=trap), encoding="utf-8")
        (folder / name).chmod(0o755)

    @property
    def path(self) -> str:
        """For the environment's PATH."""
        return f"{self._folder}{os.pathsep}{plain_path()}"

    def started(self, count: int = 1, timeout: float = 120) -> None:
        """Wait until it has been started so many times."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if len(self._read("started")) >= count and len(self._read("children")) >= count:
                return
            time.sleep(0.02)
        raise AssertionError(f"it was started {len(self._read('started'))} times")

    def go(self) -> None:
        """Let all that were started, and those to come, do their work."""
        (self._folder / "go").touch()

    @property
    def starts(self) -> int:
        """How often it has been started."""
        return len(self._read("started"))

    def alive(self) -> list[int]:
        """Those, and children of those, that still run."""
        return [process for name in ("started", "children") for process in self._read(name) if _runs(process)]

    def _read(self, name: str) -> list[int]:
        file = self._folder / name
        return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


def _runs(process: int) -> bool:
    """Whether a process is there and is no zombie (which only waits for its parent to ask after it)."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def plain_path() -> str:
    """The PATH without the links to ccache, which looks for a compiler itself and remembers instead of starting it."""
    links = os.environ.get("APPROX_TESTS_CCACHE")
    return os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != links)
