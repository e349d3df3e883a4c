"""What is compared: three ways through the same pipeline, from the same spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from approx_plugin.bench.results import BASELINE
from approx_plugin.exploration.measurement import Progress
from approx_plugin.kernels.registry import BASELINE as BASELINE_KERNEL
from approx_plugin.pipeline.designed import Designed, design, exact_design, made_before
from approx_plugin.pipeline.inputs import Inputs


@dataclass(frozen=True)
class Workshop:
    """What a design needs beside the inputs: see `pipeline.design`.

    made: a project that is up to date, for the board `made_for`: the search that found its design has not to be done
    again.
    """

    memo: Path
    workers: int
    progress: Progress
    made: Path | None = None
    made_for: str = ""


@dataclass(frozen=True)
class Variant:
    """title: for tables and pictures; prepare: the inputs and the network that `pipeline.lower_design` gets."""

    title: str
    prepare: Callable[[Inputs, Workshop], tuple[Inputs, Designed]]


def _library(inputs: Inputs, _: Workshop) -> tuple[Inputs, Designed]:
    kernels = replace(inputs.spec.kernels, convolution=BASELINE_KERNEL)
    return replace(inputs, spec=replace(inputs.spec, kernels=kernels)), _exact(inputs)


def _spec_kernels(inputs: Inputs, _: Workshop) -> tuple[Inputs, Designed]:
    return inputs, _exact(inputs)


def _spec_design(inputs: Inputs, workshop: Workshop) -> tuple[Inputs, Designed]:
    before = made_before(inputs, workshop.made) if workshop.made and inputs.board.id == workshop.made_for else None
    return inputs, before or design(inputs, workshop.memo, workshop.workers, workshop.progress)


def _exact(inputs: Inputs) -> Designed:
    return exact_design(inputs)


EXACT, APPROXIMATED = "exact", "approximated"

VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        BASELINE: Variant("exact, CMSIS-NN", _library),
        EXACT: Variant("exact, our kernels", _spec_kernels),
        APPROXIMATED: Variant("approximated", _spec_design),
    }
)


def variants_of(inputs: Inputs) -> tuple[str, ...]:
    """The ids of the variants that a spec has: without a method or a design there is nothing approximated."""
    approximated = inputs.design is not None or inputs.spec.method.name != "none"
    return tuple(name for name in VARIANTS if name != APPROXIMATED or approximated)
