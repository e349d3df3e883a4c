"""Simulates a firmware on a virtual board, checks what it has printed, and says what its steps cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from approx_plugin.boards.board import Board
from approx_plugin.build.console import RunResult, parse_console
from approx_plugin.build.emulator import verify
from approx_plugin.errors import ToolError
from approx_plugin.laboratory.figures import Figures, per_call
from approx_plugin.laboratory.firmware import Firmware
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.virtual_board.results import FunctionCost, Simulation
from approx_plugin.virtual_board.simulation import simulate
from approx_plugin.virtual_board.timing import load_timing

NETWORK = "approx_network_run"
"""The function of one inference."""

AFTER_FIRST_INFERENCE = "verification_run"
"""What the application calls after one inference with a clock after every layer."""

Changes = Mapping[str, Mapping[str, Any]]
"""Memory -> fields of its timing that are others than the board's."""


def run(firmware: Firmware, changes: Changes = MappingProxyType({})) -> Simulation:
    """From reset to the end, with all steps and the whole network watched. See `simulate_elf`."""
    return simulate_elf(firmware.elf, firmware.board, tuple(firmware.functions.values()), changes)


def simulate_elf(
    elf: Path, board: Board, functions: tuple[str, ...], changes: Changes = MappingProxyType({})
) -> Simulation:
    """The same by plain values: all arguments can go to another process, and so can the result."""
    timing = load_timing(board)
    for name, fields in changes.items():
        timing = timing.with_memory(name, **fields)
    return simulate(elf, board, timing, layers=(NETWORK, *functions))


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


def step_figures(simulation: Simulation, elf: Path, functions: Mapping[int, str]) -> dict[int, Figures]:
    """Layer index -> figures of one call. functions: layer index -> its function; `NETWORK` was watched beside them.

    Raises ToolError if a step was not called once for each inference.
    """
    costs = {cost.name: cost for cost in simulation.layers}
    inferences = costs[NETWORK].calls
    for function in functions.values():
        called_once_each(costs[function], inferences, elf)
    return {index: per_call(costs[function]) for index, function in functions.items()}


def called_once_each(cost: FunctionCost, inferences: int, elf: Path) -> None:
    """Raises ToolError if a function was not called once for each inference."""
    if not inferences or cost.calls != inferences:
        raise ToolError(
            f"{cost.name} ran {cost.calls} times in {inferences} inferences: its cycles are not known",
            where=elf,
            why="the compiler has merged it with another function, or inlined it",
        )


def printed_cycles(console: RunResult) -> int:
    """The firmware's own count for one inference. Raises ToolError if it has not printed one."""
    text = dict(console.performance).get("CPU cycles", "")
    number = re.match(r"\d+", text)
    if number is None:
        why = f"CPU cycles: {text or 'no such line'}"
        raise ToolError("the firmware printed no cycles on the virtual board", why=why)
    return int(number[0])
