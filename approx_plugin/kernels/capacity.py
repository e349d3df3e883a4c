"""Whether a program fits a board's memories, said before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from approx_plugin.boards.board import Board
from approx_plugin.errors import ApproxError, CapacityError, Location
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.needs import DTCM, FLASH, NOTHING, RAM, Bytes
from approx_plugin.kernels.program import Buffer, MemoryPlan, Program
from approx_plugin.kernels.run import Run
from approx_plugin.model.operator import Operator

FLASH_RESERVE = 32 * 1024
"""Bytes of flash for what is not a layer: the library's code, start-up, drivers, the application."""

LAYER_RESERVE = 256
"""Bytes of flash for each layer beside its constants and kernel: its call, its parameters, its name. Measured: 200."""

LIBRARY_RESERVE = 12 * 1024
"""Bytes of flash for the library's and the runtime's code in a project whose other code has been measured."""

RAM_RESERVE = 6 * 1024
"""Bytes of RAM for what is not the network: stack, heap, the application's variables."""


def flash_budget(board: Board, vector_bytes: int, layers: int = 0) -> int:
    """Bytes of flash that the layers may take. vector_bytes: of the test vectors in the firmware; layers: how many."""
    return board.flash.length - FLASH_RESERVE - layers * LAYER_RESERVE - vector_bytes


def ram_budget(board: Board, border_bytes: int) -> int:
    """Bytes of RAM that the arena may take. border_bytes: of the input and output buffers."""
    return board.ram.length - RAM_RESERVE - border_bytes


@dataclass(frozen=True)
class Room:
    """What the steps and the arena may take.

    budgets: bytes by kind of memory. sources: kind -> where its budget comes from, as a message says it: "are available
    on NUCLEO-U575ZI-Q".
    """

    budgets: Bytes
    sources: Mapping[str, str]

    @classmethod
    def of(cls, board: Board, vector_bytes: int, border_bytes: int, allowed: Bytes = NOTHING, layers: int = 0) -> Room:
        """A board's, or less where less is allowed. vector_bytes, border_bytes, layers: see above; allowed: by
        approx.yaml.
        """
        own = board.dtcm.length if board.dtcm else 0
        there = {FLASH: flash_budget(board, vector_bytes, layers), RAM: ram_budget(board, border_bytes), DTCM: own}
        sources = {
            memory: f"are allowed by budget.{memory}"
            if allowed.get(memory, size) < size
            else f"are available on {board.name}"
            for memory, size in there.items()
        }
        return cls({memory: min(size, allowed.get(memory, size)) for memory, size in there.items()}, sources)

    def within(self, limits: Bytes, place: str, border_bytes: int, layers: int) -> Room:
        """Less, where a project of the user's leaves less. limits: bytes by kind of memory; place: its name."""
        needed = {FLASH: layers * LAYER_RESERVE + LIBRARY_RESERVE, RAM: border_bytes}
        left = {memory: size - needed.get(memory, 0) for memory, size in limits.items()}
        tighter = {memory for memory, size in left.items() if size < self.budgets.get(memory, size)}
        return Room(
            {memory: left[memory] if memory in tighter else size for memory, size in self.budgets.items()},
            {m: f"are left by {place}" if m in tighter else source for m, source in self.sources.items()},
        )

    def without(self, taken: Bytes) -> Room:
        """Less, by kind of memory: what a linked program has turned out to need besides."""
        return Room({memory: size - taken.get(memory, 0) for memory, size in self.budgets.items()}, self.sources)


@dataclass(frozen=True, eq=False)
class Demand:
    """What a step asks for: the operators that it computes, by which kernel, at which cost."""

    run: Run
    kernel: str
    cost: StepCost


def shortages(program: Program, room: Room, where: Location) -> Iterator[ApproxError]:
    """What does not fit, with the layers that need most."""
    demands = [Demand(step.operators, step.kernel, step.cost) for step in program.steps]
    return missing(demands, program.memory, room, where)


def missing(
    demands: Sequence[Demand], memory: MemoryPlan, room: Room, where: Location, subject: str = "the network"
) -> Iterator[ApproxError]:
    """Likewise, of steps that have no code yet. memory: their plan; subject: what the message says of whom."""
    tables = sum(demand.cost.permanent.get(RAM, 0) for demand in demands)
    available = room.budgets[RAM] - tables
    if memory.size > available:
        last, buffers = _busiest(demands, memory)
        parts = ", ".join(f"{b.name} {b.size:,} B" for b in buffers)
        yield CapacityError(
            f"{subject} needs {memory.size:,} bytes of RAM for its activations; "
            f"{max(available, 0):,} {room.sources[RAM]}",
            where=where,
            why=f"most is needed in layer {last.index} ({last.name}): {parts}",
            hint="take a board with more RAM, a smaller input, or `kernels: {convolution: auto}`, which unpacks only "
            "where the memory suffices",
        )
    available = room.budgets[FLASH]
    needed = sum(demand.cost.flash_bytes for demand in demands)
    if needed > available:
        largest = sorted(demands, key=lambda demand: -demand.cost.flash_bytes)[:4]
        parts = ", ".join(f"{d.run[-1].name} ({d.kernel}) {d.cost.flash_bytes:,} B" for d in largest)
        yield CapacityError(
            f"{subject} needs about {needed:,} bytes of flash; {max(available, 0):,} {room.sources[FLASH]}",
            where=where,
            why=f"the largest layers are {parts}",
            hint="take a board with more flash, or `kernels: {convolution: auto}`, which unpacks only where the flash "
            "suffices, or `project: {test_vectors: 0}`",
        )


def _busiest(demands: Sequence[Demand], memory: MemoryPlan) -> tuple[Operator, list[Buffer]]:
    """The last operator of the step during which the arena holds most, and what it holds then, largest first."""

    def alive(demand: Demand) -> list[Buffer]:
        first, last = demand.run[0].index, demand.run[-1].index
        return [b for b in memory.buffers if b.first <= last and first <= b.last]

    busiest = max(demands, key=lambda demand: (sum(b.size for b in alive(demand)), -demand.run[-1].index))
    return busiest.run[-1], sorted(alive(busiest), key=lambda b: -b.size)
