"""Cuts a channel group's products into phases whose code stays in an instruction cache.

A function that is larger than the cache is fetched from flash anew for every block of pixels. So a large group is cut:
each phase runs over the whole output with some of the slots and hands its sums to the next one through memory, which
costs two load/store multiples a block and 4 bytes for every accumulator of every block. The order of the additions does
not matter: they are exact modulo 2**32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from approx_plugin.kernels.unpacked.assembly import Group
from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import Geometry

PHASE_BYTES = 8 * 1024 - 256
"""Products' code of one phase: the smallest cache that can hold a useful function is the 8 KB ICACHE of the STM32U5."""

SUM_BYTES = 4


def slot_bytes(group: Group, block: Block) -> list[int]:
    """Estimated code bytes of every slot: constants, multiply-accumulates, and a load for a block's new word."""
    full = (group.low != 0) & (group.high != 0)
    half = ((group.low != 0) | (group.high != 0)) & ~full
    sizes = full.sum(axis=0) * (8 + 4 * block.pixels) + half.sum(axis=0) * (4 + 4 * block.pixels)
    result: list[int] = np.where(group.used, sizes + 6, 0).tolist()
    return result


def count_phases(parts: Sequence[Group], block: Block) -> int:
    """How many phases the largest group needs; all groups of a layer get as many."""
    largest = max(sum(slot_bytes(part, block)) for part in parts)
    return max(1, -(-largest // PHASE_BYTES))


def cut(order: Sequence[int], group: Group, block: Block, phases: int) -> list[list[int]]:
    """The slots that the group uses, in their order, as `phases` runs of about the same code size."""
    sizes = slot_bytes(group, block)
    total = max(1, sum(sizes))
    runs: list[list[int]] = [[] for _ in range(phases)]
    done = 0
    for slot in order:
        if sizes[slot]:
            runs[min(phases - 1, done * phases // total)].append(slot)
            done += sizes[slot]
    return runs


def sums_bytes(layout: Geometry, block: Block, phases: int) -> int:
    """Memory in which a group's sums wait between two phases."""
    return 0 if phases == 1 else block.passes(layout) * block.pixels * block.channels * SUM_BYTES
