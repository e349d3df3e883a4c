"""Runs firmwares on the virtual board: layers in, simulated cycles out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.calibration import firmware
from approx_plugin.calibration.layers import Drawn
from approx_plugin.errors import ToolError
from approx_plugin.kernels.cmsis_nn.registry import SERVICES
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.target import Target
from approx_plugin.kernels.unpacked.plan import Plan
from approx_plugin.model.operator import Operator
from approx_plugin.virtual_board.simulation import simulate

UNTIL = "verification_run"
"""What the application does after one inference with a clock behind every layer."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A layer that was simulated.

    name: for tables; plan: of the unpacked kernel, None for the library's; cycles: of its only call.
    """

    name: str
    operator: Operator
    plan: Plan | None
    cycles: int

    def work(self, memories: Memories) -> Work:
        """What the cost model counts."""
        return (
            SERVICES[self.operator.kind].work(self.operator, memories)
            if self.plan is None
            else self.plan.work(memories)
        )


def run(
    drawn: Sequence[Drawn], board: Board, target: Target, cmsis_nn: Path, folder: Path, workers: int
) -> list[Sample]:
    """Simulate all layers. Raises ToolError if a firmware does not come to its end."""
    samples = []
    for batch in firmware.batches(drawn, board, target):
        elf = firmware.make(batch, board, cmsis_nn, folder, workers)
        for item, cycles in zip(batch.drawn, measured(elf, board, batch.functions)):
            plan = None if item.block is None else firmware.plan_of(item)
            samples.append(Sample("drawn", item.operator, plan, cycles))
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
