"""What simulated cycles depend on beside the firmware, as a digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import BoardTiming
from approx_plugin.cores.core import CORES
from approx_plugin.virtual_board.library import model_key


def fingerprint(board: Board) -> str:
    """Of everything in the virtual board that decides about cycles: figures with another one are out of date."""
    digest = hashlib.sha256(json.dumps(_numbers(board.timing), sort_keys=True).encode())
    digest.update((CORES / f"{board.core}.yaml").read_bytes())
    digest.update(model_key().encode())
    digest.update(str(board.clock_hz).encode())
    return digest.hexdigest()[:16]


def _numbers(timing: BoardTiming | None) -> dict[str, dict[str, Any]]:
    """What the board says about its timing without the sources: what it does not say has none."""
    if timing is None:
        return {}

    def said(name: str, value: Any) -> dict[str, Any]:
        return {key: number for key, number in vars(value).items() if f"{name} {key}" in timing.references}

    parts = {
        "caches": {name: said(name, cache) for name, cache in timing.caches.items()},
        "memories": {memory.name: said(memory.name, memory) for memory in timing.memories},
    }
    return {part: entries for part, entries in parts.items() if entries}
