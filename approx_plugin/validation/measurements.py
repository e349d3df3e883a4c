"""What others have measured, as plain values: measurements.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from approx_plugin.documents.reader import read
from approx_plugin.errors import ToolError

FILE = Path(__file__).resolve().parent / "measurements.yaml"


@dataclass(frozen=True)
class Stack:
    """The software that was measured.

    networks: how those that were measured relate to ours; library: for people; version: what `project.cmsis_nn` says
    of that library; optimization: "o2" or "o3"; copies: cycles for each element of input and output that the figure
    contains beside the network.
    """

    id: str
    title: str
    source: str
    library: str
    version: str
    compiler: str
    networks: str
    optimization: str
    copies: int
    copies_source: str


@dataclass(frozen=True)
class Chip:
    """Where. board: whose firmware runs; memories: what differs from that board's timing, by memory and field."""

    id: str
    title: str
    clock_hz: int
    board: str
    memories: Mapping[str, Mapping[str, Any]] = field(hash=False)
    differences: str


@dataclass(frozen=True)
class Network:
    """file, sha256: of a .tflite; without one, input (shape) and layers describe the network: see `networks`.

    convolutions: whether a network of a file has any; of a described one, its layers say so.
    """

    id: str
    title: str
    file: str = ""
    sha256: str = ""
    input: tuple[int, ...] = ()
    layers: tuple[str, ...] = ()
    convolutions: bool = True

    @property
    def code(self) -> str:
        """The kind of code that it spends its time in."""
        described = any(layer.startswith("conv") for layer in self.layers)
        return DENSE if (described if self.layers else self.convolutions) else CONNECTED


DENSE, CONNECTED = "dense loops", "fully connected"
"""What a network's cycles go into: convolutions, or matrix-vector products whose weights stream from flash."""


@dataclass(frozen=True)
class Measurement:
    """One published figure. seconds: of an inference; fitted: the virtual board was fitted with it in sight."""

    stack: Stack
    chip: Chip
    network: Network
    seconds: float
    fitted: bool

    @property
    def cycles(self) -> float:
        """At the chip's clock."""
        return self.seconds * self.chip.clock_hz


@functools.cache
def load_measurements() -> tuple[Measurement, ...]:
    """Everything that is known, in the file's order."""
    return parse(read(FILE, ToolError).value)


def parse(tree: Any) -> tuple[Measurement, ...]:
    """The plain values of the file. KeyError, TypeError, ValueError: the file itself is wrong."""
    stacks = {entry["id"]: Stack(**entry) for entry in tree["stacks"]}
    chips = {entry["id"]: Chip(**entry) for entry in tree["chips"]}
    networks = {entry["id"]: _network(entry) for entry in tree["networks"]}
    return tuple(
        Measurement(
            stacks[entry["stack"]],
            chips[entry["chip"]],
            networks[entry["network"]],
            _seconds(entry),
            bool(entry.get("fitted", False)),
        )
        for entry in tree["measurements"]
    )


def _network(entry: Mapping[str, Any]) -> Network:
    lists = {key: tuple(entry[key]) for key in ("input", "layers") if key in entry}
    return Network(**{**entry, **lists})


def _seconds(entry: Mapping[str, Any]) -> float:
    if "milliseconds" in entry:
        return float(entry["milliseconds"]) / 1e3
    return 1.0 / float(entry["per_second"])
