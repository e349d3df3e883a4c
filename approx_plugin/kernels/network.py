"""The network file: one function per step, called in order, on the buffers of the memory plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from approx_plugin.kernels.borders import Borders, borders_of, roots
from approx_plugin.kernels.c_lines import WIDTH, call, folded
from approx_plugin.kernels.header import header_text
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.program import MemoryPlan, Step
from approx_plugin.kernels.run import inputs_of
from approx_plugin.kernels.states import set_lines, states_text
from approx_plugin.model.graph import Graph
from approx_plugin.provenance import block_comment

PROLOGUE = """\
{provenance}
#include "{header}"

#include <stddef.h>
#include <string.h>

#include "approx_operators.h"
#include "approx_runtime.h"
{cmsis_nn}
/* Layers stay functions of their own, under their own names. */
#if defined(__clang__)
#define APPROX_LAYER __attribute__((noinline)) static
#elif defined(__GNUC__)
#define APPROX_LAYER __attribute__((noipa)) static
#else
#define APPROX_LAYER static
#endif

const char *const {prefix}_layer_names[{macro}_LAYERS] = {{
{layers}
}};

const char {prefix}_version[] = {macro}_GENERATOR " " {macro}_MODEL_SHA256;

static approx_observer network_observer = NULL;
static void *network_user = NULL;

void {prefix}_set_observer(approx_observer observer, void *user)
{{
    network_observer = observer;
    network_user = user;
}}

static void observe(int32_t layer, const int8_t *output, uint32_t bytes)
{{
    if (network_observer != NULL) {{
        network_observer(network_user, layer, output, bytes);
    }}
}}
"""


SCRATCH_DTCM = """\
/* Scratch in the core's own data memory: the steps that want it take turns. */
static uint8_t scratch_dtcm[{size}] __attribute__((aligned(8), section(".dtcm")));
"""

RUN = "int32_t {}(void *activations, const int8_t *input, int8_t *output)"
"""The head of the function of one inference."""


@dataclass(frozen=True, eq=False)
class Network:
    """What the network's files are made of. macs: of the exact network, and kept; summary: as of `summary_of`."""

    graph: Graph
    steps: Sequence[Step]
    memory: MemoryPlan
    macs: tuple[int, int]
    summary: str
    names: Names = UNNAMED

    @property
    def header(self) -> str:
        """The text of approx_network.h."""
        return header_text(self.graph, self.steps, self.memory, self.macs, self.summary, self.names)


def network_text(network: Network) -> str:
    """approx_network.c."""
    names = [operator.name for operator in network.graph.operators]
    parts = [prologue_text(network.summary, names, network.steps, network.names)]
    beside = network.memory.beside.get(DTCM, 0)
    if beside:
        parts.append(SCRATCH_DTCM.format(size=beside))
    parts.append(states_text(network.graph, network.names))
    parts += [step_text(step) for step in network.steps]
    parts.append(check_text(network.steps, network.names))
    parts.append(_run_function(network))
    return "\n".join(parts)


def prologue_text(summary: str, layers: Sequence[str], steps: Sequence[Step], names: Names) -> str:
    """The head of the network's file. layers: the names of all; names: the network's."""
    uses_library = any(step.emission.cmsis_nn for step in steps)
    text = PROLOGUE.format(
        provenance=block_comment(summary, WIDTH),
        cmsis_nn='#include "arm_nnfunctions.h"\n' if uses_library else "",
        header=names.header,
        prefix=names.prefix,
        macro=names.macro,
        layers="\n".join(f'    "{layer}",' for layer in layers),
    )
    return folded(text)


def step_text(step: Step) -> str:
    """All that a step puts into the network's file; its function last, under a name of its own.

    So profilers, debuggers and simulators can tell where time goes.
    """
    emission = step.emission
    parts = [f"/* {description(step)} */"]
    parts += [text.rstrip("\n") + "\n" for text in (emission.prototypes, emission.definitions) if text]
    head = f"APPROX_LAYER {'int32_t' if emission.can_fail else 'void'} {call(step.symbol, _parameters(step))}"
    statement = f"return {emission.call};" if emission.can_fail else f"{emission.call};"
    parts.append(folded(f"{head}\n{{\n    {statement}\n}}\n"))
    return folded("\n".join(parts))


def description(step: Step) -> str:
    """`conv2d_3 (CONV_2D 8x8x16 -> 8x8x32): unpacked, 4x1 pixels by 2 channels`."""
    works = ", ".join(f"{operator.name} ({operator.kind})" for operator in step.operators)
    shapes = " and ".join(_shape(tensor.shape) for tensor in inputs_of(step.operators))
    variant = f", {step.plan.variant}" if step.plan.variant else ""
    return f"{works}, {shapes} -> {_shape(step.last.output.shape)}: {step.kernel}{variant}."


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape[1:])) or "1"


def _parameters(step: Step) -> list[str]:
    """Of a step's function: only what it uses."""
    inputs = [f"const int8_t *input{f'_{n}' if n > 1 else ''}" for n in range(1, len(inputs_of(step.operators)) + 1)]
    scratch = step.cost.scratch
    further = [("void *scratch", scratch.get(RAM, 0)), ("void *scratch_dtcm", scratch.get(DTCM, 0))]
    return [*inputs, "int8_t *output", *(text for text, size in further if size)]


def check_text(steps: Sequence[Step], names: Names) -> str:
    """The function that asks the linked library whether its scratch suffices."""
    lines = [f"int32_t {names.prefix}_check_scratch(void)", "{"]
    for step in steps:
        wanted = step.emission.context_size
        if wanted:
            lines.append(f"    if ({wanted} > {step.cost.ram_bytes}) {{")
            lines.append(f"        return {step.last.index + 1};")
            lines.append("    }")
    return "\n".join([*lines, "    return 0;", "}", ""])


def _places(graph: Graph, memory: MemoryPlan, borders: Borders) -> Mapping[int, str]:
    """Activation -> C expression of its address; those that pass inside of a step have none."""
    place = {}
    for tensor, source in roots(graph).items():
        if source in borders.places:
            place[tensor] = borders.places[source]
        elif source in memory.activations:
            place[tensor] = f"(int8_t *)(arena + {memory.activations[source].offset})"
    return place


def _run_function(network: Network) -> str:
    graph, memory = network.graph, network.memory
    borders = borders_of(graph, [step.operators for step in network.steps])
    place = _places(graph, memory, borders)
    lines = [RUN.format(network.names.run), "{"]
    lines.append("    uint8_t *const arena = activations;" if memory.buffers else "    (void)activations;")
    lines += ["", *(set_lines(network.names) if graph.states else ())]
    ends = {step.last.index: step for step in network.steps}
    for operator in graph.operators:
        index, output = operator.index, operator.output
        if index in ends:
            lines += _call(ends[index], memory, place)
        if index in ends or operator.is_alias:
            size = ends[index].plan.needs.output.size(output) if index in ends else output.elements
            lines.append(f"    observe({index}, {place[output.index]}, {size}u);")
    lines += [f"    memcpy({copy.target}, {place[copy.source]}, {copy.count}u);" for copy in borders.copies]
    return folded("\n".join([*lines, "    return 0;", "}", ""]))


def _call(step: Step, memory: MemoryPlan, place: Mapping[int, str]) -> list[str]:
    """The call of a step, and what becomes of its status."""
    arguments = [place[tensor.index] for tensor in inputs_of(step.operators)] + [place[step.last.output.index]]
    scratch = memory.scratch.get(step.operators[0].index)
    if scratch:
        arguments.append(f"arena + {scratch.offset}")
    if step.cost.scratch.get(DTCM, 0):
        arguments.append("scratch_dtcm")
    made = call(step.symbol, arguments)
    if not step.emission.can_fail:
        return [f"    {made};"]
    return [f"    if ({made} != 0) {{", f"        return {step.last.index + 1};", "    }"]


def summary_of(graph: Graph, kernels: Mapping[str, int]) -> str:
    """For the head of generated files: the model, its hash, and how many steps take which kernel."""
    counted = ", ".join(f"{count} {name}" for name, count in sorted(kernels.items()))
    return f"{graph.name} (sha256 of the model {graph.sha256[:16]}), {counted} steps"
