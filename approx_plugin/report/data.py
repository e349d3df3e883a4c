"""What a report says, before it is text or JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
"""Version of report.json; it grows when a field changes its meaning or goes."""


@dataclass(frozen=True)
class Border:
    """An int8 tensor at the network's border: real = scale * (q - zero_point)."""

    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def size_bytes(self) -> int:
        """Bytes of one input or output."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    op: TFLite's name; kernel: the schedule; shape: of the output; inputs: names of the layers it reads.
    macs, macs_kept: of one inference; parameter_bytes: in the .tflite; flash_bytes: code and constants in the linked
    program, None where it was not linked; estimated_cycles: of the kernel that was taken, by the cost model.
    note: why a convolution stays with CMSIS-NN, "" otherwise.
    """

    index: int
    name: str
    op: str
    kernel: str
    shape: tuple[int, ...]
    inputs: tuple[str, ...]
    macs: int
    macs_kept: int
    parameter_bytes: int
    flash_bytes: int | None
    estimated_cycles: float
    note: str


@dataclass(frozen=True)
class Accuracy:
    """Top-1 in percent on one set that the search never saw.

    exact, approximated: None where the spec names no data. interval: 95 % confidence interval of the difference
    approximated - exact in points. set, images: which images, how many. looks: how many designs were tried on them.
    """

    exact: float | None
    approximated: float | None
    images: int
    set: str
    interval: tuple[float, float] | None = None
    interval_method: str = ""
    looks: int = 0


@dataclass(frozen=True)
class FrontPoint:
    """A point of the Pareto front, measured on the exploration images."""

    accuracy: float
    macs_kept: int
    cycles: float
    flash_bytes: int
    ram_bytes: int
    chosen: bool


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of the linked Release firmware. None where no compiler was found.

    arena: the network's activations and scratch; ram, flash: of the whole program; capacities are the board's.
    """

    arena: int
    ram: int | None
    flash: int | None
    ram_capacity: int
    flash_capacity: int


@dataclass(frozen=True)
class Report:
    """Everything.

    macs_exact, macs_kept, macs_computed: of one inference: of the exact network; not skipped by approximation; really
    done: weights that are 0 anyway are not in unpacked code.
    """

    network: str
    model_file: str
    model_sha256: str
    board: str
    mcu: str
    core: str
    clock_hz: int
    method: str
    target: str
    cmsis_nn_provider: str
    cmsis_nn_version: str
    tool_version: str
    compiler: str
    cost_model: str
    input: Border
    output: Border
    accuracy: Accuracy
    exploration_accuracy: Accuracy
    macs_exact: int
    macs_kept: int
    macs_computed: int
    memory: MemoryUse
    layers: tuple[LayerRow, ...]
    front: tuple[FrontPoint, ...]
    remarks: tuple[str, ...]


def as_json(report: Report) -> dict[str, Any]:
    """report.json's content: plain dicts, lists, strings and numbers."""
    accuracy = asdict(report.accuracy)
    return {
        "format": FORMAT,
        "network": report.network,
        "model": {"file": report.model_file, "sha256": report.model_sha256},
        "board": report.board,
        "mcu": report.mcu,
        "core": report.core,
        "clock_hz": report.clock_hz,
        "method": report.method,
        "target": report.target,
        "cmsis_nn": {"provider": report.cmsis_nn_provider, "version": report.cmsis_nn_version},
        "tool": {"version": report.tool_version, "compiler": report.compiler, "cost_model": report.cost_model},
        "input": {**asdict(report.input), "size_bytes": report.input.size_bytes},
        "output": {**asdict(report.output), "size_bytes": report.output.size_bytes},
        "accuracy": accuracy,
        "exploration_accuracy": asdict(report.exploration_accuracy),
        "macs": {"exact": report.macs_exact, "kept": report.macs_kept, "computed": report.macs_computed},
        "ram_bytes": report.memory.ram,
        "flash_bytes": report.memory.flash,
        "memory": asdict(report.memory),
        "layers": [asdict(layer) for layer in report.layers],
        "front": [asdict(point) for point in report.front],
        "remarks": list(report.remarks),
    }
