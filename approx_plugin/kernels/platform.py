"""What code is generated for: the core, the back end, and what kernels cost there."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.boards.board import Board
from approx_plugin.kernels.costs.loader import ideal_costs
from approx_plugin.kernels.costs.model import CostModel


@dataclass(frozen=True)
class Platform:
    """core: gcc's -mcpu; dsp: the core has SMLAD and its kin; backend: "assembly" or "c" for our own kernels.

    costs: the board's cost model (`costs.loader.board_costs`); None for a board without one.
    fpu: there are single registers s0 to s31, and programs may use them. dtcm: bytes of memory next to the core.
    ram: bytes of the memory that holds data; 0 where nobody knows.
    """

    core: str
    dsp: bool
    backend: str
    costs: CostModel | None = None
    fpu: bool = True
    dtcm: int = 0
    ram: int = 0

    @classmethod
    def of(cls, board: Board, backend: str, costs: CostModel | None = None) -> Platform:
        """A board's. Our assembly is for cores with the DSP extension: others get C, whatever was asked for."""
        own, backend = board.dtcm.length if board.dtcm else 0, backend if board.dsp else "c"
        return cls(board.core, board.dsp, backend, costs, board.float_abi != "soft", own, board.ram.length)

    @property
    def model(self) -> CostModel:
        """The board's cost model, or that of an ideal core of its kind."""
        return ideal_costs(self.core) if self.costs is None else self.costs
