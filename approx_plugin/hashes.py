"""The one digest by which contents are told apart."""

from __future__ import annotations

import hashlib


def sha256(content: bytes) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    return hashlib.sha256(content).hexdigest()
