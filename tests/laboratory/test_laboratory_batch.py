"""Many steps in one firmware: where their buffers lie, and how many go into one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_kernels import PLANES
from toy_kernels import FromPlanesPlan, Padded, Planes, PlanesPlan

from approx_plugin.boards.loader import load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.calibration import simulation
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.laboratory import harness
from approx_plugin.laboratory.batch import Procedure, batches, has_room, lowered, offsets, program
from approx_plugin.laboratory.drawing import Drawn, draw_layers, unpriced
from approx_plugin.laboratory.operators import NO_LIMITS, activation, pad, pool
from approx_plugin.operators.geometry import VALID, Padding, Window
from approx_plugin.operators.max_pool2d import MaxPool2D

BOARD = load_board("nucleo-u575zi-q")
PLATFORM = unpriced(BOARD, "assembly")
PROCEDURES = (simulation.PROCEDURE, harness.PROCEDURE)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda p: p.name)
def test_buffers_do_not_overlap_and_have_their_margins(procedure: Procedure) -> None:
    for drawn in draw_layers(3, 0.2, PLATFORM):
        step = lowered(drawn, 0, PLATFORM)
        step = replace(step, cost=replace(step.cost, scratch={RAM: 1000}))
        found = offsets(step, procedure)
        tensors = drawn.operators[0].inputs
        places = [*zip(found.inputs, (t.elements for t in tensors)), (found.output, step.last.output.elements)]
        places.append((found.scratch, 1000))
        end = 0
        for offset, size in places:
            assert offset >= end + procedure.before
            assert offset % 8 == 0
            end = offset + size + procedure.after
        assert found.size >= end


def test_batches_fit_the_flash_and_keep_the_order() -> None:
    drawn = [d for d in draw_layers(1, 0.3, PLATFORM) if d.kernel.name == "unpacked"]
    tight = replace(BOARD, memories=(Memory("FLASH", "flash", 0x0800_0000, 120 << 10), *BOARD.memories[1:]))
    found = batches(drawn, tight, PLATFORM, simulation.PROCEDURE)
    assert len(found) > 2
    fingerprints = [d.numbered(0).operators[0].fingerprint for batch in found for d in batch.drawn]
    assert fingerprints == [d.operators[0].fingerprint for d in drawn]
    for batch in found:
        assert len(batch.drawn) == 1 or sum(step.cost.flash_bytes for step in batch.steps) < 120 << 10
        assert [step.last.index for step in batch.steps] == list(range(len(batch.steps)))
    few = replace(simulation.PROCEDURE, most=3)
    assert {len(batch.steps) for batch in batches(drawn[:12], BOARD, PLATFORM, few)} == {3}


SOURCE = activation(0, (6, 5, 4), 0.02, -3)
PAD = pad(SOURCE, Padding(1, 2, 0, 1))
POOL = pool(MaxPool2D, PAD.output, Window.resolve(VALID, (7, 8), (2, 2), (2, 2)), NO_LIMITS)


def test_a_run_counts_all_of_its_operators() -> None:
    run = Drawn((PAD, POOL), Padded(), RAM)
    (batch,) = batches([run, run], BOARD, PLATFORM, harness.PROCEDURE)
    assert [[o.index for o in step.operators] for step in batch.steps] == [[0, 1], [2, 3]]
    made = program(batch, harness.PROCEDURE)
    assert "#define APPROX_NETWORK_LAYERS 4" in made.sources["Inc/approx_network.h"]
    assert "#define APPROX_NETWORK_STEPS 2" in made.sources["Inc/approx_network.h"]


def test_scratch_in_a_memory_that_the_board_lacks_has_no_room() -> None:
    run = Drawn((PAD, POOL), Padded(), DTCM)
    assert not has_room(lowered(run, 0, PLATFORM), BOARD, harness.PROCEDURE)
    board = load_board("nucleo-h743zi2")
    assert has_room(lowered(run, 0, unpriced(board, "assembly")), board, harness.PROCEDURE)
    with pytest.raises(ValueError, match=r"PAD \+ MAX_POOL_2D .* needs more RAM than NUCLEO-U575ZI-Q"):
        batches([run], BOARD, PLATFORM, harness.PROCEDURE)


def test_layouts_say_how_large_buffers_are() -> None:
    for plan, sizes in ((PlanesPlan, (1, 2)), (FromPlanesPlan, (2, 1))):
        step = lowered(Drawn((POOL,), Planes(plan), ""), 0, PLATFORM)
        found = offsets(step, harness.PROCEDURE)
        assert found.output - found.inputs[0] >= sizes[0] * POOL.inputs[0].elements + 128
        assert found.scratch - found.output >= sizes[1] * POOL.output.elements + 128
        assert PLANES in (*step.plan.needs.inputs, step.plan.needs.output)
