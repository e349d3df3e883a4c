"""Whether a program fits a board's memories, said before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.boards.board import Board
from approx_plugin.errors import ApproxError, CapacityError, Location
from approx_plugin.kernels.needs import DTCM, FLASH, RAM, Bytes
from approx_plugin.kernels.program import Buffer, Program, Step

FLASH_RESERVE = 32 * 1024
"""Bytes of flash for what is not a layer: the library's code, start-up, drivers, the application."""

RAM_RESERVE = 6 * 1024
"""Bytes of RAM for what is not the network: stack, heap, the application's variables."""


def flash_budget(board: Board, vector_bytes: int) -> int:
    """Bytes of flash that the layers may take. vector_bytes: of the test vectors in the firmware."""
    return board.flash.length - FLASH_RESERVE - vector_bytes


def ram_budget(board: Board, border_bytes: int) -> int:
    """Bytes of RAM that the arena may take. border_bytes: of the input and output buffers."""
    return board.ram.length - RAM_RESERVE - border_bytes


def budgets(board: Board, vector_bytes: int, border_bytes: int) -> Bytes:
    """What the steps and the arena may take, by kind of memory; arguments as above."""
    own = board.dtcm.length if board.dtcm else 0
    return {FLASH: flash_budget(board, vector_bytes), RAM: ram_budget(board, border_bytes), DTCM: own}


def shortages(program: Program, board: Board, vector_bytes: int, where: Location) -> Iterator[ApproxError]:
    """What does not fit, with the layers that need most."""
    borders = program.graph.input_tensor.elements + program.graph.output_tensor.elements
    tables = sum(step.cost.permanent.get(RAM, 0) for step in program.steps)
    available = ram_budget(board, borders) - tables
    if program.memory.size > available:
        step, buffers = _busiest(program)
        parts = ", ".join(f"{b.name} {b.size:,} B" for b in buffers)
        yield CapacityError(
            f"the network needs {program.memory.size:,} bytes of RAM for its activations; "
            f"{max(available, 0):,} are available on {board.name}",
            where=where,
            why=f"most is needed in layer {step.last.index} ({step.last.name}): {parts}",
            hint="take a board with more RAM, a smaller input, or `kernels: {convolution: auto}`, which unpacks only "
            "where the memory suffices",
        )
    available = flash_budget(board, vector_bytes)
    if program.flash_bytes > available:
        largest = sorted(program.steps, key=lambda step: -step.cost.flash_bytes)[:4]
        parts = ", ".join(f"{step.last.name} ({step.kernel}) {step.cost.flash_bytes:,} B" for step in largest)
        yield CapacityError(
            f"the network needs about {program.flash_bytes:,} bytes of flash; {max(available, 0):,} are available on "
            f"{board.name}",
            where=where,
            why=f"the largest layers are {parts}",
            hint="take a board with more flash, or `kernels: {convolution: auto}`, which unpacks only where the flash "
            "suffices, or fewer project.test_vectors",
        )


def _busiest(program: Program) -> tuple[Step, list[Buffer]]:
    """The step during which the arena holds most, and what it holds then, largest first."""

    def alive(step: Step) -> list[Buffer]:
        first, last = step.operators[0].index, step.last.index
        return [b for b in program.memory.buffers if b.first <= last and first <= b.last]

    busiest = max(program.steps, key=lambda step: (sum(b.size for b in alive(step)), -step.last.index))
    return busiest, sorted(alive(busiest), key=lambda b: -b.size)
