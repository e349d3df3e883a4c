"""The network's header: the interface between the generated network and the application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from approx_plugin import __version__
from approx_plugin.kernels.borders import offsets, state_bytes
from approx_plugin.kernels.c_lines import WIDTH, folded
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.kernels.program import MemoryPlan, Step
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Tensor
from approx_plugin.provenance import block_comment

_HEADER = """\
{provenance}
#ifndef {macro}_H
#define {macro}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {macro}_MODEL_NAME "{name}"
/* Of the model's file, and what has made this of it. */
#define {macro}_MODEL_SHA256 "{sha256}"
#define {macro}_GENERATOR "approx-plugin {version}"
#define {macro}_LAYERS {layers}
/* Calls of the observer in one inference: where one function computes several layers, only the
   last one's output exists. */
#define {macro}_STEPS {steps}
/* Multiply-accumulates of one inference: of the exact network, and those that approximation has
   not skipped. */
#define {macro}_MACC_EXACT {exact}u
#define {macro}_MACC_KEPT {kept}u
{borders}/* Size of the application's buffer for everything in between. */
#define {macro}_ACTIVATIONS_SIZE {arena}u
#define {macro}_ACTIVATIONS_ALIGNMENT {alignment}
/* What the network remembers from one inference to the next, in memory of its own. */
#define {macro}_STATES_SIZE {states}u
/* Whether inferences may run at the same time, each with buffers of its own. */
#define {macro}_REENTRANT {reentrant}

/* Defines the three buffers of one inference, static and aligned, for whoever has no others:
       {macro}_BUFFERS(activations, input, output);
       status = {prefix}_run(activations, input, output); */
#define {macro}_BUFFERS(activations, input, output) \\
    static uint8_t activations[{macro}_ACTIVATIONS_SIZE + {spare}u] \\
        __attribute__((aligned({macro}_ACTIVATIONS_ALIGNMENT))); \\
    static int8_t input[{macro}_IN_SIZE_BYTES] __attribute__((aligned(8))); \\
    static int8_t output[{macro}_OUT_SIZE_BYTES] __attribute__((aligned(8)))

/* Called after every step with the layer that it ends with and its output, which is valid during
   the call only. To profile layers, see approx_profile.h. */
#ifndef APPROX_OBSERVER
#define APPROX_OBSERVER
typedef void (*approx_observer)(void *user, int32_t layer, const int8_t *output, uint32_t bytes);
#endif

extern const char *const {prefix}_layer_names[{macro}_LAYERS];

/* "approx-plugin <version> <the model's sha256>", for whoever asks at run time. */
extern const char {prefix}_version[];

/* One inference. activations: {macro}_ACTIVATIONS_SIZE bytes, aligned to
   {macro}_ACTIVATIONS_ALIGNMENT. input: {macro}_IN_SIZE_BYTES, output:
   {macro}_OUT_SIZE_BYTES; they must not overlap each other or activations. Returns 0, or
   1 + the index of the layer that failed. Not reentrant where two calls share {shared}. */
int32_t {prefix}_run(void *activations, const int8_t *input, int8_t *output);

/* {reset} */
void {prefix}_reset(void);

/* Who is told about the steps of all inferences; NULL for nobody. */
void {prefix}_set_observer(approx_observer observer, void *user);

/* 0, or 1 + the index of a layer whose library function asks for more scratch than was planned. */
int32_t {prefix}_check_scratch(void);

#ifdef __cplusplus
}}
#endif

#endif
"""

_STATELESS = "Does nothing: this network remembers nothing from one inference to the next."
_STATEFUL = """\
Forgets all earlier inferences, as before the first one: call it where a new sequence begins. An
   inference is one step of a sequence."""


def header_text(
    graph: Graph,
    steps: Sequence[Step],
    memory: MemoryPlan,
    macs: tuple[int, int],
    summary: str,
    names: Names = UNNAMED,
) -> str:
    """approx_network.h. macs, summary, names: as of `Network`."""
    beside = any(memory.beside.values())
    text = _HEADER.format(
        provenance=block_comment(summary, WIDTH),
        prefix=names.prefix,
        macro=names.macro,
        name=graph.name,
        sha256=graph.sha256,
        version=__version__,
        layers=len(graph.operators),
        steps=len(steps) + sum(operator.is_alias for operator in graph.operators),
        exact=macs[0],
        kept=macs[1],
        borders="\n".join(
            [
                *_border(names, "IN", "in", graph.inputs),
                *_border(names, "OUT", "out", graph.outputs),
                *(
                    f"/* The model's output {comment(name)} is a constant: it is left out. */"
                    for name in graph.constant_outputs
                ),
                "",
            ]
        ),
        arena=memory.size,
        # An array of no bytes is none in C.
        spare=0 if memory.size else 1,
        alignment=memory.alignment,
        states=state_bytes(graph),
        reentrant=int(not graph.states and not beside),
        shared=_shared(bool(graph.states), beside),
        reset=_STATEFUL if graph.states else _STATELESS,
    )
    return folded(text)


def _shared(states: bool, beside: bool) -> str:
    """What two calls must not have in common; scratch in the core's own memory all calls have."""
    things = ["`activations`"]
    things += ["the states"] if states else []
    things += ["the scratch in the core's own memory,\n   which all calls do"] if beside else []
    return " or ".join([", ".join(things[:-1]), things[-1]] if things[1:] else things)


def _border(names: Names, macro: str, way: str, tensors: Sequence[Tensor]) -> Iterator[str]:
    """The lines about all inputs, or all outputs."""
    prefix = f"{names.macro}_{macro}"
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
        yield f"#define {prefix}_{number}_RANK {len(tensor.shape)}"
        yield f"#define {prefix}_{number}_SHAPE {{{', '.join(map(str, tensor.shape))}}}"
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
