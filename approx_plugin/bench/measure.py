"""Simulates one firmware on one virtual board and checks what it computes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from approx_plugin.bench.firmware import Firmware
from approx_plugin.bench.results import Figures, LayerResult, Top1, VariantResult, per_call
from approx_plugin.boards.board import Board
from approx_plugin.build.console import RunResult, parse_console
from approx_plugin.build.emulator import verify
from approx_plugin.errors import ToolError
from approx_plugin.pipeline import Designed
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.virtual_board.results import Simulation
from approx_plugin.virtual_board.simulation import simulate

NETWORK = "approx_network_run"


def run(elf: Path, board: Board, functions: Sequence[str]) -> Simulation:
    """Simulate `elf` from reset to its end. All arguments can go to another process, and so can the result."""
    return simulate(elf, board, layers=(NETWORK, *functions))


def result(variant: str, firmware: Firmware, designed: Designed, simulation: Simulation) -> VariantResult:
    """The figures of a simulation.

    Raises VerificationError if an output or a layer differs from the integer reference, ToolError if the firmware did
    not come to its end or a layer was not called once for each inference.
    """
    console = verified(simulation, firmware.elf, firmware.vectors)
    layers = []
    steps = firmware.program.step_of()
    for index, figures in layer_figures(simulation, firmware.elf, firmware.functions).items():
        step = steps[index]
        layers.append(
            LayerResult(
                index,
                step.last.name,
                step.last.kind,
                step.kernel,
                sum(operator.macs for operator in step.operators),
                firmware.kept[index],
                firmware.flash.get(index, 0),
                step.cost.ram_bytes,
                figures,
            )
        )
    return VariantResult(
        variant,
        tuple(layers),
        firmware.built.size.flash_bytes,
        firmware.built.size.ram_bytes,
        firmware.program.memory.size,
        simulation.stack_bytes,
        printed_cycles(console),
        top1(designed),
        designed.title,
        sum(step.cost.cycles for step in firmware.program.steps),
    )


def verified(simulation: Simulation, elf: Path, vectors: TestVectors) -> RunResult:
    """What the firmware printed.

    Raises VerificationError if an output or a layer differs from the integer reference, ToolError if the firmware did
    not come to its end.
    """
    console = parse_console(simulation.console)
    if console.vectors is None:
        last = " | ".join(simulation.console.strip().splitlines()[-3:])
        raise ToolError("the firmware ended without a result on the virtual board", where=elf, why=last)
    verify(console, vectors)
    return console


def layer_figures(simulation: Simulation, elf: Path, functions: Mapping[int, str]) -> dict[int, Figures]:
    """Layer index -> figures of one call. functions: layer index -> its function; `NETWORK` was watched beside them.

    Raises ToolError if a layer was not called once for each inference.
    """
    costs = {cost.name: cost for cost in simulation.layers}
    inferences = costs[NETWORK].calls
    for function in functions.values():
        if not inferences or costs[function].calls != inferences:
            raise ToolError(
                f"{function} ran {costs[function].calls} times in {inferences} inferences: its cycles are not known",
                where=elf,
                why="the compiler has merged it with another function, or inlined it",
            )
    return {index: per_call(costs[function]) for index, function in functions.items()}


def printed_cycles(console: RunResult) -> int:
    """The firmware's own count for one inference. Raises ToolError if it has not printed one."""
    text = dict(console.performance).get("CPU cycles", "")
    number = re.match(r"\d+", text)
    if number is None:
        why = f"CPU cycles: {text or 'no such line'}"
        raise ToolError("the firmware printed no cycles on the virtual board", why=why)
    return int(number[0])


def top1(designed: Designed) -> Top1 | None:
    """The confirmed accuracy of an approximated network."""
    if not designed.candidates or designed.accuracy is None:
        return None
    return Top1(designed.accuracy.exact, designed.accuracy.approximated, designed.accuracy.images)
