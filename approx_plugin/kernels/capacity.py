"""Whether a program fits a board's memories, said before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.boards.board import Board
from approx_plugin.errors import ApproxError, CapacityError, Location
from approx_plugin.kernels.program import Buffer, Program

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


def shortages(program: Program, board: Board, vector_bytes: int, where: Location) -> Iterator[ApproxError]:
    """What does not fit, with the layers that need most."""
    borders = program.graph.input_tensor.elements + program.graph.output_tensor.elements
    available = ram_budget(board, borders)
    if program.memory.size > available:
        layer, buffers = _busiest(program)
        parts = ", ".join(f"{b.name} {b.size:,} B" for b in buffers)
        yield CapacityError(
            f"the network needs {program.memory.size:,} bytes of RAM for its activations; "
            f"{max(available, 0):,} are available on {board.name}",
            where=where,
            why=f"most is needed in layer {layer} ({program.graph.operators[layer].name}): {parts}",
            hint="take a board with more RAM, a smaller input, or `kernels: {convolution: auto}`, which unpacks only "
            "where the memory suffices",
        )
    needed = sum(layer.cost.flash_bytes for layer in program.layers)
    available = flash_budget(board, vector_bytes)
    if needed > available:
        largest = sorted(program.layers, key=lambda entry: -entry.cost.flash_bytes)[:4]
        parts = ", ".join(f"{entry.operator.name} ({entry.kernel}) {entry.cost.flash_bytes:,} B" for entry in largest)
        yield CapacityError(
            f"the network needs about {needed:,} bytes of flash; {max(available, 0):,} are available on {board.name}",
            where=where,
            why=f"the largest layers are {parts}",
            hint="take a board with more flash, or `kernels: {convolution: auto}`, which unpacks only where the flash "
            "suffices, or fewer project.test_vectors",
        )


def _busiest(program: Program) -> tuple[int, list[Buffer]]:
    """The layer during which the arena holds most, and what it holds then, largest first."""
    buffers = [*program.memory.activations.values(), *program.memory.scratch.values()]

    def alive(layer: int) -> list[Buffer]:
        return [b for b in buffers if b.first <= layer <= b.last]

    layer = max(range(len(program.layers)), key=lambda index: (sum(b.size for b in alive(index)), -index))
    return layer, sorted(alive(layer), key=lambda b: -b.size)
