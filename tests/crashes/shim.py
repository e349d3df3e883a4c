"""The library that is preloaded, and what it shares with us."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LAYOUT = struct.Struct("=iiiii")
"""count, at, action, signal, root: as the struct of shim.c."""

_NOTHING, _SEND, _FULL, _READ_ONLY = range(4)

ACTIONS = {
    "kill": (_SEND, signal.SIGKILL),
    "Ctrl-C": (_SEND, signal.SIGINT),
    "SIGTERM": (_SEND, signal.SIGTERM),
    "full disk": (_FULL, 0),
    "read-only disk": (_READ_ONLY, 0),
}
"""What may happen at the n-th operation; a disk stays full, or read-only, from then on."""


def build(folder: Path) -> Path | None:
    """The library; None where there is no compiler for it."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Crash:
    """action: of ACTIONS, "" for none; at: the number of the operation, from 1."""

    action: str = ""
    at: int = 0

    def start(self, file: Path) -> None:
        """Write the state of a run that begins."""
        action, number = ACTIONS.get(self.action, (_NOTHING, 0))
        file.write_bytes(_LAYOUT.pack(0, self.at, action, int(number), 0))


def set_root(file: Path, process: int) -> None:
    """Say who gets the signal."""
    with file.open("r+b") as stream:
        stream.seek(16)
        stream.write(struct.pack("=i", process))


def count(file: Path) -> int:
    """Operations of a run."""
    return int(_LAYOUT.unpack(file.read_bytes())[0])
