"""How a layer is unpacked: layout, block and slot order with the fewest estimated cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from approx_plugin.kernels.schedules.unpacked.blocks import Block, candidates
from approx_plugin.kernels.schedules.unpacked.geometry import Geometry, Slots, geometry, pitches, slots
from approx_plugin.kernels.schedules.unpacked.order import best_order
from approx_plugin.kernels.schedules.unpacked.requantise import ChannelConstants, fold
from approx_plugin.operators.conv2d import Conv2D

WIDEN_CYCLES = 1.8
"""Cycles to widen one element: 7 instructions for 4 of them (SXTB16 twice, PKHBT, PKHTB, a load, a double store)."""

PASS_OVERHEAD = 30
"""Cycles of a block beside its products and outputs: bias, pointers, counters."""

OUTPUT_CYCLES = 5.5
"""Cycles of an output: 4 to requantise and store, and its share of the channel's constants."""

CALL_CYCLES = 40
"""Cycles to enter and leave a group's function."""

BYTES_BESIDE_PRODUCTS = 140
"""Code bytes of a group's loops, with 22 more for each output of a block."""


@dataclass(frozen=True)
class Estimate:
    """cycles: ideal Cortex-M4; flash_bytes: of the layer's code."""

    cycles: float
    flash_bytes: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that decides the code of a layer."""

    layout: Geometry
    slots: Slots
    block: Block
    order: tuple[int, ...]
    constants: ChannelConstants
    estimate: Estimate


def plan(conv: Conv2D) -> Plan:
    """The best plan of those compared, by the estimate."""
    constants = fold(conv)
    found = []
    for pitch in pitches(conv.in_channels):
        layout = geometry(conv, pitch)
        all_slots = slots(layout)
        for block in candidates(layout):
            order, loads = best_order(layout, all_slots, block)
            estimate = _estimate(layout, all_slots, block, loads, constants)
            found.append(Plan(layout, all_slots, block, tuple(order), constants, estimate))
    return min(found, key=lambda p: p.estimate.cycles)


def _estimate(layout: Geometry, all_slots: Slots, block: Block, loads: int, constants: ChannelConstants) -> Estimate:
    low, high = all_slots.pairs(constants.weights)
    full = (low != 0) & (high != 0)
    half = ((low != 0) | (high != 0)) & ~full
    groups = -(-layout.out_channels // block.channels)
    padding = groups * block.channels - layout.out_channels
    used = np.pad(full | half, ((0, padding), (0, 0))).reshape(groups, block.channels, -1).any(axis=1)
    # Fewer slots share less: a word that was loaded for two neighbours may now serve one only.
    share = float(used.mean()) if used.size else 0.0
    loaded = groups * loads * share**0.8
    unaligned = 0.5 if layout.channel_pitch % 2 else 0.0
    products = int(full.sum()) * (2 + block.pixels) + int(half.sum()) * (1 + block.pixels)
    passes = block.passes(layout)
    cycles = passes * (
        products
        + loaded * (1.8 + unaligned)
        + layout.out_channels * block.pixels * OUTPUT_CYCLES
        + groups * PASS_OVERHEAD
    )
    cycles += groups * CALL_CYCLES + layout.rows * layout.columns * layout.channel_pitch * WIDEN_CYCLES
    size = int(full.sum()) * (8 + 4 * block.pixels) + int(half.sum()) * (4 + 4 * block.pixels) + int(loaded * 4)
    size += groups * (BYTES_BESIDE_PRODUCTS + 22 * block.pixels * block.channels)
    return Estimate(cycles, size)
