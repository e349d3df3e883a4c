"""What a kernel costs on a board. Nobody who asks knows whether the answer is a formula, a simulation or a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerCost:
    """cycles: of one inference at the board's clock; flash_bytes: code and constants; ram_bytes: scratch beyond in/out."""

    cycles: float
    flash_bytes: int
    ram_bytes: int

    def __add__(self, other: LayerCost) -> LayerCost:
        """Cycles and flash add up; scratch is shared, so the larger one counts."""
        return LayerCost(
            self.cycles + other.cycles,
            self.flash_bytes + other.flash_bytes,
            max(self.ram_bytes, other.ram_bytes),
        )
