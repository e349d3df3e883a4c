"""Many steps in one firmware that have nothing to do with each other: each with buffers of its own in one arena.

Only the network's C file is another one than in a user's project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.kernels.c_lines import call
from approx_plugin.kernels.capacity import flash_budget, ram_budget
from approx_plugin.kernels.lowering import lower_plan
from approx_plugin.kernels.memory import ALIGNMENT
from approx_plugin.kernels.names import Names
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.network import (
    RUN,
    SCRATCH_DTCM,
    Network,
    check_text,
    prologue_text,
    step_text,
)
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.program import MemoryPlan, Program, Step
from approx_plugin.kernels.run import inputs_of
from approx_plugin.kernels.states import states_text
from approx_plugin.laboratory.drawing import Drawn
from approx_plugin.laboratory.operators import activation
from approx_plugin.model.graph import Graph
from approx_plugin.reference.vectors import TestVectors

BORDER = 8
"""Bytes of the network's input and output, which nothing reads or writes."""

INPUT_SLOTS = 2
"""Inputs for which there is room in any case: a step with one lies where one with two would."""

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


@dataclass(frozen=True)
class Procedure:
    """How a batch runs.

    name:          of the project.
    before, after: bytes of every buffer's margins, which belong to nobody.
    fills:         whether the firmware writes random inputs before each call; otherwise a spy has to.
    rounds:        how often every step is called, in turn.
    most:          steps of one firmware at most.
    asks:          whether the application asks the library how much scratch it wants, as a user's does.
    overlapped:    rounds in which the output lies over an input, as far as the step allows that.
    """

    name: str
    before: int
    after: int
    fills: bool
    rounds: int
    most: int
    asks: bool
    overlapped: tuple[int, ...] = ()


@dataclass(frozen=True)
class Offsets:
    """Of a step's buffers in the arena; size: what that takes in all, margins included."""

    inputs: tuple[int, ...]
    output: int
    scratch: int
    size: int


def offsets(step: Step, procedure: Procedure) -> Offsets:
    """Inputs, output and scratch one after the other."""
    result, *sizes = _sizes(step)
    unused = [0] * (INPUT_SLOTS - len(sizes))
    starts, size = _laid(step, procedure, [*sizes, *unused, result, step.cost.scratch.get(RAM, 0)])
    return Offsets(tuple(starts[: len(sizes)]), starts[-2], starts[-1], size)


def overlapped(step: Step, procedure: Procedure) -> Offsets | None:
    """As `offsets`, but the output lies over the last input that allows it, as far behind its first byte as may be.

    None where there is none, or it would have to lie before or after the input altogether.
    """
    result, *sizes = _sizes(step)
    for number, overlap in reversed(list(enumerate(step.plan.needs.overlaps))):
        distance = overlap.next_input(sizes[number] - 1, _unit(step)) if overlap is not None else sizes[number]
        if not -result < distance < sizes[number]:
            continue
        first = min(0, distance)
        both = max(sizes[number], distance + result) - first
        others = [size for other, size in enumerate(sizes) if other != number]
        starts, size = _laid(step, procedure, [both, *others, step.cost.scratch.get(RAM, 0)])
        inputs = list(starts[1:-1])
        inputs.insert(number, starts[0] - first)
        return Offsets(tuple(inputs), starts[0] - first + distance, starts[-1], size)
    return None


def _sizes(step: Step) -> list[int]:
    """Of the output and the inputs, in bytes."""
    needs = step.plan.needs
    inputs = [layout.size(tensor) for layout, tensor in zip(needs.inputs, inputs_of(step.operators))]
    return [needs.output.size(step.last.output), *inputs]


def _unit(step: Step) -> int:
    """The alignment of all buffers of a step."""
    needs = step.plan.needs
    return max(ALIGNMENT, needs.output.alignment, *(layout.alignment for layout in needs.inputs))


def _laid(step: Step, procedure: Procedure, sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where buffers begin one after the other, with margins, and where the last margin ends."""
    found, end, unit = [], 0, _unit(step)
    for size in sizes:
        found.append(_aligned(end + procedure.before, unit))
        end = found[-1] + size + procedure.after
    return found, _aligned(end, unit)


def _aligned(value: int, unit: int) -> int:
    return -(-value // unit) * unit


@dataclass(frozen=True, eq=False)
class Batch:
    """What goes into one firmware; drawn: numbered as there, one for each step."""

    drawn: tuple[Drawn, ...]
    steps: tuple[Step, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The steps' functions in the ELF."""
        return tuple(step.symbol for step in self.steps)


def lowered(drawn: Drawn, first: int, platform: Platform) -> Step:
    """A run as the step whose first operator has the number `first`."""
    numbered = drawn.numbered(first)
    return lower_plan(numbered.plan(platform), Names().step(numbered.operators[-1].index), platform)


def batches(drawn: Sequence[Drawn], board: Board, platform: Platform, procedure: Procedure) -> list[Batch]:
    """In as few firmwares as the board's flash asks for, in this order. Raises ValueError for a step without room."""
    budget = flash_budget(board, 4096)
    found: list[Batch] = []
    current: list[tuple[Drawn, Step]] = []
    used = held = count = 0
    for item in drawn:
        step = lowered(item, count, platform)
        if not has_room(step, board, procedure):
            raise ValueError(f"{item.kinds} {item.operators[-1].output.shape} needs more RAM than {board.name} has")
        need, tables = step.cost.flash_bytes * 11 // 10, step.cost.permanent.get(RAM, 0)
        space = max([offsets(step, procedure).size, *(offsets(other, procedure).size for _, other in current)])
        too_much = used + need > budget or space + held + tables > ram_budget(board, 2 * BORDER)
        if current and (too_much or len(current) == procedure.most):
            found.append(_batch(current))
            current, used, held, count = [], 0, 0, 0
            step = lowered(item, 0, platform)
        current.append((item.numbered(count), step))
        used, held = used + need, held + tables
        count += len(item.operators)
    return [*found, _batch(current)] if current else found


def has_room(step: Step, board: Board, procedure: Procedure) -> bool:
    """Whether the board's RAM holds the buffers of a step."""
    beside = step.cost.scratch.get(DTCM, 0)
    wanted = offsets(step, procedure).size + step.cost.permanent.get(RAM, 0)
    return wanted <= ram_budget(board, 2 * BORDER) and (
        not beside or (board.dtcm is not None and _beside(step, procedure) <= board.dtcm.length)
    )


def _batch(parts: Sequence[tuple[Drawn, Step]]) -> Batch:
    return Batch(tuple(d for d, _ in parts), tuple(step for _, step in parts))


def _beside(step: Step, procedure: Procedure) -> int:
    """Bytes in the core's own data memory, margins included; 0 for a step that wants none."""
    wanted = step.cost.scratch.get(DTCM, 0)
    return _aligned(_aligned(procedure.before, ALIGNMENT) + wanted + procedure.after, ALIGNMENT) if wanted else 0


def program(batch: Batch, procedure: Procedure) -> Program:
    """A program whose network runs every step."""
    border = [activation(i, (BORDER,), 1.0, 0) for i in range(2)]
    operators = tuple(operator for step in batch.steps for operator in step.operators)
    graph = Graph(procedure.name, {0: border[0], 1: border[1]}, operators, 0, 1, "0" * 64)
    beside = max(_beside(step, procedure) for step in batch.steps)
    arena = max(offsets(step, procedure).size for step in batch.steps)
    alignment = max(max(layout.alignment for layout in step.plan.needs.inputs) for step in batch.steps)
    memory = MemoryPlan(arena, max(ALIGNMENT, alignment), {}, {}, {DTCM: beside} if beside else {})
    macs = sum(operator.macs for operator in operators)
    summary = f"{len(batch.steps)} layers of the {procedure.name}, which have nothing to do with each other."
    network = Network(graph, batch.steps, memory, (macs, macs), summary)
    names = network.names
    sources = {f"Inc/{names.header}": network.header, f"Src/{names.prefix}.c": _network_text(network, procedure)}
    for step in batch.steps:
        sources.update(step.emission.sources)
    return Program(graph, batch.steps, memory, sources)


def no_vectors(batch: Batch) -> TestVectors:
    """One inference whose answers nobody looks at."""
    empty = np.zeros((1, BORDER), np.int8)
    count = sum(len(step.operators) for step in batch.steps)
    return TestVectors(empty, empty, np.zeros((1, count), np.uint32))


def _network_text(network: Network, procedure: Procedure) -> str:
    names = [f"layer_{operator.index}" for operator in network.graph.operators]
    parts = [prologue_text(network.summary, names, network.steps, network.names)]
    if procedure.fills:
        parts.append(FILL)
    beside = network.memory.beside.get(DTCM, 0)
    if beside:
        parts.append(SCRATCH_DTCM.format(size=beside))
    parts.append(states_text(network.graph, network.names))
    parts += [step_text(step) for step in network.steps]
    parts.append(check_text(network.steps if procedure.asks else (), network.names))
    run = [RUN.format(network.names.run), "{"]
    run += ["    int8_t *const arena = activations;", "    (void)input;", "    (void)output;"]
    calls = [line for step in network.steps for line in _call(step, procedure)]
    if procedure.rounds == 1:
        run += calls
    else:
        run += [f"    for (uint32_t round = 0; round < {procedure.rounds}u; round++) {{"]
        run += [f"    {line}" for line in calls] + ["    }"]
    return "\n".join([*parts, *run, "    return 0;", "}", ""])


def _call(step: Step, procedure: Procedure) -> list[str]:
    where = offsets(step, procedure)
    over = overlapped(step, procedure) if procedure.overlapped else None
    chosen = " || ".join(f"round == {number}u" for number in procedure.overlapped)

    def place(apart: int, together: int) -> str:
        """Of a buffer, by rounds."""
        return f"arena + {apart}" if apart == together else f"arena + ({chosen} ? {together} : {apart})"

    moved = over or where
    inputs = [place(*both) for both in zip(where.inputs, moved.inputs)]
    output = place(where.output, moved.output)
    sizes = [layout.size(t) for layout, t in zip(step.plan.needs.inputs, inputs_of(step.operators))]
    lines = [f"    write_input({i}, {size}u);" for i, size in zip(inputs, sizes) if procedure.fills]
    scratch = step.cost.scratch
    arguments = [*inputs, output]
    arguments += [place(where.scratch, moved.scratch)] if scratch.get(RAM, 0) else []
    arguments += [f"scratch_dtcm + {_aligned(procedure.before, ALIGNMENT)}"] if scratch.get(DTCM, 0) else []
    made = call(step.symbol, arguments)
    if step.emission.can_fail:
        lines += [f"    if ({made} != 0) {{", f"        return {step.last.index + 1};", "    }"]
    else:
        lines.append(f"    {made};")
    size = step.plan.needs.output.size(step.last.output)
    return [*lines, f"    observe({step.last.index}, {output}, {size}u);"]
