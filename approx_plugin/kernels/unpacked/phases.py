"""Cuts a channel group's products into phases whose code stays in an instruction cache.

A function that is larger than the cache is fetched from flash anew for every block of pixels. So a large group is cut:
each phase runs over the whole output with some of the slots and hands its sums to the next one through memory, which
costs two load/store multiples a block and 4 bytes for every accumulator of every block. The order of the additions does
not matter: they are exact modulo 2**32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from approx_plugin.kernels.machine.idioms import constant
from approx_plugin.kernels.machine.instruction import instruction
from approx_plugin.kernels.machine.registers import R1, R2
from approx_plugin.kernels.unpacked.assembly import Group
from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import Geometry

PHASE_BYTES = 8 * 1024 - 256
"""Products' code of one phase: the smallest cache that can hold a useful function is the 8 KB ICACHE of the STM32U5."""

SUM_BYTES = 4

PRODUCT_BYTES = instruction("smlad", R2, R2, R2, R2).size
PAIR_BYTES, SINGLE_BYTES = (sum(one.size for one in constant(R1, value)) for value in (0x12345678, 0x1234))
"""A multiply-accumulate; the constants of two weights and of one."""

WORD_BYTES = 6
"""Estimated: what a slot's loads take, for a block's new words."""


def slot_bytes(full: Any, half: Any, used: Any, block: Block) -> Any:
    """Estimated code bytes of slots, numbers or arrays: of those with two weights, with one, and of any channel."""
    products = block.pixels * PRODUCT_BYTES
    return full * (PAIR_BYTES + products) + half * (SINGLE_BYTES + products) + used * WORD_BYTES


def group_slot_bytes(group: Group, block: Block) -> list[int]:
    """Estimated code bytes of every slot of a group."""
    both = (group.low != 0) & (group.high != 0)
    one = ((group.low != 0) | (group.high != 0)) & ~both
    result: list[int] = slot_bytes(both.sum(axis=0), one.sum(axis=0), group.used, block).tolist()
    return result


def count_phases(parts: Sequence[Group], block: Block) -> int:
    """How many phases the largest group needs; all groups of a layer get as many."""
    largest = max(sum(group_slot_bytes(part, block)) for part in parts)
    return max(1, -(-largest // PHASE_BYTES))


def cut(order: Sequence[int], group: Group, block: Block, phases: int) -> list[list[int]]:
    """The slots that the group uses, in their order, as `phases` runs of about the same code size."""
    sizes = group_slot_bytes(group, block)
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
