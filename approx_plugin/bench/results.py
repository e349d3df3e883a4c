"""What a bench has found. All cycles are simulated, per inference; nothing in here was measured on hardware."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.laboratory.figures import NOTHING, Figures

BASELINE = "cmsis_nn"
"""Id of the variant that the others are compared with."""


@dataclass(frozen=True)
class LayerResult:
    """A layer of one variant on one board.

    op: TFLite's name; kernel: what computes it; macs: of the exact layer; macs_computed: those that its code does.
    flash_bytes: code and constants that only this layer has; scratch_bytes: its piece of the arena beyond in and out.
    """

    index: int
    name: str
    op: str
    kernel: str
    macs: int
    macs_computed: int
    flash_bytes: int
    scratch_bytes: int
    figures: Figures


@dataclass(frozen=True)
class Top1:
    """Top-1 in percent on `images` images that the search never saw."""

    exact: float
    approximated: float
    images: int


@dataclass(frozen=True)
class VariantResult:
    """One firmware on one board.

    variant: id, see `variants.VARIANTS`; layers: without those that are only another view of their input.
    flash_bytes, ram_bytes: of the whole linked program, one test vector included; arena_bytes: the network's part of
    the RAM; stack_bytes: the deepest stack of the whole firmware.
    printed_cycles: "CPU cycles" of the firmware's own console, by its cycle counter: one whole inference, the calls
    between the layers included. It is what to compare with the console of a real board.
    top1: of an approximated network. design: which design it is, by the name that the generation report has for it.
    estimated_cycles: of all layers, by the cost model of the search, as the generation report has them; the others are
    simulated.
    """

    variant: str
    layers: tuple[LayerResult, ...]
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    stack_bytes: int
    printed_cycles: int
    top1: Top1 | None = None
    design: str = ""
    estimated_cycles: float | None = None

    @property
    def total(self) -> Figures:
        """Over all layers."""
        return sum((layer.figures for layer in self.layers), NOTHING)

    @property
    def macs_computed(self) -> int:
        """Over all layers."""
        return sum(layer.macs_computed for layer in self.layers)


@dataclass(frozen=True)
class BoardResult:
    """All variants on one virtual board.

    board:       its id.
    clock_hz:    the core clock that the firmware sets up.
    model_error: how far the model of this core is known to be from hardware, one sentence.
    variants:    in the order of `variants.VARIANTS`.
    missing:     (variant, why) of those that the board cannot hold.
    notes:       what has to be said about figures for this board, a sentence or two each.
    """

    board: str
    name: str
    mcu: str
    core: str
    clock_hz: int
    model_error: str
    variants: tuple[VariantResult, ...]
    missing: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, variant: str) -> VariantResult | None:
        """The result of a variant, None where it is missing."""
        return next((found for found in self.variants if found.variant == variant), None)

    def milliseconds(self, cycles: int) -> float:
        """Simulated time at the board's clock."""
        return 1000.0 * cycles / self.clock_hz


@dataclass(frozen=True)
class Bench:
    """One run. is_baseline: the library is a real CMSIS-NN; without one no speed-up is claimed.

    macs: of one inference of the exact network. variants: id -> what it is, of all that were asked for.
    """

    network: str
    model_file: str
    model_sha256: str
    macs: int
    cmsis_nn_provider: str
    cmsis_nn_version: str
    is_baseline: bool
    compiler: str
    tool_version: str
    variants: tuple[tuple[str, str], ...]
    boards: tuple[BoardResult, ...]

    def speedup(self, board: BoardResult, variant: VariantResult, layer: int | None = None) -> float | None:
        """Cycles of exact CMSIS-NN / cycles of `variant`, on the same board, in total or of the layer with this index.

        None where there is nothing to divide: no real CMSIS-NN, no result for it on this board, or no cycles.
        """
        baseline = board.of(BASELINE)
        if not self.is_baseline or baseline is None:
            return None
        before, after = _cycles(baseline, layer), _cycles(variant, layer)
        return before / after if before and after else None


def _cycles(variant: VariantResult, layer: int | None) -> int:
    """In total, or of one layer; 0 for a layer that the variant does not have."""
    if layer is None:
        return variant.total.cycles
    return next((found.figures.cycles for found in variant.layers if found.index == layer), 0)
