"""How the steps of the way are told."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Told one line for each step."""
