"""Many layers in one firmware: each is called once, its input freshly written, its code not in any cache.

The project around them is the one that users get (`project.tree.collect`): same start-up, clock, flags and linker
script. Only the network's C file is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.build.build import build
from approx_plugin.calibration.layers import Drawn
from approx_plugin.errors import Location
from approx_plugin.kernels.capacity import flash_budget, ram_budget
from approx_plugin.kernels.kernel import layer_symbol
from approx_plugin.kernels.network import PROLOGUE, header_text
from approx_plugin.kernels.program import LoweredLayer, MemoryPlan, Program
from approx_plugin.kernels.registry import SCHEDULES
from approx_plugin.kernels.target import Target
from approx_plugin.kernels.unpacked.kernel import Unpacked
from approx_plugin.kernels.unpacked.plan import Plan, plans
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.reference.vectors import TestVectors

NAME = "calibration"
PLACE = Location("--cmsis-nn")
ALIGNMENT = 8

MAX_LAYERS = 80
"""Of one firmware. Where the linker puts the library's functions costs or saves a few per cent on cores that issue two
instructions at a time: the fit has to see several placements.
"""

FILL = """\
/* Evenly distributed bytes: Marsaglia's xorshift with 13, 17, 5. */
static void write_input(int8_t *input, uint32_t count)
{
    static uint32_t state = 2463534242u;
    for (uint32_t i = 0; i < count; i += 4u) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        memcpy(input + i, &state, sizeof state);
    }
}
"""


@dataclass(frozen=True, eq=False)
class Batch:
    """The layers of one firmware, numbered as there, and their kernels."""

    drawn: tuple[Drawn, ...]
    layers: tuple[LoweredLayer, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The layers' functions in the ELF."""
        return tuple(layer_symbol(layer.operator) for layer in self.layers)


def plan_of(drawn: Drawn) -> Plan:
    """The plan with the block that was drawn."""
    assert isinstance(drawn.operator, Conv2D)
    compared = plans(drawn.operator)
    return next(p for p in compared if (p.block, p.layout.channel_pitch) == (drawn.block, drawn.pitch))


def lowered(drawn: Drawn, index: int, target: Target) -> LoweredLayer:
    """A layer under its number."""
    drawn = replace(drawn, operator=replace(drawn.operator, index=index))
    schedule = SCHEDULES[drawn.schedule]
    if drawn.block is None:
        return schedule.lower(drawn.operator, target)
    assert isinstance(schedule, Unpacked) and isinstance(drawn.operator, Conv2D)
    return schedule.lower_plan(drawn.operator, plan_of(drawn), target)


def batches(drawn: Sequence[Drawn], board: Board, target: Target) -> list[Batch]:
    """The layers in as few firmwares as the board's flash asks for. Raises ValueError for a layer without a place."""
    budget = flash_budget(board, 4096)
    found: list[Batch] = []
    current: list[tuple[Drawn, LoweredLayer]] = []
    used = 0
    for item in drawn:
        layer = lowered(item, len(current), target)
        if place(layer.operator, layer.emission.scratch_bytes)[-1] > ram_budget(board, 16):
            raise ValueError(f"{item.operator.kind} {item.operator.output.shape} needs more RAM than {board.name} has")
        need = layer.cost.flash_bytes * 11 // 10
        if current and (used + need > budget or len(current) == MAX_LAYERS):
            found.append(_batch(current))
            current, used = [], 0
            layer = lowered(item, 0, target)
        current.append((item, layer))
        used += need
    return [*found, _batch(current)] if current else found


def _batch(parts: Sequence[tuple[Drawn, LoweredLayer]]) -> Batch:
    return Batch(tuple(d for d, _ in parts), tuple(layer for _, layer in parts))


def place(operator: Operator, scratch: int) -> tuple[int, int, int, int, int]:
    """Offsets in the arena: input, second input, output, scratch; and what that takes in all."""
    offsets = [0]
    sizes = [t.elements for t in operator.inputs]
    for size in (sizes[0], sizes[1] if len(sizes) > 1 else 0, operator.output.elements, scratch):
        offsets.append(offsets[-1] + -(-(size + 4) // ALIGNMENT) * ALIGNMENT)
    return offsets[0], offsets[1], offsets[2], offsets[3], offsets[4]


def program(batch: Batch) -> Program:
    """A program whose network runs every layer once."""
    border = [Tensor(i, f"border{i}", (1, 8), "int8", Quantization((1.0,), (0,))) for i in range(2)]
    operators = tuple(layer.operator for layer in batch.layers)
    graph = Graph(NAME, {0: border[0], 1: border[1]}, operators, 0, 1, "0" * 64)
    size = max(place(layer.operator, layer.emission.scratch_bytes)[-1] for layer in batch.layers)
    memory = MemoryPlan(size, {}, {})
    macs = sum(operator.macs for operator in operators)
    summary = f"{len(operators)} layers for the calibration of the cost model."
    sources = {
        "Inc/approx_network.h": header_text(graph, memory, (macs, macs), summary),
        "Src/approx_network.c": _network_text(batch, summary),
    }
    for layer in batch.layers:
        sources.update(layer.emission.sources)
    return Program(graph, batch.layers, memory, sources)


def _network_text(batch: Batch, summary: str) -> str:
    names = "\n".join(f'    "layer_{layer.operator.index}",' for layer in batch.layers)
    parts = [PROLOGUE.format(summary=summary, cmsis_nn='#include "arm_nnfunctions.h"\n', names=names), FILL]
    run = ["int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output)", "{"]
    run += ["    int8_t *const arena = activations;", "    (void)input;", "    (void)output;"]
    for layer in batch.layers:
        operator = layer.operator
        symbol = layer_symbol(operator)
        parts += [text for text in (layer.emission.prototypes, layer.emission.definitions) if text]
        parts.append(
            f"APPROX_LAYER int32_t {symbol}"
            "(const int8_t *input, const int8_t *input_2, int8_t *output, void *scratch)\n{\n"
            f"    (void)input_2;\n    (void)scratch;\n    return {layer.emission.call};\n}}\n"
        )
        first, second, result, scratch, _ = place(operator, layer.emission.scratch_bytes)
        for offset, tensor in zip((first, second), operator.inputs):
            run.append(f"    write_input(arena + {offset}, {tensor.elements}u);")
        run.append(f"    if ({symbol}(arena, arena + {second}, arena + {result}, arena + {scratch}) != 0) {{")
        run.append(f"        return {operator.index + 1};\n    }}")
        run.append(f"    observe({operator.index}, arena + {result}, {operator.output.elements}u);")
    parts.append("int32_t approx_network_check_scratch(void)\n{\n    return 0;\n}\n")
    return "\n".join([*parts, *run, "    return 0;", "}", ""])


def make(batch: Batch, board: Board, cmsis_nn: Path, folder: Path, workers: int) -> Path:
    """Build the firmware below `folder`, where objects that did not change are kept. Returns the ELF."""
    made = program(batch)
    provider = resolve(made.cmsis_nn_functions, cmsis_nn, PLACE)
    empty = np.zeros((1, 8), np.int8)
    vectors = TestVectors(empty, empty, np.zeros((1, len(batch.layers)), np.uint32))
    write(collect(made, board, provider, vectors, NAME, extra={}), folder / "tree", force=True)
    return build(folder / "tree", "Release", folder / "build", workers).elf
