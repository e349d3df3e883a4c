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
from approx_plugin.kernels.c_lines import call
from approx_plugin.kernels.capacity import flash_budget, ram_budget
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.lowering import lower_plan, step_symbol
from approx_plugin.kernels.network import Network, header_text, prologue_text, step_text
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import MemoryPlan, Program, Step
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.unpacked.plan import UnpackedPlan
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
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
    steps: tuple[Step, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The layers' functions in the ELF."""
        return tuple(step.symbol for step in self.steps)


def plan_of(drawn: Drawn, platform: Platform) -> Plan:
    """The plan with the block that was drawn."""
    compared = KERNELS[drawn.schedule].plans((drawn.operator,), platform)
    if drawn.block is None:
        return compared[0]
    wanted = (drawn.block, drawn.pitch)
    return next(p for p in compared if isinstance(p, UnpackedPlan) and (p.block, p.layout.channel_pitch) == wanted)


def lowered(drawn: Drawn, index: int, platform: Platform) -> Step:
    """A layer under its number."""
    drawn = replace(drawn, operator=replace(drawn.operator, index=index))
    return lower_plan(plan_of(drawn, platform), step_symbol(index), platform)


def batches(drawn: Sequence[Drawn], board: Board, platform: Platform) -> list[Batch]:
    """The layers in as few firmwares as the board's flash asks for. Raises ValueError for a layer without a place."""
    budget = flash_budget(board, 4096)
    found: list[Batch] = []
    current: list[tuple[Drawn, Step]] = []
    used = 0
    for item in drawn:
        step = lowered(item, len(current), platform)
        if place(step)[-1] > ram_budget(board, 16):
            raise ValueError(f"{item.operator.kind} {item.operator.output.shape} needs more RAM than {board.name} has")
        need = step.cost.flash_bytes * 11 // 10
        if current and (used + need > budget or len(current) == MAX_LAYERS):
            found.append(_batch(current))
            current, used = [], 0
            step = lowered(item, 0, platform)
        current.append((item, step))
        used += need
    return [*found, _batch(current)] if current else found


def _batch(parts: Sequence[tuple[Drawn, Step]]) -> Batch:
    return Batch(tuple(d for d, _ in parts), tuple(step for _, step in parts))


def place(step: Step) -> tuple[int, int, int, int, int]:
    """Offsets in the arena: input, second input, output, scratch; and what that takes in all."""
    offsets = [0]
    sizes = [t.elements for t in step.last.inputs]
    for size in (sizes[0], sizes[1] if len(sizes) > 1 else 0, step.last.output.elements, step.cost.ram_bytes):
        offsets.append(offsets[-1] + -(-(size + 4) // ALIGNMENT) * ALIGNMENT)
    return offsets[0], offsets[1], offsets[2], offsets[3], offsets[4]


def program(batch: Batch) -> Program:
    """A program whose network runs every layer once."""
    border = [Tensor(i, f"border{i}", (1, 8), "int8", Quantization((1.0,), (0,))) for i in range(2)]
    operators = tuple(step.last for step in batch.steps)
    graph = Graph(NAME, {0: border[0], 1: border[1]}, operators, 0, 1, "0" * 64)
    memory = MemoryPlan(max(place(step)[-1] for step in batch.steps), ALIGNMENT, {}, {}, {})
    macs = sum(operator.macs for operator in operators)
    summary = f"{len(operators)} layers for the calibration of the cost model."
    network = Network(graph, batch.steps, memory, (macs, macs), summary)
    sources = {"Inc/approx_network.h": header_text(network), "Src/approx_network.c": _network_text(network)}
    for step in batch.steps:
        sources.update(step.emission.sources)
    return Program(graph, batch.steps, memory, sources)


def _network_text(network: Network) -> str:
    names = [f"layer_{step.last.index}" for step in network.steps]
    parts = [prologue_text(network.summary, names, network.steps), FILL]
    run = ["int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output)", "{"]
    run += ["    int8_t *const arena = activations;", "    (void)input;", "    (void)output;"]
    for step in network.steps:
        parts.append(step_text(step))
        first, second, result, scratch, _ = place(step)
        inputs = [f"arena + {offset}" for offset, _ in zip((first, second), step.last.inputs)]
        for where, tensor in zip(inputs, step.last.inputs):
            run.append(f"    write_input({where}, {tensor.elements}u);")
        arguments = [*inputs, f"arena + {result}", *([f"arena + {scratch}"] if step.cost.ram_bytes else [])]
        made = call(step.symbol, arguments)
        if step.emission.can_fail:
            run += [f"    if ({made} != 0) {{", f"        return {step.last.index + 1};", "    }"]
        else:
            run.append(f"    {made};")
        run.append(f"    observe({step.last.index}, arena + {result}, {step.last.output.elements}u);")
    parts.append("int32_t approx_network_check_scratch(void)\n{\n    return 0;\n}\n")
    return "\n".join([*parts, *run, "    return 0;", "}", ""])


def make(batch: Batch, board: Board, cmsis_nn: Path, folder: Path, workers: int) -> Path:
    """Build the firmware below `folder`, where objects that did not change are kept. Returns the ELF."""
    made = program(batch)
    provider = resolve(made.cmsis_nn_functions, cmsis_nn, PLACE)
    empty = np.zeros((1, 8), np.int8)
    vectors = TestVectors(empty, empty, np.zeros((1, len(batch.steps)), np.uint32))
    write(collect(made, board, provider, vectors, NAME, extra={}), folder / "tree", force=True)
    return build(folder / "tree", "Release", folder / "build", workers).elf
