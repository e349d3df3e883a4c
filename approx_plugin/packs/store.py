"""Where packs lie on this computer: the layout of cmsis-pack-manager, so that packs of other tools can be put there.

<root>/data/<Vendor>.<Name>.<version>.pdsc      descriptions
<root>/data/<Vendor>/<Name>/<version>.pack      packs, as they were published
<root>/index/                                   what cmsis-pack-manager notes of an index
<root>/unpacked/<sha256>/                       what a compiler needs as files
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.workplace import user_cache

FOLDER = "packs"
ENVIRONMENT = "APPROX_PACKS"
"""The variable that names another folder for all projects."""


@dataclass(frozen=True, order=True)
class Reference:
    """A release of a pack."""

    vendor: str
    name: str
    version: str

    @property
    def title(self) -> str:
        """As people write it: "ARM::CMSIS-NN 7.0.0"."""
        return f"{self.vendor}::{self.name} {self.version}"


@dataclass(frozen=True)
class Store:
    """root: the folder for packs; lock: the file that says which of them a project uses."""

    root: Path
    lock: Path

    @classmethod
    def of(cls, folder: Path | None, lock: Path) -> Store:
        """The store in `folder`; without one in $APPROX_PACKS, else in the user's cache. lock: the project's file."""
        named = os.environ.get(ENVIRONMENT, "")
        return cls(folder or (Path(named).absolute() if named else user_cache(os.environ) / FOLDER), lock)

    @property
    def data(self) -> Path:
        """Descriptions and packs."""
        return self.root / "data"

    @property
    def index(self) -> Path:
        """What cmsis-pack-manager notes."""
        return self.root / "index"

    def pack(self, one: Reference) -> Path:
        """The place of a pack."""
        return self.data / one.vendor / one.name / f"{one.version}.pack"

    def description(self, one: Reference) -> Path:
        """The place of a description."""
        return self.data / f"{one.vendor}.{one.name}.{one.version}.pdsc"

    def unpacked(self, sha256: str) -> Path:
        """The place of a pack's files, by the pack's content."""
        return self.root / "unpacked" / sha256
