"""What a kernel costs on a board. Nobody who asks knows whether the answer is a formula, a simulation or a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerCost:
    """cycles: of one inference; flash_bytes: code and constants; ram_bytes: scratch beside input and output.

    macs: multiply-accumulates of one inference that the kernel really does: products of weight 0 are not in unpacked
    code, but the library multiplies them.
    """

    cycles: float
    flash_bytes: int
    ram_bytes: int
    macs: int = 0

    def __add__(self, other: LayerCost) -> LayerCost:
        """Cycles and flash add up; scratch is shared, so the larger one counts."""
        return LayerCost(
            self.cycles + other.cycles,
            self.flash_bytes + other.flash_bytes,
            max(self.ram_bytes, other.ram_bytes),
            self.macs + other.macs,
        )
