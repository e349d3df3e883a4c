"""Runs drawn layers on the virtual board: simulated cycles out, or an error where a kernel computes something wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.errors import Location, ToolError, VerificationError
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.network import description
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Step
from approx_plugin.laboratory.batch import Batch, Procedure, batches, no_vectors, program
from approx_plugin.laboratory.drawing import Drawn
from approx_plugin.laboratory.examiner import Comparison
from approx_plugin.laboratory.firmware import Firmware, Place, make
from approx_plugin.laboratory.measurement import AFTER_FIRST_INFERENCE, called_once_each
from approx_plugin.library.provider import resolve
from approx_plugin.model.operator import Operator
from approx_plugin.virtual_board.simulation import simulate

PLACE = Location("--cmsis-nn")

PROCEDURE = Procedure("calibration", before=0, after=4, fills=True, rounds=1, most=80, asks=False)
"""Each layer is called once, its input freshly written, its code not in any cache. Where the linker puts the library's
functions costs or saves a few per cent on cores that issue two instructions at a time: the fit has to see several
firmwares.
"""


@dataclass(frozen=True, eq=False)
class Sample:
    """A step that was simulated.

    name: for tables; plan: what computes it; cycles: of its only call.
    """

    name: str
    plan: Plan
    cycles: int

    @property
    def operator(self) -> Operator:
        """The last one that it computes."""
        return self.plan.operators[-1]

    def work(self, memories: Memories) -> Work:
        """What the cost model counts. A plan that does several kinds of work cannot be fitted by itself."""
        (work,) = self.plan.work(memories)
        return work


def run(
    drawn: Sequence[Drawn], board: Board, platform: Platform, cmsis_nn: Path, folder: Path, workers: int
) -> list[Sample]:
    """Simulate all layers.

    Raises ToolError if a firmware does not come to its end, VerificationError if a layer differs from the integer
    reference.
    """
    samples = []
    for batch in batches(drawn, board, platform, PROCEDURE):
        made = firmware_of(batch, board, cmsis_nn, folder, workers)
        cycles = measured(made)
        samples += [Sample("drawn", step.plan, spent) for step, spent in zip(batch.steps, cycles)]
    return samples


def firmware_of(batch: Batch, board: Board, cmsis_nn: Path, folder: Path, workers: int) -> Firmware:
    """The layers of a batch in one firmware, below `folder`."""
    made = program(batch, PROCEDURE)
    provider = resolve(made.cmsis_nn_functions, cmsis_nn, PLACE)
    place = Place(folder / "tree", folder / "build")
    return make(made, board, provider, no_vectors(batch), place, project=PROCEDURE.name, workers=workers)


def measured(made: Firmware) -> list[int]:
    """Cycles of each step's only call, in the program's order. Raises what `run` raises."""
    wrong: list[str] = []
    steps = made.program.steps
    functions = [made.functions[step.last.index] for step in steps]
    spies = {function: _comparison(step, wrong) for function, step in zip(functions, steps)}
    simulation = simulate(made.elf, made.board, layers=functions, until=AFTER_FIRST_INFERENCE, spies=spies)
    if simulation.ended != "symbol":
        why = simulation.console[-300:]
        raise ToolError(f"the firmware ended by itself ({simulation.ended})", where=made.elf, why=why)
    if wrong:
        raise VerificationError(
            "a layer differs from the integer reference: its cycles are worth nothing",
            where=made.elf,
            why="; ".join(wrong),
            hint=f"python -m approx_plugin.laboratory --core {made.board.core} examines the kernels",
        )
    for cost in simulation.layers:
        called_once_each(cost, 1, made.elf)
    return [cost.cost.board.cycles for cost in simulation.layers]


def _comparison(step: Step, wrong: list[str]) -> Comparison:
    return Comparison(step, lambda what: wrong.append(f"{description(step)} {what}"))
