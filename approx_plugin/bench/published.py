"""What others have published about the same models on the same boards, and how far the model is from hardware."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approx_plugin.documents.reader import read
from approx_plugin.errors import ToolError

FILE = Path(__file__).resolve().parent / "published.yaml"


@dataclass(frozen=True)
class Reference:
    """A measurement on a real board. low, high: cycles per MAC of the exact network; equal for a single figure."""

    board: str
    engine: str
    low: float
    high: float

    @property
    def text(self) -> str:
        """`2.18` or `3.74-3.91`."""
        return f"{self.low:.2f}" if self.low == self.high else f"{self.low:.2f}-{self.high:.2f}"


@dataclass(frozen=True)
class Published:
    """references: by sha256 of the .tflite; errors: by core, one sentence each; source: of all references;
    baseline: the engine that exact CMSIS-NN can be compared with.
    """

    references: dict[str, tuple[Reference, ...]]
    errors: dict[str, str]
    source: str
    baseline: str

    def of(self, model_sha256: str, board: str) -> tuple[Reference, ...]:
        """What is known about a model on a board, in the file's order."""
        return tuple(r for r in self.references.get(model_sha256, ()) if r.board == board)

    def model_error(self, core: str) -> str:
        """How far simulated cycles are from hardware, as far as anybody has checked."""
        return self.errors.get(core, "never compared with hardware")


@functools.cache
def load_published() -> Published:
    """The table that comes with the tool."""
    return parse(read(FILE, ToolError).value)


def parse(tree: Any) -> Published:
    """The plain values of the file. KeyError, TypeError, ValueError: the file itself is wrong."""
    references = {}
    for model in tree["models"]:
        references[model["sha256"]] = tuple(
            Reference(board, engine, float(figures[0]), float(figures[-1]))
            for board, engines in model["cycles_per_mac"].items()
            for engine, figures in engines.items()
        )
    bands = tree.get("model_bands", {})
    errors = {core: said + _banded(bands.get(core, {})) for core, said in tree["model_error"].items()}
    return Published(references, errors, tree["source"], tree["baseline"])


def _banded(bands: Mapping[str, str]) -> str:
    """What is known by kind of code, as the end of a sentence."""
    return f"; by kind of code: {'; '.join(f'{kind} {band}' for kind, band in bands.items())}" if bands else ""
