"""Cycles from instruction values are those that the virtual board counts for the same program on the ideal boards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from machine_blocks import executable_block, is_degenerate
from machine_program import Functions, calls, follow, link
from networks import conv_graph

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.cores.core import CoreTiming, load_core
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address, Registers
from approx_plugin.kernels.machine.registers import CORE, LR, PC, R0, R1, R2, R3, R4, R5, R6, R9, SP, Register
from approx_plugin.kernels.machine.text import Align, Item, counted_loop
from approx_plugin.kernels.machine.timed import timed
from approx_plugin.kernels.machine.timing import Pipeline, Place, cycles, turn_cycles
from approx_plugin.kernels.unpacked.assembly import Phase, group_code, groups
from approx_plugin.kernels.unpacked.phases import cut
from approx_plugin.kernels.unpacked.plan import plans
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.virtual_board.simulation import simulate

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The virtual board's library is built in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def arguments(board: Board) -> dict[Register, int]:
    """Three pointers into the board's RAM."""
    return {R0: board.ram.origin + 0x1000, R1: board.ram.origin + 0x8000, R2: board.ram.origin + 0xC000}


def computed(functions: Functions, elf: Any, board: Board, core: CoreTiming) -> tuple[int, dict[str, int]]:
    """Cycles of the whole run and of each function by itself, from its instructions."""
    pipeline = Pipeline(core)
    spent = dict.fromkeys(functions, 0)
    for step in follow(functions, elf, board):
        before = pipeline.end
        place = Place(step.address, step.following)
        pipeline.step(timed(step.one, core), step.access, place, skipped=step.skipped, in_it=step.in_it)
        spent[step.function] += pipeline.end - before
    return pipeline.end, spent


def check(functions: dict[str, list[Item]], board: Board, folder: Path) -> dict[str, int]:
    """Run on both; the cycles of each function."""
    names = list(functions)
    functions = {"reset": calls(names, arguments(board)), **functions}
    firmware = link(functions, board, folder)
    simulation = simulate(firmware.path, board, layers=names)
    assert simulation.ended == "symbol"
    ours, spent = computed(functions, firmware, board, load_core(board.core))
    assert ours == simulation.total.ideal.cycles == simulation.total.board.cycles
    assert [spent[name] for name in names] == [layer.cost.ideal.cycles for layer in simulation.layers]
    return spent


ENTER = [instruction("push", Registers((*CORE[4:12], LR))), instruction("sub", SP, 256)]
LEAVE = [instruction("add", SP, 256), instruction("pop", Registers((*CORE[4:12], PC)))]


def block_of(seed: int) -> list[Instruction]:
    # How long a division takes depends on its operands: the board looks at them.
    block = executable_block(Random(seed), 60)
    return [one for one in block if one.form.kind != "divide" and not is_degenerate(one)]


@pytest.mark.parametrize("name", CORES)
def test_random_blocks_cost_what_the_ideal_board_counts(name: str, tmp_path: Path) -> None:
    board = load_board(f"ideal-{name}")
    check({f"block_{seed}": [*ENTER, *block_of(seed), *LEAVE] for seed in range(40)}, board, tmp_path)


LAYERS = {
    "aligned": dict(size=(9, 10), channels=(6, 6), kernel=(3, 3)),
    "odd channels, limits": dict(size=(7, 9), channels=(3, 4), kernel=(3, 3), limits=(-100, 90)),
    "half the weights, stride 2": dict(size=(9, 9), channels=(8, 5), kernel=(3, 3), stride=(2, 2), density=0.5),
}


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", CORES)
def test_kernels_cost_what_the_ideal_board_counts(name: str, layer: str, scheduled: bool, tmp_path: Path) -> None:
    board = load_board(f"ideal-{name}")
    conv = conv_graph(np.random.default_rng(3), **LAYERS[layer]).operators[0]  # type: ignore[arg-type]
    assert isinstance(conv, Conv2D)
    core = load_core(name) if scheduled else None
    functions: dict[str, list[Item]] = {}
    for number, plan in enumerate(plans(conv, "assembly")[::4]):
        part = groups(plan.slots, plan.constants, plan.block)[0]
        for phase, run in enumerate(cut(plan.order, part, plan.block, 2)):
            kind = Phase(tuple(run), first=phase == 0, last=phase == 1)
            label = f"plan_{number}_{phase}"
            made = group_code(label, plan.layout, plan.slots, kind, plan.block, part, plan.constants, core)
            functions[label] = list(made.items)
    check(functions, board, tmp_path)


def loop(turns: int, odd: bool) -> list[Item]:
    """Loads, products and stores in a loop."""
    inside = [
        instruction("ldr", R4, Address(R0, 4, POST)),
        instruction("ldr", R5, Address(R0, 6 if odd else 8, POST)),
        instruction("smlad", R6, R4, R5, R6),
        instruction("str", R6, Address(R1, 4, POST)),
        instruction("add", R5, R5, R4),
    ]
    return [
        instruction("movw", R3, turns),
        Align(8),
        *counted_loop(f".L{turns}_{odd}", R3, inside),
        instruction("bx", LR),
    ]


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("name", CORES)
def test_the_turn_of_a_loop_is_told_without_running_it(name: str, odd: bool, tmp_path: Path) -> None:
    board, core = load_board(f"ideal-{name}"), load_core(name)
    spent = check({f"loop_{turns}": loop(turns, odd) for turns in (24, 88)}, board, tmp_path)
    inside = [item for item in loop(1, odd)[3:-1] if isinstance(item, Instruction)]
    assert turn_cycles(inside, core, arguments(board)) == (spent["loop_88"] - spent["loop_24"]) / 64


@pytest.mark.parametrize("name", CORES)
def test_a_straight_line_is_told_without_running_it(name: str, tmp_path: Path) -> None:
    board, core = load_board(f"ideal-{name}"), load_core(name)
    blocks = {f"block_{seed}": block_of(seed) for seed in range(60)}
    blocks = {label: block for label, block in blocks.items() if not any(one.condition for one in block)}
    codes = {"none": [*ENTER, *LEAVE], **{label: [*ENTER, *block, *LEAVE] for label, block in blocks.items()}}
    functions: dict[str, list[Item]] = {label: [*code] for label, code in codes.items()}
    spent = check(functions, board, tmp_path)
    known = {**arguments(board), R9: 8, SP: board.ram.origin + board.ram.length}
    alone = cycles(codes["none"], core, known)
    for label in blocks:
        assert cycles(codes[label], core, known) - alone == spent[label] - spent["none"]
