"""How a layer is unpacked: layout, block and slot order with the fewest estimated cycles on the target."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.unpacked.blocks import Block, candidates
from approx_plugin.kernels.unpacked.counting import Counts, count, full_body, work
from approx_plugin.kernels.unpacked.geometry import Geometry, Slots, geometry, pitches, slots
from approx_plugin.kernels.unpacked.kept import Kept, kept
from approx_plugin.kernels.unpacked.requantise import ChannelConstants, fold
from approx_plugin.operators.conv2d import Conv2D


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that decides the code of a layer, and what that code consists of."""

    layout: Geometry
    slots: Slots
    block: Block
    order: tuple[int, ...]
    constants: ChannelConstants
    counts: Counts

    def work(self, memories: Memories) -> Work:
        """What the cost model wants to know."""
        return work(self.layout, self.block, self.counts, memories)

    @property
    def flash_bytes(self) -> int:
        """Of the layer's code, estimated."""
        return round(float(self.counts.bytes.sum()))


def plan(conv: Conv2D, model: CostModel) -> Plan:
    """The best plan of those compared, by `model`."""
    return min(plans(conv), key=lambda p: model.cycles(p.work(model.memories)))


def plans(conv: Conv2D) -> list[Plan]:
    """All that are compared, best guess first."""
    constants = fold(conv)
    found = []
    for pitch in pitches(conv.in_channels):
        layout = geometry(conv, pitch)
        all_slots = slots(layout)
        keeps = kept(all_slots, constants)
        found += [_plan(layout, all_slots, block, constants, keeps) for block in candidates(layout)]
    return found


def _plan(layout: Geometry, all_slots: Slots, block: Block, constants: ChannelConstants, keeps: Kept) -> Plan:
    order = full_body(layout, block).order
    return Plan(layout, all_slots, block, order, constants, count(layout, block, keeps))
