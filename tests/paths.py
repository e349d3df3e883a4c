"""The folders that pyproject.toml names for pytest, for commands of `tests` that run without it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("models", "tools", "tests/support")


def find_support() -> None:
    """Let modules of these folders be imported by their bare names."""
    for folder in FOLDERS:
        path = str(ROOT / folder)
        if path not in sys.path:
            sys.path.insert(0, path)
