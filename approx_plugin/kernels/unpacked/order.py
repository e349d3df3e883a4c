"""In which order the slots are computed, so that neighbouring pixels share their loads."""

from __future__ import annotations

from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import Geometry, Slots
from approx_plugin.kernels.unpacked.window import allocate, count_loads


def orders(layout: Geometry, slots: Slots) -> list[list[int]]:
    """The orders worth comparing: by kernel row, column, channel in three nestings.

    Kernel rows stay outermost unless neighbouring pixels are above each other: far rows need the base to be moved.
    """
    keys = []
    for number, offset in enumerate(slots.offset.tolist()):
        row, within = divmod(offset, layout.row_pitch)
        column, channel = divmod(within, layout.channel_pitch)
        keys.append((row, column, channel, number))
    nestings = ((0, 2, 1), (0, 1, 2), (2, 1, 0))
    return [[k[3] for k in sorted(keys, key=lambda k: tuple(k[i] for i in nesting))] for nesting in nestings]


def best_order(layout: Geometry, slots: Slots, block: Block) -> tuple[list[int], int]:
    """The order with the fewest loads when every slot is kept, and how many those are."""
    reach = block.pixel_offsets(layout)[-1] + int(slots.offset.max(initial=0))
    compared = orders(layout, slots)
    if reach * 2 > 4095:
        compared = compared[:2]
    counted = [
        (count_loads(allocate(order, slots.offset.tolist(), block.pixel_offsets(layout), block.window)), index)
        for index, order in enumerate(compared)
    ]
    loads, index = min(counted)
    return compared[index], loads
