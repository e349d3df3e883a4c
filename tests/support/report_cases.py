"""Reports that no run has made: figures to check texts, documents and pages with."""

from __future__ import annotations

from dataclasses import replace

from approx_plugin.report.data import (
    Accuracy,
    Approximation,
    Border,
    Considered,
    DataUse,
    FrontPoint,
    LayerRow,
    Macs,
    MemoryUse,
    Report,
    Totals,
    Tried,
)
from approx_plugin.report.detail import ArenaPiece, Histogram, SkipMap

CONV = LayerRow(
    index=0,
    name="conv2d_0",
    op="CONV_2D",
    kernel="unpacked",
    variant="2x2 pixels by 2 channels",
    shape=(1, 8, 8, 4),
    inputs=("input",),
    macs=Macs(2000, 500, 60, 40, 1400),
    parameter_bytes=104,
    flash_bytes=3000,
    estimated_cycles=4321.4,
    approximation=Approximation(
        "taps", "pairs of input channels", 0.0125, 100, 25, 60, 12, SkipMap(4, 9, ("7e.4", "0000"), (20, 5), (60, 40))
    ),
    considered=(
        Considered("unpacked", "2x2 pixels by 2 channels", 4321.4, 2900, 128, True),
        Considered("cmsis_nn", "", 9000.0, 700, 256, False),
    ),
    note="",
    step=0,
    library_cycles=9000.0,
    exact_cycles=5321.4,
    significance=Histogram((0.001, 0.01, 0.1, 1.0), (0, 60, 15), (5, 20, 0), 1),
)
DENSE = replace(
    CONV, index=1, name="fully_connected_1", op="FULLY_CONNECTED", kernel="cmsis_nn", shape=(1, 10), variant="",
    inputs=("conv2d_0",), macs=Macs(500, 0, 0, 0, 500), flash_bytes=1000, approximation=None, considered=(),
    estimated_cycles=678.6, note="unpacked: no SMLAD", step=1, library_cycles=678.6, exact_cycles=678.6,
    significance=None,
)  # fmt: skip
FULL = Report(
    network="digits",
    model_file="digits.tflite",
    model_sha256="ab" * 32,
    board="NUCLEO-U575ZI-Q",
    mcu="STM32U575ZITxQ",
    core="cortex-m33",
    clock_hz=160_000_000,
    method="significance, ratio_of_means, by weight",
    target="at most 1 point below the exact network",
    cmsis_nn_provider="CMSIS-NN",
    cmsis_nn_version="7.0.0",
    tool_version="0.1.0",
    cost_model="the virtual board of NUCLEO-U575ZI-Q",
    compiler="arm-none-eabi-gcc 12.2.1",
    input=Border("in", (1, 8, 8, 1), 1 / 255, -128),
    output=Border("out", (1, 10), 0.25, 3),
    accuracy=Accuracy(99.0, 98.25, 400, "confirmation", (-1.5, 0.125), "(paired, adjusted Wald)", 2),
    exploration_accuracy=Accuracy(98.0, 97.5, 300, "exploration"),
    exact=Totals(6000.0, 5000, 2048, 2440),
    chosen=Totals(5000.0, 4000, 2048, 1900),
    optimize="time",
    flash_budget=2_000_000,
    ram_budget=700_000,
    memory=MemoryUse(
        2048,
        8192,
        30000,
        786432,
        2097152,
        (("Middlewares/Approx/Src/layer_00.s", 25000), ("libc_nano.a", 5000)),
        (("Core/Src/inference.c", 8192),),
    ),
    layers=(CONV, DENSE),
    front=(
        FrontPoint(7, 96.5, 1900, 4900.0, 3900, 2048, False),
        FrontPoint(5, 97.5, 2000, 5000.0, 4000, 2048, True, True, (("conv2d_0", 0.0125),), (-1.5, 0.25)),
        FrontPoint(0, 98.0, 2500, 6000.0, 5000, 2048, False),
    ),
    evaluations=9,
    allowed_drop=1.0,
    confidence=None,
    looks=(Tried(7, 97.0, False), Tried(5, 98.25, True)),
    remarks=("One remark.",),
    required=97.0,
    target_met=True,
    dominated=(FrontPoint(3, 97.25, 2100, 5500.0, 4500, 2048, False, False, (("conv2d_0", 0.01),), (-1.25, 0.5)),),
    arena=(
        ArenaPiece("a & b <c>", "activation", 0, 2000, 0, 1),
        ArenaPiece("conv2d_0 scratch", "scratch", 2000, 48, 0, 0),
    ),
    data=(DataUse("confirmation", "digits.npz", 400, "cd" * 32),),
    seed=7,
)
BARE = replace(
    FULL,
    compiler="none found",
    accuracy=Accuracy(None, None, 0, "confirmation"),
    exploration_accuracy=Accuracy(None, None, 0, "exploration"),
    memory=replace(FULL.memory, ram=None, flash=None, flash_by_source=(), ram_by_source=()),
    layers=(
        replace(CONV, flash_bytes=None, approximation=None, macs=Macs(2000, 0, 0, 0, 2000), significance=None),
        replace(DENSE, flash_bytes=None, note=""),
    ),
    chosen=FULL.exact,
    front=(),
    evaluations=0,
    looks=(),
    remarks=(),
    required=None,
    target_met=None,
    dominated=(),
    arena=(),
    data=(),
)
