"""The block: how many output pixels and channels one pass of the straight-line code computes."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.unpacked.geometry import Geometry

REGISTERS = 14
"""r0 to r12 and lr; sp and pc are not to be had."""


@dataclass(frozen=True)
class Block:
    """`width` x `height` neighbouring output pixels by `channels` output channels: one accumulator for each product."""

    width: int
    height: int
    channels: int

    @property
    def pixels(self) -> int:
        """Output pixels of a block."""
        return self.width * self.height

    @property
    def window(self) -> int:
        """Registers left for operand words: all but the base pointer, the constant and the accumulators."""
        return REGISTERS - 2 - self.pixels * self.channels

    def passes(self, layout: Geometry) -> int:
        """How often a channel group's code runs. Blocks at the right and lower edge overlap their neighbours."""
        return -(-layout.out_width // self.width) * -(-layout.out_height // self.height)

    def pixel_offsets(self, layout: Geometry) -> tuple[int, ...]:
        """Distance of every pixel's first operand from the block's base pointer, in elements."""
        return tuple(layout.pixel(y, x) for y in range(self.height) for x in range(self.width))

    def output_offsets(self, layout: Geometry) -> tuple[int, ...]:
        """Distance of every pixel's output from the block's first, in bytes."""
        return tuple(layout.out_pixel(y, x) for y in range(self.height) for x in range(self.width))


SHAPES = (
    Block(4, 1, 2),
    Block(2, 2, 2),
    Block(1, 4, 2),
    Block(3, 1, 3),
    Block(1, 3, 3),
    Block(3, 1, 2),
    Block(2, 1, 4),
    Block(1, 2, 4),
    Block(1, 1, 8),
    Block(1, 1, 4),
)
"""What is compared, best guess first: 4 pixels x 2 channels fills the register file (kernel measurements).

Each leaves four registers beside the sums for requantisation: output pointer, mantissa, rounding constant, temporary.
"""


def candidates(layout: Geometry) -> tuple[Block, ...]:
    """The shapes that fit the output; those with more channels than the layer has only where there is no other."""
    fitting = [s for s in SHAPES if s.width <= layout.out_width and s.height <= layout.out_height]
    useful = [s for s in fitting if s.channels <= max(2, layout.out_channels)]
    return tuple(useful or fitting)
