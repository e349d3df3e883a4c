"""Runs firmwares on the virtual board: layers in, simulated cycles out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.calibration import firmware
from approx_plugin.calibration.layers import Drawn
from approx_plugin.errors import ToolError
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.operator import Operator
from approx_plugin.virtual_board.simulation import simulate

UNTIL = "verification_run"
"""What the application does after one inference with a clock behind every layer."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A layer that was simulated.

    name: for tables; plan: what computes it; cycles: of its only call.
    """

    name: str
    operator: Operator
    plan: Plan
    cycles: int

    def work(self, memories: Memories) -> Work:
        """What the cost model counts. A plan that does several kinds of work cannot be fitted by itself."""
        (work,) = self.plan.work(memories)
        return work


def run(
    drawn: Sequence[Drawn], board: Board, platform: Platform, cmsis_nn: Path, folder: Path, workers: int
) -> list[Sample]:
    """Simulate all layers. Raises ToolError if a firmware does not come to its end."""
    samples = []
    for batch in firmware.batches(drawn, board, platform):
        elf = firmware.make(batch, board, cmsis_nn, folder, workers)
        for step, cycles in zip(batch.steps, measured(elf, board, batch.functions)):
            samples.append(Sample("drawn", step.last, step.plan, cycles))
    return samples


def measured(elf: Path, board: Board, functions: Sequence[str]) -> list[int]:
    """Cycles of each function's only call."""
    simulation = simulate(elf, board, layers=functions, until=UNTIL)
    if simulation.ended != "symbol":
        raise ToolError(f"the firmware ended by itself ({simulation.ended})", where=elf, why=simulation.console[-300:])
    for cost in simulation.layers:
        if cost.calls != 1:
            raise ToolError(f"{cost.name} ran {cost.calls} times in one inference", where=elf)
    return [cost.cost.board.cycles for cost in simulation.layers]
