"""Where a step's output may lie over an input that nobody reads afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Overlap:
    """The output may begin `distance` bytes behind the input's first byte (before it, where that is negative).

    latest: the largest such distance. every: distances have to be multiples of it. A kernel that reads its input from
    front to back and writes its output behind the reading has a `latest`; one that goes channel by channel may write
    wherever the same channel lay, which is a matter of `every`.
    """

    latest: int
    every: int = 1

    def allows(self, distance: int) -> bool:
        """Whether the output may begin there."""
        return distance <= self.latest and distance % self.every == 0

    def least(self, source: int, output: int) -> int:
        """Bytes of both together where they overlap most. source, output: of each of them."""
        return min(source + output, max(source - min(self.latest, 0), output))

    def next_output(self, distance: int, alignment: int) -> int | None:
        """The least distance from this one on that is allowed and a multiple of `alignment`; None: there is none."""
        unit = math.lcm(self.every, alignment)
        found = -(-distance // unit) * unit
        return found if found <= self.latest else None

    def next_input(self, distance: int, alignment: int) -> int:
        """The largest distance up to this one that is allowed and a multiple of `alignment`."""
        unit = math.lcm(self.every, alignment)
        return min(distance, self.latest) // unit * unit


def in_stripes(written: Sequence[int], needed: Sequence[int], size: int) -> Overlap:
    """Of a kernel that reads and writes stripe by stripe, each read before it is written.

    written: bytes of the output up to the end of what a stripe and those before it write; needed: the first byte of the
    input that a stripe reads; both in the order of stripes. size: of the input, anywhere over which the output may lie
    if there is a single stripe.
    """
    return Overlap(min((later - done for done, later in zip(written, needed[1:])), default=size))
