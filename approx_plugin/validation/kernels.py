"""The core by itself, as plain values: kernels.yaml."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approx_plugin.documents.reader import read
from approx_plugin.errors import ToolError

FILE = Path(__file__).resolve().parent / "kernels.yaml"


@dataclass(frozen=True)
class Kernel:
    """An operation of a scheme in one implementation. published, simulated: cycles."""

    scheme: str
    implementation: str
    operation: str
    published: int
    simulated: int

    @property
    def error(self) -> float:
        """Simulated against published, relative."""
        return self.simulated / self.published - 1.0


@dataclass(frozen=True)
class Recorded:
    """Kernels that were simulated once. chip: its title; virtual_board: digest of the model that did it."""

    source: str
    published_with: str
    simulated_with: str
    date: str
    chip: str
    virtual_board: str
    kernels: tuple[Kernel, ...]


@functools.cache
def load_kernels() -> Recorded:
    """What was recorded."""
    return parse(read(FILE, ToolError).value)


def parse(tree: Any) -> Recorded:
    """The plain values of the file. KeyError, TypeError, ValueError: the file itself is wrong."""
    kernels = tuple(Kernel(**entry) for entry in tree["kernels"])
    return Recorded(**{**tree, "date": str(tree["date"]), "kernels": kernels})
