"""The network file and its header: one function a layer, called in order, on the buffers of the memory plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from approx_plugin.kernels.kernel import layer_symbol
from approx_plugin.kernels.memory import roots
from approx_plugin.kernels.program import LoweredLayer, MemoryPlan
from approx_plugin.model.graph import Graph

HEADER = """\
/* Generated. {summary} */
#ifndef APPROX_NETWORK_H
#define APPROX_NETWORK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define APPROX_NETWORK_MODEL_NAME "{name}"
#define APPROX_NETWORK_LAYERS {layers}
#define APPROX_NETWORK_STEPS {layers} /* calls of the observer in one inference */
/* Multiply-accumulates of one inference: of the exact network, and those that approximation has not skipped. */
#define APPROX_NETWORK_MACC_EXACT {exact}u
#define APPROX_NETWORK_MACC_KEPT {kept}u
/* int8 in: real = {in_scale!r} * (q - {in_zero}); shape {in_shape} */
#define APPROX_NETWORK_IN_1_SIZE_BYTES {in_bytes}u
#define APPROX_NETWORK_IN_1_SCALE {in_scale!r}f
#define APPROX_NETWORK_IN_1_ZERO_POINT ({in_zero})
/* int8 out: real = {out_scale!r} * (q - {out_zero}); shape {out_shape} */
#define APPROX_NETWORK_OUT_1_SIZE_BYTES {out_bytes}u
#define APPROX_NETWORK_OUT_1_SCALE {out_scale!r}f
#define APPROX_NETWORK_OUT_1_ZERO_POINT ({out_zero})
/* Size of the application's buffer for everything in between. */
#define APPROX_NETWORK_ACTIVATIONS_SIZE {arena}u
#define APPROX_NETWORK_ACTIVATIONS_ALIGNMENT 8

/* Called behind every layer with its int8 output, which is valid during the call only. */
typedef void (*approx_observer)(void *user, int32_t layer, const int8_t *output, uint32_t bytes);

extern const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS];

/* One inference. activations: APPROX_NETWORK_ACTIVATIONS_SIZE bytes, 8-byte aligned. input and output must not overlap
   it. Returns 0, or 1 + the index of the layer that failed. Not reentrant where two calls share `activations`. */
int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output);

/* Who is told about every layer's output; NULL for nobody. */
void approx_network_set_observer(approx_observer observer, void *user);

/* 0, or 1 + the index of a layer whose library function asks for more scratch than was planned. */
int32_t approx_network_check_scratch(void);

#ifdef __cplusplus
}}
#endif

#endif
"""

PROLOGUE = """\
/* Generated. {summary} */
#include "approx_network.h"

#include <stddef.h>
#include <string.h>

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

const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS] = {{
{names}
}};

static approx_observer network_observer = NULL;
static void *network_user = NULL;

void approx_network_set_observer(approx_observer observer, void *user)
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


def header_text(graph: Graph, memory: MemoryPlan, macs: tuple[int, int], summary: str) -> str:
    """approx_network.h. macs: of the exact network, and kept."""
    source, target = graph.input_tensor, graph.output_tensor
    return HEADER.format(
        summary=summary,
        name=graph.name,
        layers=len(graph.operators),
        exact=macs[0],
        kept=macs[1],
        in_bytes=source.elements,
        in_scale=source.scale,
        in_zero=source.zero_point,
        in_shape="x".join(map(str, source.shape)),
        out_bytes=target.elements,
        out_scale=target.scale,
        out_zero=target.zero_point,
        out_shape="x".join(map(str, target.shape)),
        arena=memory.size,
    )


def network_text(graph: Graph, layers: Sequence[LoweredLayer], memory: MemoryPlan, summary: str) -> str:
    """approx_network.c."""
    uses_library = any(layer.emission.cmsis_nn for layer in layers)
    parts = [
        PROLOGUE.format(
            summary=summary,
            cmsis_nn='#include "arm_nnfunctions.h"\n' if uses_library else "",
            names="\n".join(f'    "{op.name}",' for op in graph.operators),
        )
    ]
    place = _places(graph, memory)
    for layer in layers:
        if layer.operator.is_alias:
            continue
        parts += [text for text in (layer.emission.prototypes, layer.emission.definitions) if text]
        parts.append(_layer_function(layer))
    parts.append(_check_function(layers))
    parts.append(_run_function(graph, layers, memory, place))
    return "\n".join(parts)


def _places(graph: Graph, memory: MemoryPlan) -> Mapping[int, str]:
    """Activation -> C expression of its address."""
    root = roots(graph)
    place = {}
    for tensor, source in root.items():
        if source == root[graph.output]:
            place[tensor] = "output"
        elif source == root[graph.input]:
            place[tensor] = "input"
        else:
            place[tensor] = f"(int8_t *)(arena + {memory.activations[source].offset})"
    return place


def _layer_function(layer: LoweredLayer) -> str:
    """One layer under a name of its own, so that profilers and simulators can tell where time goes."""
    return (
        f"APPROX_LAYER int32_t {layer_symbol(layer.operator)}"
        "(const int8_t *input, const int8_t *input_2, int8_t *output, void *scratch)\n{\n"
        "    (void)input_2;\n    (void)scratch;\n"
        f"    return {layer.emission.call};\n}}\n"
    )


def _check_function(layers: Sequence[LoweredLayer]) -> str:
    lines = ["int32_t approx_network_check_scratch(void)", "{"]
    for layer in layers:
        wanted = layer.emission.context_size
        if wanted:
            lines.append(f"    if ({wanted} > {layer.emission.scratch_bytes}) {{")
            lines.append(f"        return {layer.operator.index + 1};")
            lines.append("    }")
    return "\n".join([*lines, "    return 0;", "}", ""])


def _run_function(graph: Graph, layers: Sequence[LoweredLayer], memory: MemoryPlan, place: Mapping[int, str]) -> str:
    lines = [
        "int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output)",
        "{",
        "    uint8_t *const arena = activations;",
        "    (void)arena;",
    ]
    root = roots(graph)
    if root[graph.input] == root[graph.output]:
        # Nothing but aliases between input and output: the bytes go over as they are.
        lines.append(f"    memcpy(output, input, {graph.output_tensor.elements}u);")
    for layer in layers:
        operator = layer.operator
        target = place[operator.output.index]
        if not operator.is_alias:
            scratch = memory.scratch.get(operator.index)
            arguments = [
                place[operator.inputs[0].index],
                place[operator.inputs[1].index] if len(operator.inputs) > 1 else "NULL",
                target,
                f"arena + {scratch.offset}" if scratch else "NULL",
            ]
            lines.append(f"    if ({layer_symbol(operator)}({', '.join(arguments)}) != 0) {{")
            lines.append(f"        return {operator.index + 1};")
            lines.append("    }")
        lines.append(f"    observe({operator.index}, {target}, {operator.output.elements}u);")
    return "\n".join([*lines, "    return 0;", "}", ""])


def summary_of(graph: Graph, kernels: Mapping[str, int]) -> str:
    """One line for the head of generated files: the model, its hash, and how many layers take which kernel."""
    counted = ", ".join(f"{count} {name}" for name, count in sorted(kernels.items()))
    return f"{graph.name} (sha256 of the model {graph.sha256[:16]}): {counted} layers."
