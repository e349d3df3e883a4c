"""Whether a network fits a board, and the message if it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.errors import ApproxError, CapacityError, Location
from approx_plugin.kernels.capacity import FLASH_RESERVE, RAM_RESERVE, Room, flash_budget, ram_budget, shortages
from approx_plugin.kernels.cover import covered_by
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.needs import FLASH, NOTHING, RAM, Bytes
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import Program
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.tflite.reader import read_graph

WHERE = Location("approx.yaml", 3, 8)


@pytest.fixture(scope="module")
def program(root: Path) -> Program:
    """The digits network through the library."""
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    platform = Platform("cortex-m33", True, "assembly")
    return lower(graph, covered_by(graph, KERNELS[BASELINE], platform), platform, graph.macs, graph.macs)


def sized(flash: int, ram: int) -> Board:
    """A board with so many bytes."""
    board = load_board("nucleo-u575zi-q", WHERE)
    return replace(
        board, memories=(Memory("FLASH", "flash", 0x0800_0000, flash), Memory("RAM", "ram", 0x2000_0000, ram))
    )


def flash_of(program: Program) -> int:
    """Bytes that the layers ask for."""
    return sum(step.cost.flash_bytes for step in program.steps)


def found(program: Program, board: Board, vector_bytes: int = 0, allowed: Bytes = NOTHING) -> list[ApproxError]:
    """What does not fit."""
    errors = list(shortages(program, Room.of(board, vector_bytes, 64 + 10, allowed), WHERE))
    assert all(
        isinstance(error, CapacityError) and error.where == WHERE and error.why and error.hint for error in errors
    )
    return errors


def test_budgets() -> None:
    board = sized(100_000, 50_000)
    assert flash_budget(board, 1234) == 100_000 - FLASH_RESERVE - 1234
    assert ram_budget(board, 74) == 50_000 - RAM_RESERVE - 74


def test_exactly_enough_is_enough(program: Program) -> None:
    borders = 64 + 10
    flash, ram = flash_of(program) + FLASH_RESERVE + 300, program.memory.size + RAM_RESERVE + borders
    assert found(program, sized(flash, ram), 300) == []
    (error,) = found(program, sized(flash - 1, ram), 300)
    assert f"needs about {flash_of(program):,} bytes of flash; {flash_of(program) - 1:,} are available" in error.what
    (error,) = found(program, sized(flash, ram), 301)
    assert "bytes of flash" in error.what
    (error,) = found(program, sized(flash, ram - 1), 300)
    needed = program.memory.size
    assert f"needs {needed:,} bytes of RAM for its activations; {needed - 1:,} are available" in error.what
    assert len(found(program, sized(flash - 1, ram - 1), 300)) == 2


def test_less_may_be_allowed_than_there_is(program: Program) -> None:
    board, flash = sized(1 << 20, 1 << 20), flash_of(program)
    assert found(program, board, 0, {FLASH: flash, RAM: program.memory.size}) == []
    (error,) = found(program, board, 0, {FLASH: flash - 1})
    assert f"{flash - 1:,} are allowed by budget.flash" in error.what
    (error,) = found(program, board, 0, {RAM: program.memory.size - 1})
    assert f"{program.memory.size - 1:,} are allowed by budget.ram" in error.what
    # More than there is cannot be allowed.
    assert "available on" in found(program, sized(FLASH_RESERVE, 1 << 20), 0, {FLASH: 1 << 30})[0].what


def test_message_names_the_largest_layers(program: Program) -> None:
    flash, ram = found(program, sized(FLASH_RESERVE + 10, RAM_RESERVE + 200))[::-1]
    ranked = sorted(program.steps, key=lambda step: -step.cost.flash_bytes)
    assert flash.why.startswith(
        f"the largest layers are {ranked[0].last.name} (cmsis_nn) {ranked[0].cost.flash_bytes:,} B, "
    )
    assert "NUCLEO-U575ZI-Q" in flash.what
    assert "NUCLEO-U575ZI-Q" in ram.what


def test_message_names_the_layer_that_needs_most_ram(program: Program) -> None:
    """By hand: the sum of the buffers that are alive during each layer."""
    (error,) = found(program, sized(10**6, RAM_RESERVE + 100))
    buffers = program.memory.buffers
    held = [sum(b.size for b in buffers if b.first <= op.index <= b.last) for op in program.graph.operators]
    most = held.index(max(held))
    assert f"most is needed in layer {most} ({program.graph.operators[most].name}): " in error.why
    for buffer in buffers:
        alive = buffer.first <= most <= buffer.last
        assert (f"{buffer.name} {buffer.size:,} B" in error.why) == alive


def test_board_without_any_room_shows_no_negative_figure(program: Program) -> None:
    errors = found(program, sized(1000, 1000))
    assert len(errors) == 2
    assert all("-" not in error.what.split("available")[0].split(";")[1] for error in errors)
