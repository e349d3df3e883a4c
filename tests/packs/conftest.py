"""An index of packs on the loopback, and a small CMSIS-NN."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pack_files import Index


@pytest.fixture
def index() -> Iterator[Index]:
    """It serves nothing at first."""
    made = Index()
    yield made
    made.close()


@pytest.fixture
def library(root: Path) -> dict[str, bytes]:
    """The files of a CMSIS-NN: the portable subset, which has its layout, without the mark that it is one."""
    folder = root / "Middlewares" / "CMSIS-NN"
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.[ch]")}
    return {name: content.replace(b"APPROX_PORTABLE_CMSIS_NN", b"IS_A_LIBRARY") for name, content in found.items()}
