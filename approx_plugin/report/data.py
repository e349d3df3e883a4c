"""What a report says, before it is text or JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from approx_plugin.report.detail import ArenaPiece, CostLimit, Histogram, SkipMap


@dataclass(frozen=True)
class Border:
    """A tensor at the network's border: real = scale * (q - zero_point).

    shape: of its bytes; element: what they are, as of `Tensor`.
    """

    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    element: str = "int8"

    @property
    def size_bytes(self) -> int:
        """Bytes of one input or output."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True)
class Approximation:
    """How a layer was approximated.

    basis: in which coefficients; groups: what fell together. level: the threshold or share that made it.
    products, products_dropped: coefficients of the exact layer that are not 0, and how many of them were left out.
    groups_all, groups_dropped: groups that hold such a coefficient, all output channels together, and how many of them
    hold none any more. map: where they are.
    """

    basis: str
    groups: str
    level: float
    products: int
    products_dropped: int
    groups_all: int
    groups_dropped: int
    map: SkipMap | None = None

    @property
    def share(self) -> float:
        """Of the products that were dropped, 0 to 1."""
        return self.products_dropped / self.products if self.products else 0.0


@dataclass(frozen=True)
class Considered:
    """The quickest plan of a kernel for one layer as it was lowered. cycles, flash_bytes, scratch_bytes: estimated.

    taken: it is in the program.
    """

    kernel: str
    variant: str
    cycles: float
    flash_bytes: int
    scratch_bytes: int
    taken: bool


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of one inference, and where they went: exact = skipped + zero + constant + spared +
    computed.

    skipped: left out by approximation; zero: products of a weight that is 0 in the exact network, which the code does
    not do; constant: products of output channels that put out the same for every input, likewise; spared: for which the
    kernel's algorithm needs no product of their own; computed: the rest.
    """

    exact: int
    skipped: int
    zero: int
    constant: int
    computed: int
    spared: int = 0

    @property
    def kept(self) -> int:
        """What approximation has not skipped."""
        return self.exact - self.skipped

    def __add__(self, other: Macs) -> Macs:
        """Of both."""
        return Macs(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


NO_MACS = Macs(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    op: TFLite's name; kernel: what computes it, variant: which of the kernel's plans; shape: of the output; inputs:
    names of the layers it reads. parameter_bytes: in the .tflite; flash_bytes: code and constants in the linked
    program, None where it was not linked; estimated_cycles: of the plan that was taken, by the cost model.
    approximation: None where it is exact. considered: every kernel that could compute it alone.
    note: what stands against a kernel that is made for it, "" where there is nothing to tell.
    step: index of the layer with whose output the step that computes it ends, at which all figures of the step stand;
    None for a view. library_cycles: of the exact layer through CMSIS-NN, or the quickest kernel where that has none;
    exact_cycles: of the exact network's plan, where it ends with this layer. Both estimated by the same model.
    significance: of its products, None where nothing was searched by significance.
    """

    index: int
    name: str
    op: str
    kernel: str
    variant: str
    shape: tuple[int, ...]
    inputs: tuple[str, ...]
    macs: Macs
    parameter_bytes: int
    flash_bytes: int | None
    estimated_cycles: float
    approximation: Approximation | None
    considered: tuple[Considered, ...]
    note: str
    step: int | None = None
    library_cycles: float = 0.0
    exact_cycles: float = 0.0
    significance: Histogram | None = None


@dataclass(frozen=True)
class Totals:
    """A whole network on the board, estimated: cycles of one inference, flash of its steps, the arena, MACs it does.

    shortages: what does not fit; the figures are then those of the smallest form.
    """

    cycles: float
    flash_bytes: int
    arena_bytes: int
    macs_computed: int
    shortages: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the board has room for it."""
        return not self.shortages


@dataclass(frozen=True)
class Accuracy:
    """Top-1 in percent on one set that the search never saw.

    exact, approximated: None where the spec names no data. interval: 95 % confidence interval of the difference
    approximated - exact in points, for a single look. set, images: which images, how many. looks: how many designs were
    tried on them.
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
    """A point of the Pareto front, or the design that was taken, measured on the exploration images.

    design: its number in the order of measurement, 0 for the exact network. cycles, flash_bytes, arena_bytes:
    estimated. chosen: it is what was generated; on_front: no other point beats it. recipe: (layer, level) of every
    approximated layer. interval: 95 % confidence interval of the difference to the exact network, in points.
    """

    design: int
    accuracy: float
    macs_kept: int
    cycles: float
    flash_bytes: int
    arena_bytes: int
    chosen: bool
    on_front: bool = True
    recipe: tuple[tuple[str, float], ...] = ()
    interval: tuple[float, float] | None = None

    @property
    def title(self) -> str:
        """As tables name it."""
        return title_of(self.design)


def title_of(design: int) -> str:
    """What reports call a measured design: by its number in the order of measurement."""
    return f"#{design}" if design else "exact"


@dataclass(frozen=True)
class Tried:
    """A look at the confirmation set.

    design: number; accuracy: top-1 there, in percent; met: it keeps the target. bound: what is certain of it with the
    confidence that was asked for, in points of difference, or in percent where the target is an accuracy; None where no
    confidence was asked for. images_needed: about how many images would have shown that it keeps the target.
    """

    design: int
    accuracy: float
    met: bool
    bound: float | None = None
    images_needed: int | None = None


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of the linked Release firmware. None where no compiler was found.

    arena: the network's activations and scratch; ram, flash: of the whole program; capacities are the board's.
    flash_by_source, ram_by_source: (source or library, bytes), the largest first; they add up to flash and ram.
    """

    arena: int
    ram: int | None
    flash: int | None
    ram_capacity: int
    flash_capacity: int
    flash_by_source: tuple[tuple[str, int], ...] = ()
    ram_by_source: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class DataUse:
    """A set of images. set: its name; file: without its folder; images: how many; sha256: of the file."""

    set: str
    file: str
    images: int
    sha256: str


@dataclass(frozen=True)
class Report:
    """Everything.

    method, target: in words. exact, chosen: totals of the exact network and of what was generated, by the same model
    and the same choice of kernels. optimize: what that choice was after, as in approx.yaml. flash_budget, ram_budget:
    what the steps and the arena may take.
    evaluations: designs that were measured; 0 where nothing was searched. allowed_drop: points that may be lost, None
    where the target is another one or nothing was searched. confidence: in percent, with which the target
    has to be kept, None where no confidence was asked for. looks: designs that were tried on the confirmation set, in
    that order.
    required: top-1 in percent that the target asks for on the exploration set; target_met: whether what was generated
    keeps the target; None for both where nothing was searched. dominated: measured designs that others beat, not all of
    them where there are very many. arena: its pieces. data: the sets of images; seed: of the search. is_baseline:
    whether the library is a real CMSIS-NN; preferred: the kernel that approx.yaml asks for, None for none.
    limits: costs that the target names; remedies: what would keep to them, sentences.
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
    exact: Totals
    chosen: Totals
    optimize: str
    flash_budget: int
    ram_budget: int
    memory: MemoryUse
    layers: tuple[LayerRow, ...]
    front: tuple[FrontPoint, ...]
    evaluations: int
    allowed_drop: float | None
    confidence: float | None
    looks: tuple[Tried, ...]
    remarks: tuple[str, ...]
    required: float | None = None
    target_met: bool | None = None
    dominated: tuple[FrontPoint, ...] = ()
    arena: tuple[ArenaPiece, ...] = ()
    data: tuple[DataUse, ...] = ()
    seed: int = 0
    is_baseline: bool = True
    preferred: str | None = None
    more_inputs: tuple[Border, ...] = ()
    more_outputs: tuple[Border, ...] = ()
    limits: tuple[CostLimit, ...] = ()
    remedies: tuple[str, ...] = ()

    @property
    def macs(self) -> Macs:
        """Over all layers."""
        return sum((layer.macs for layer in self.layers), NO_MACS)

    @property
    def library_cycles(self) -> float:
        """Of the exact network through CMSIS-NN, estimated; the quickest kernel where that has none for a layer."""
        return math.fsum(layer.library_cycles for layer in self.layers)

    @property
    def cycles_origin(self) -> str:
        """Where estimated cycles come from, for whoever prints them."""
        return estimated_by(self.cost_model)

    def saved(self, figure: str) -> float | None:
        """How much less of a figure of `Totals` the chosen network has; None if the exact one does not fit."""
        return getattr(self.exact, figure) - getattr(self.chosen, figure) if self.exact.fits else None


def points(count: float) -> str:
    """`1 point`, `2 points`, `0.5 points`."""
    return f"{count:g} point" if count == 1 else f"{count:g} points"


def estimated_by(cost_model: str) -> str:
    """The origin of estimated cycles. cost_model: what it was fitted to."""
    return f"estimated by a cost model that was fitted to {cost_model} (simulated); nothing was measured"


def per_mac(cycles: float, macs: int) -> float | None:
    """Cycles for each multiply-accumulate of the exact network; None where it has none."""
    return cycles / macs if macs else None
