"""What a simulation says. Cycles are simulated: they come from a model, never from hardware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stalls:
    """Cycles in which nothing issued, by cause.

    fetch:      the instruction was not there yet: flash wait states, cache misses.
    data:       a load waited for its memory, or was not aligned.
    branch:     the pipeline was refilled behind a taken (or wrongly predicted) branch.
    load_use:   an operand was still being loaded.
    dependency: an operand was still being computed.
    """

    fetch: int
    data: int
    branch: int
    load_use: int
    dependency: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.fetch + self.data + self.branch + self.load_use + self.dependency


@dataclass(frozen=True)
class Cycles:
    """Cycles and the stalls among them. cycles - stalls.total is what issuing took."""

    cycles: int
    stalls: Stalls


@dataclass(frozen=True)
class Cost:
    """What a stretch of execution cost.

    instructions: executed ones, those included whose IT condition failed.
    board:        with the board's memories.
    ideal:        the same instructions on the same core with memories that never let it wait.
    fetch_misses, data_misses: reads of the flash array that the core had to wait for, by side.
    """

    instructions: int
    board: Cycles
    ideal: Cycles
    fetch_misses: int
    data_misses: int


@dataclass(frozen=True)
class FunctionCost:
    """A watched function, everything included that it called. calls: completed ones; `cost` is the sum over them."""

    name: str
    calls: int
    cost: Cost


@dataclass(frozen=True)
class FunctionProfile:
    """A function by itself, without what it called; on the board."""

    name: str
    instructions: int
    cycles: int


@dataclass(frozen=True)
class Simulation:
    """One run.

    board_id, core, clock_hz: what was simulated.
    console:     what the firmware wrote.
    ended:       "symbol" (the function that `until` names was reached), "loop" (a branch to itself), "exit"
                 (semihosting) or "limit".
    exit_status: the argument of the function that ended the run, or semihosting's status; None otherwise.
    total:       from the reset handler to the end.
    layers:      the watched functions, in the caller's order.
    profile:     all functions that ran, most cycles first.
    stack_bytes: deepest stack, from the initial stack pointer.
    """

    board_id: str
    core: str
    clock_hz: int
    console: str
    ended: str
    exit_status: int | None
    total: Cost
    layers: tuple[FunctionCost, ...]
    profile: tuple[FunctionProfile, ...]
    stack_bytes: int


def cost_of(counters: Any) -> Cost:
    """The C side's `counters` as a Cost."""
    return Cost(
        counters.instructions,
        Cycles(counters.cycles, Stalls(*counters.stalls)),
        Cycles(counters.ideal_cycles, Stalls(*counters.ideal_stalls)),
        counters.fetch_misses,
        counters.data_misses,
    )
