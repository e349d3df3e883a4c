"""The validated approx.yaml. Paths are absolute here; the file's own are relative to the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from approx_plugin.errors import Location

SETS = ("calibration", "exploration", "confirmation")
"""The names of the three sets, in the order in which they are used."""


@dataclass(frozen=True)
class PixelScaling:
    """Pixels 0 to 255 as real values: (pixel - mean) * scale. mean: one number, or one a channel."""

    scale: float
    mean: tuple[float, ...]


@dataclass(frozen=True)
class DataSource:
    """A slice of an .npz file, or of a folder of pictures: arrays `images` and `labels`, from image
    `start`, `count` of them (None: to the end).

    inputs: of a network with several inputs the array of each, by its name; empty: `images` is the only one.
    pixels: how uint8 numbers become real ones; None: they are the input's bytes, 128 more.
    """

    file: Path
    images: str
    labels: str
    start: int
    count: int | None
    inputs: Mapping[str, str] = field(default_factory=dict)
    pixels: PixelScaling | None = None


@dataclass(frozen=True)
class DataSpec:
    """The three disjoint sets: statistics, search, and the last word."""

    calibration: DataSource
    exploration: DataSource
    confirmation: DataSource

    @property
    def sources(self) -> dict[str, DataSource]:
        """The sets by their names, in the order in which they are used."""
        return {name: getattr(self, name) for name in SETS}


@dataclass(frozen=True)
class Target:
    """What the network has to keep. At least one is set, at most one of the accuracies and of cycles and latency.

    max_accuracy_drop: percentage points below the exact network, on the confirmation set.
    accuracy:          minimum top-1 in percent, on the confirmation set.
    max_flash, max_ram: bytes of the steps and of the arena; max_cycles: of one inference; max_latency: seconds. They
                       are kept where that is possible; where it is not the network is made nevertheless.
    """

    max_accuracy_drop: float | None
    accuracy: float | None
    max_flash: int | None = None
    max_ram: int | None = None
    max_cycles: float | None = None
    max_latency: float | None = None

    @property
    def has_accuracy(self) -> bool:
        """Whether it asks for an accuracy."""
        return self.max_accuracy_drop is not None or self.accuracy is not None


@dataclass(frozen=True)
class Method:
    """How products are chosen to be skipped.

    name:      "none" (exact), "significance" (the published method), "compensated" (products that hardly vary, their
               mean in the bias) or "reconstruction" (the second-order update).
    criterion: "ratio_of_means" (S = E[a]w / sum E[a]w) or "mean_of_ratios" (mean of |p_i / sum p|).
    granularity: of significance: "weight" (the published one) or "pair" (aligned pairs, what one SMLAD does).
    layers:    names or indexes of the convolutions that may be approximated; None: all of them.
    exclude:   names or indexes that must stay exact.
    """

    name: str
    criterion: str
    granularity: str
    layers: tuple[str, ...] | None
    exclude: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """seed: of every random choice; evaluations: how many designs may be measured; workers: processes.

    confidence: in percent, with which the target has to be kept on images like the confirmation set's; None: it is
    enough that those images themselves keep it.
    cluster: None for processes of our own, "dask" for a local cluster of dask.distributed, else a scheduler's address.
    """

    seed: int
    evaluations: int
    workers: int
    confidence: float | None
    cluster: str | None = None


@dataclass(frozen=True)
class KernelOptions:
    """backend: "assembly" or "c". convolution: "auto" (by cost), "unpacked" (wherever possible) or "cmsis_nn"."""

    backend: str
    convolution: str


@dataclass(frozen=True)
class ProjectOptions:
    """name: of the STM32CubeIDE project; directory: the tree; test_vectors: how many inputs go into the firmware.

    into: a project of the user's that the network moves into; None for none.
    """

    name: str
    directory: Path
    test_vectors: int
    into: Path | None = None


@dataclass(frozen=True)
class PackOptions:
    """Where packs come from and go to. index: the address; folder: where they are kept, None for the user's cache.

    cmsis_nn: the release of ARM::CMSIS-NN, None for the newest.
    """

    index: str
    folder: Path | None
    cmsis_nn: str | None


@dataclass(frozen=True)
class Spec:
    """A whole approx.yaml.

    board:      a folder below board/, or a part.
    pdsc:       where the part's pack description lies; None where its pack is fetched.
    cmsis_nn:   directory of a CMSIS-NN, None for the portable subset.
    data:       None only where `method.name` is "none" or a design is given: test vectors are then random, seeded.
    design:     a design.json that is taken instead of a search, None for none.
    optimize:   what the choice of kernels is after: "time", "flash", "ram" or "balanced".
    name:       the network's C name.
    api:        in which C the network can be called beside our own: "stai", "ai".
    budget:     bytes that the network may take, by kind of memory ("flash", "ram"), for what else the firmware does.
    verify_images: how many inputs the emulator run checks.
    locations:  where each field stands in the file, by its path: "target.max_accuracy_drop" -> file:line:column.
    """

    file: Path
    model: Path
    board: str
    pdsc: Path | None
    packs: PackOptions
    target: Target | None
    data: DataSpec | None
    method: Method
    design: Path | None
    search: Search
    kernels: KernelOptions
    optimize: str
    budget: Mapping[str, int]
    name: str
    api: tuple[str, ...]
    cmsis_nn: Path | None
    project: ProjectOptions
    verify_images: int
    locations: Mapping[str, Location]

    def where(self, path: str) -> Location:
        """The place of a field, or of the nearest enclosing one that the file has."""
        parts = path.split(".")
        while parts:
            found = self.locations.get(".".join(parts))
            if found:
                return found
            parts.pop()
        return Location(str(self.file))
