"""The network's header: the interface between the generated network and the application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from approx_plugin.kernels.borders import offsets, state_bytes
from approx_plugin.kernels.c_lines import WIDTH, folded
from approx_plugin.kernels.program import MemoryPlan, Step
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Tensor
from approx_plugin.provenance import block_comment

_HEADER = """\
{provenance}
#ifndef APPROX_NETWORK_H
#define APPROX_NETWORK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define APPROX_NETWORK_MODEL_NAME "{name}"
#define APPROX_NETWORK_LAYERS {layers}
/* Calls of the observer in one inference: where one function computes several layers, only the
   last one's output exists. */
#define APPROX_NETWORK_STEPS {steps}
/* Multiply-accumulates of one inference: of the exact network, and those that approximation has
   not skipped. */
#define APPROX_NETWORK_MACC_EXACT {exact}u
#define APPROX_NETWORK_MACC_KEPT {kept}u
{borders}/* Size of the application's buffer for everything in between. */
#define APPROX_NETWORK_ACTIVATIONS_SIZE {arena}u
#define APPROX_NETWORK_ACTIVATIONS_ALIGNMENT {alignment}
/* What the network remembers from one inference to the next, in memory of its own. */
#define APPROX_NETWORK_STATES_SIZE {states}u

/* Called after every step with the layer that it ends with and its output, which is valid during
   the call only. */
typedef void (*approx_observer)(void *user, int32_t layer, const int8_t *output, uint32_t bytes);

extern const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS];

/* One inference. activations: APPROX_NETWORK_ACTIVATIONS_SIZE bytes, aligned to
   APPROX_NETWORK_ACTIVATIONS_ALIGNMENT. input: APPROX_NETWORK_IN_SIZE_BYTES, output:
   APPROX_NETWORK_OUT_SIZE_BYTES; they must not overlap each other or activations. Returns 0, or
   1 + the index of the layer that failed. Not reentrant where two calls share {shared}. */
int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output);

/* {reset} */
void approx_network_reset(void);

/* Who is told about the steps; NULL for nobody. */
void approx_network_set_observer(approx_observer observer, void *user);

/* 0, or 1 + the index of a layer whose library function asks for more scratch than was planned. */
int32_t approx_network_check_scratch(void);

#ifdef __cplusplus
}}
#endif

#endif
"""

_STATELESS = "Does nothing: this network remembers nothing from one inference to the next."
_STATEFUL = """\
Forgets all earlier inferences, as before the first one: call it where a new sequence begins. An
   inference is one step of a sequence."""


def header_text(graph: Graph, steps: Sequence[Step], memory: MemoryPlan, macs: tuple[int, int], summary: str) -> str:
    """approx_network.h. macs, summary: as of `Network`."""
    text = _HEADER.format(
        provenance=block_comment(summary, WIDTH),
        name=graph.name,
        layers=len(graph.operators),
        steps=len(steps) + sum(operator.is_alias for operator in graph.operators),
        exact=macs[0],
        kept=macs[1],
        borders="\n".join(
            [
                *_border("IN", "in", graph.inputs),
                *_border("OUT", "out", graph.outputs),
                *(
                    f"/* The model's output {comment(name)} is a constant: it is left out. */"
                    for name in graph.constant_outputs
                ),
                "",
            ]
        ),
        arena=memory.size,
        alignment=memory.alignment,
        states=state_bytes(graph),
        shared="`activations` or the states" if graph.states else "`activations`",
        reset=_STATEFUL if graph.states else _STATELESS,
    )
    return folded(text)


def _border(macro: str, way: str, tensors: Sequence[Tensor]) -> Iterator[str]:
    """The lines about all inputs, or all outputs."""
    prefix = f"APPROX_NETWORK_{macro}"
    if len(tensors) > 1:
        words = {"in": "inputs, which lie", "out": "outputs, which lie"}[way]
        yield f"/* {len(tensors)} {words} back to back in one buffer, each at its offset. */"
    yield f"#define {prefix}_NUM {len(tensors)}"
    yield f"#define {prefix}_SIZE_BYTES {sum(tensor.elements for tensor in tensors)}u"
    for number, (tensor, offset) in enumerate(zip(tensors, offsets([t.elements for t in tensors])), 1):
        yield f"/* {tensor.element} {way}: real = {tensor.scale!r} * (q - {tensor.zero_point}); {_extents(tensor)} */"
        yield f"#define {prefix}_{number}_NAME {c_string(tensor.name)}"
        yield f"#define {prefix}_{number}_OFFSET {offset}u"
        yield f"#define {prefix}_{number}_SIZE_BYTES {tensor.elements}u"
        yield f"#define {prefix}_{number}_SCALE {tensor.scale!r}f"
        yield f"#define {prefix}_{number}_ZERO_POINT ({tensor.zero_point})"


def _extents(tensor: Tensor) -> str:
    if tensor.element == "int8":
        return f"shape {'x'.join(map(str, tensor.shape))}"
    return f"shape {'x'.join(map(str, tensor.shape[:-1]))}, {tensor.shape[-1]} bytes each, the lowest first"


def comment(text: str) -> str:
    """A name inside of a comment."""
    return c_string(text).replace("*/", "* /").replace("/*", "/ *")


def c_string(text: str) -> str:
    """A string literal: ASCII, whatever the text holds, and no trigraphs."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'
