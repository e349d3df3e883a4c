"""What many tests need: the repository's root, the shared material, a CMSIS-NN."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared models and data beside the repository."""
    if not (SHARED / "models").is_dir():
        pytest.skip("needs the shared models and data beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def model_file() -> Callable[[str], Path]:
    """Name of a model -> its .tflite: the repository's, or else one of the shared models."""

    def find(name: str) -> Path:
        places = [folder / "models" / f"{name}.tflite" for folder in (ROOT, SHARED)]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            pytest.skip(f"needs {name}.tflite among shared models beside the repository")
        return found

    return find


@pytest.fixture(scope="session")
def cmsis_nn() -> Path:
    """The directory of a real CMSIS-NN."""
    named = os.environ.get("CMSIS_NN_PATH", "")
    if not named:
        pytest.skip("needs CMSIS_NN_PATH, the directory of a CMSIS-NN")
    return Path(named)
