"""What a step costs on a board. Nobody who asks knows whether the answer is a formula, a simulation or a board."""

from __future__ import annotations

from dataclasses import dataclass, field

from approx_plugin.kernels.needs import FLASH, NOTHING, RAM, Bytes


@dataclass(frozen=True, eq=False)
class StepCost:
    """cycles: of one inference; permanent, scratch: bytes by kind of memory, as in `Needs`.

    macs: multiply-accumulates of one inference that the kernel really does: products of weight 0 are not in unpacked
    code, but the library multiplies them.
    assumed: the cycles come from coefficients that were assumed, not fitted to the board.
    """

    cycles: float
    permanent: Bytes = field(default_factory=lambda: NOTHING)
    scratch: Bytes = field(default_factory=lambda: NOTHING)
    macs: int = 0
    assumed: bool = False

    @property
    def flash_bytes(self) -> int:
        """Code and constants in flash."""
        return self.permanent.get(FLASH, 0)

    @property
    def ram_bytes(self) -> int:
        """Scratch in the arena."""
        return self.scratch.get(RAM, 0)
