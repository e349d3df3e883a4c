"""What many tests need: the repository's root, the shared material, a CMSIS-NN."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared models and data beside the repository."""
    folder = ROOT.parent / "shared"
    if not (folder / "models").is_dir():
        pytest.skip("needs the shared models and data beside the repository")
    return folder


@pytest.fixture(scope="session")
def cmsis_nn() -> Path:
    """The directory of a real CMSIS-NN."""
    named = os.environ.get("CMSIS_NN_PATH", "")
    if not named:
        pytest.skip("needs CMSIS_NN_PATH, the directory of a CMSIS-NN")
    return Path(named)
