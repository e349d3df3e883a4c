"""What code is generated for: the core, the back end, and what kernels cost there."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.costs.loader import ideal_costs
from approx_plugin.kernels.costs.model import CostModel


@dataclass(frozen=True)
class Platform:
    """core: gcc's -mcpu; dsp: the core has SMLAD and its kin; backend: "assembly" or "c" for our own kernels.

    costs: the board's cost model (`costs.loader.board_costs`); None for a board without one.
    """

    core: str
    dsp: bool
    backend: str
    costs: CostModel | None = None

    @property
    def model(self) -> CostModel:
        """The board's cost model, or that of an ideal core of its kind."""
        return ideal_costs(self.core) if self.costs is None else self.costs
