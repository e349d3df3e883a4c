"""The tool's own folder beside approx.yaml: what can be made again, and should not be made again without need."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.project.files import is_real_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FOLDER = ".approx_cache"


@dataclass(frozen=True)
class Workplace:
    """One folder for each output directory of a spec; all of it may be deleted at any time."""

    root: Path

    @classmethod
    def of(cls, spec_file: Path, project: str, directory: Path) -> Workplace:
        """The place of a project. directory: where the project goes: another board's has a place of its own."""
        mark = hashlib.sha256(str(directory).encode(errors="surrogateescape")).hexdigest()[:8]
        return cls(spec_file.parent / FOLDER / f"{project}-{mark}")

    def prepare(self) -> None:
        """Make the folder, and keep it out of the user's version control."""
        self.root.mkdir(parents=True, exist_ok=True)
        ignore = self.root.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

    @contextlib.contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the folder for one run at a time. `waiting` is called once if another run has it.

        The lock goes with the process, however it ends. Where the system has no flock, runs are not kept apart.
        """
        if fcntl is None:
            yield
            return
        self.prepare()
        with (self.root / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remove(self) -> None:
        """Delete what is in the project's folder; results of the search stay, and what lies behind links."""
        if is_real_folder(self.root):
            shutil.rmtree(self.root)

    @property
    def evaluations(self) -> Path:
        """Results of the search, by content; shared by all projects of the spec's folder."""
        return self.root.parent / "evaluations"

    @property
    def tree(self) -> Path:
        """The project before its report exists."""
        return self.root / "tree"

    @property
    def build(self) -> Path:
        """Objects and ELF files."""
        return self.root / "build"

    @property
    def bench(self) -> Path:
        """Firmware of the bench: a folder for each board."""
        return self.root / "bench"

    @property
    def vectors(self) -> Path:
        """Inputs and expected answers of the last generation."""
        return self.root / "vectors.npz"

    @property
    def stamp(self) -> Path:
        """What the last generation was made of."""
        return self.root / "generated.json"
