"""The legend at the top of a generated file: what a reader has to know to follow the code below it."""

from __future__ import annotations

from approx_plugin.kernels.machine.registers import GENERAL, names
from approx_plugin.kernels.machine.text import WIDTH, folded
from approx_plugin.kernels.unpacked.assembly import (
    BASE,
    COLUMNS_SLOT,
    CONSTANT,
    OUTPUT_SLOT,
    ROWS_SLOT,
    SUMS_SLOT,
    WINDOW,
    accumulator,
)
from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import Geometry
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.provenance import generated_by

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")

SLOT = """A slot is two neighbouring elements of the input, which meet two weights. A comment before its products names
them by row and column of the kernel and channel of the input. Weights of zero have no code."""

SCALE = """Weights and bias are scaled by 2**(1 + left shift of the channel's multiplier), and the input's zero point is
folded into the bias. A sum so arrives doubled, and the rounded upper half of its product with the mantissa is the
rounding doubling high multiply of the quantisation scheme."""

PRODUCTS = """SMLAD multiplies a slot with two weights; where only one is kept, SMLABB or SMLATB multiplies the lower or
the upper operand with it. The first product of a channel takes the bias from the channel's last sum."""

REQUANTISATION = """SMMLAR sum, sum, mantissa, addend makes that product in one instruction, and adds:
((sum * mantissa + 2**31) >> 32) + addend. The addend is the
rounding constant, half of 2**shift + (output zero point * 2**shift), less 1 for a negative sum: halves are rounded away
from zero. SSAT shifts right and limits to int8."""

PHASES = """sums: {phases} functions compute a group one after the other (_a, _b, ...), each with some of the slots, so
that its code stays in an instruction cache. What they have summed up waits here, block after block."""

C_NAMES = """p points to the first operand of a block, o to its first output. aC_P is the sum of the group's channel C
and of the block's pixel P, counted row by row. approx_pair multiplies both operands of a slot, approx_single one of
them. approx_requantise (approx_runtime.h) takes mantissa, rounding constant, right shift and the output's limits."""


def assembly_legend(operator: Conv2D, layout: Geometry, block: Block, phases: int) -> list[str]:
    """Paragraphs for the head of a layer's assembly. phases: functions of each channel group."""
    window = names(GENERAL[WINDOW : WINDOW + block.window])
    constant, mantissa, rounding, temporary = (register.name for register in GENERAL[CONSTANT : CONSTANT + 4])
    legend = [
        *_common(operator, layout, block),
        "sums: not used." if phases == 1 else PHASES.format(phases=phases),
        "",
        SLOT,
        PRODUCTS,
        SCALE,
        REQUANTISATION,
        "",
        "Registers:",
        f"  {GENERAL[BASE].name}: the block's first operand, or further on where an offset would not reach",
        f"  {constant}: the weights of a slot; in the end the pointer to the block's outputs",
        f"  {window}: operands; in the end {mantissa}: mantissa, {rounding}: rounding constant, {temporary}: addend",
    ]
    for channel, ordinal in enumerate(ORDINALS[: block.channels]):
        sums = [accumulator(block, channel, pixel) for pixel in range(block.pixels)]
        legend.append(f"  {names(sums)}: sums of the group's {ordinal} channel, {_pixels(block)}")
    legend += [
        "On the stack:",
        f"  [sp, #{OUTPUT_SLOT}]: pointer to the block's outputs",
        f"  [sp, #{COLUMNS_SLOT}]: blocks left in the row; [sp, #{ROWS_SLOT}]: rows of blocks left",
    ]
    return legend if phases == 1 else [*legend, f"  [sp, #{SUMS_SLOT}]: pointer to the block's place in sums"]


def c_legend(operator: Conv2D, layout: Geometry, block: Block) -> list[str]:
    """The lines of the comment at the head of a layer's C file."""
    paragraphs = [*_common(operator, layout, block), "sums: not used.", "", SLOT, C_NAMES, SCALE]
    lines = [f" * {line}".rstrip() for text in paragraphs for line in folded(text, WIDTH - 3)]
    return ["/*" + lines[0][2:], *lines[1:], " */"]


def _common(operator: Conv2D, layout: Geometry, block: Block) -> list[str]:
    """What it is, who made it, how it is called."""
    kernel_h, kernel_w = operator.kernel
    products = int((operator.weights != 0).sum())
    # A name may hold anything: nothing in it may end a comment.
    label = operator.label.replace(";", "; ").replace("*/", "* /").replace("/*", "/ *")
    return [
        generated_by(f'{operator.name} ({operator.kind}), the model\'s "{" ".join(label.split())}"'),
        f"{kernel_h}x{kernel_w}x{operator.in_channels} -> {operator.out_channels}, {products} of "
        f"{operator.weights.size} products a pixel; {block.width}x{block.height} pixels by {block.channels} channels "
        "at a time.",
        "",
        "Each function computes a group of output channels of the whole layer, block by block of output pixels; blocks "
        "at the right and lower edge overlap their neighbours.",
        "  void name(const int16_t *input, int8_t *output, int32_t *sums)",
        f"input: with its padding, widened to int16; a row has {layout.row_pitch} elements, a pixel "
        f"{layout.channel_pitch}. output: int8, at the group's first channel.",
    ]


def _pixels(block: Block) -> str:
    if block.pixels == 1:
        return "the only pixel"
    if block.height == 1:
        return "pixels from left to right"
    return "pixels from top to bottom" if block.width == 1 else "pixels row by row"
