"""Benches that were never run: figures to check tables, pictures and documents with."""

from __future__ import annotations

from approx_plugin.bench.published import Published, Reference
from approx_plugin.bench.results import Bench, BoardResult, LayerResult, Top1, VariantResult
from approx_plugin.laboratory.figures import Figures
from approx_plugin.virtual_board.results import Stalls

MACS = (442_368, 2_359_296, 0)
MODEL = "ab" * 32


def figures(cycles: int) -> Figures:
    """Stalls that add up to less than the cycles."""
    return Figures(cycles, cycles // 2, cycles // 3, Stalls(cycles // 11, cycles // 13, cycles // 17, 0, 1))


def variant(name: str, cycles: tuple[int, ...], top1: Top1 | None = None) -> VariantResult:
    """A variant whose layers take `cycles`."""
    layers = tuple(
        LayerResult(
            index=index + (index > 1),  # an alias has no figures, and leaves a gap
            name=f"conv2d_{index}",
            op="CONV_2D",
            kernel="cmsis_nn" if name == "cmsis_nn" else "unpacked",
            macs=MACS[index],
            macs_computed=MACS[index] // (2 if top1 else 1),
            flash_bytes=1000 + index,
            scratch_bytes=64 * index,
            figures=figures(count),
        )
        for index, count in enumerate(cycles)
    )
    design = "#17" if top1 else "exact"
    return VariantResult(name, layers, 113_768, 57_608, 50_000, 896, sum(cycles) + 480, top1, design, sum(cycles) + 0.4)


def board(name: str, core: str, clock: int, scale: float, variants: tuple[str, ...], missing: str = "") -> BoardResult:
    """A board on which everything takes `scale` times as long."""
    base = {"cmsis_nn": (2_883_213, 7_122_590, 552_432), "exact": (620_361, 3_283_318, 552_416)}
    base["approximated"] = (500_000, 2_000_000, 552_410)
    measured = tuple(
        variant(v, tuple(round(c * scale) for c in base[v]), Top1(81.8, 80.95, 2000) if v == "approximated" else None)
        for v in variants
        if v != missing
    )
    lacking = ((missing, "the network needs 98,765 bytes of RAM"),) if missing in variants else ()
    return BoardResult(
        name.lower(), name, "STM32X", core, clock, f"model of the {core} & <its> error", measured, lacking
    )


def bench(variants: tuple[str, ...] = ("cmsis_nn", "exact", "approximated"), is_baseline: bool = True) -> Bench:
    """Four boards; one of them in two settings, one without a variant."""
    titles = {"cmsis_nn": "exact, CMSIS-NN", "exact": "exact, our kernels", "approximated": "approximated"}
    return Bench(
        network="resnet<8> & friends",
        model_file="resnet8.tflite",
        model_sha256=MODEL,
        macs=sum(MACS),
        cmsis_nn_provider="CMSIS-NN" if is_baseline else "portable subset",
        cmsis_nn_version="7.0.0",
        is_baseline=is_baseline,
        compiler="arm-none-eabi-gcc 12.2.1",
        tool_version="0.1.0",
        variants=tuple((name, titles[name]) for name in variants),
        boards=(
            board("NUCLEO-L4R5ZI", "cortex-m4", 120_000_000, 1.0, variants),
            board("NUCLEO-L4R5ZI-SINGLE-BANK", "cortex-m4", 120_000_000, 0.8, variants),
            board("NUCLEO-U575ZI-Q", "cortex-m33", 160_000_000, 0.7, variants),
            board("NUCLEO-H743ZI2", "cortex-m7", 480_000_000, 0.5, variants, missing="exact"),
        ),
    )


def published() -> Published:
    """Engines that lie close together, beyond the longest bar, and at the very left."""
    engines = (
        Reference("nucleo-l4r5zi", "CMSIS-NN (TVM, TFLM)", 3.9, 4.4),
        Reference("nucleo-l4r5zi", "X-CUBE-AI 9.0", 1.58, 1.58),
        Reference("nucleo-l4r5zi", "Plumerai 2023", 1.61, 1.61),
        Reference("nucleo-u575zi-q", "Plumerai 2023", 0.02, 0.02),
    )
    errors = {core: f"error of the {core}" for core in ("cortex-m4", "cortex-m33", "cortex-m7")}
    return Published({MODEL: engines}, errors, "where they come from", "CMSIS-NN (TVM, TFLM)")
