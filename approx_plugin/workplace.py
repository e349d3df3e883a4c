"""The tool's own folder: what can be made again, and should not be made again without need.

It lies beside approx.yaml; where that cannot be written to, beside the output, or else in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.files import is_real_folder

FOLDER = ".approx_cache"


@dataclass(frozen=True)
class Workplace:
    """One folder for each output directory of a spec; all of it may be deleted at any time."""

    root: Path

    @classmethod
    def of(cls, spec_file: Path, project: str, directory: Path) -> Workplace:
        """The place of a project. directory: where the project goes: another board's has a place of its own."""
        mark = hashlib.sha256(str(directory).encode(errors="surrogateescape")).hexdigest()[:8]
        beside = spec_file.parent / FOLDER
        base = next(filter(_writable, (beside, directory.parent / FOLDER, user_cache(os.environ))), beside)
        return cls(base / f"{project}-{mark}")

    def is_beside(self, spec_file: Path) -> bool:
        """Whether it lies in its usual place."""
        return self.root.parent.parent == spec_file.parent

    def prepare(self) -> None:
        """Make the folder, and keep it out of the user's version control."""
        self.root.mkdir(parents=True, exist_ok=True)
        ignore = self.root.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

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
    def application(self) -> Path:
        """Objects of the user's program, where the network moves into one."""
        return self.root / "application"

    @property
    def left(self) -> Path:
        """What that program left of the memories when the network was chosen."""
        return self.root / "left.json"

    @property
    def stamp(self) -> Path:
        """What the last generation was made of."""
        return self.root / "generated.json"


def user_cache(environment: Mapping[str, str]) -> Path:
    """The tool's folder below $XDG_CACHE_HOME, or below ~/.cache."""
    base = environment.get("XDG_CACHE_HOME", "")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "approx-plugin"


def _writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made. What else may be wrong with it is not asked."""
    nearest = next(place for place in (folder, *folder.parents) if place.is_dir())
    return os.access(nearest, os.W_OK | os.X_OK)
