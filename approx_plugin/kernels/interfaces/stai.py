"""`stai_<name>_*`: the functions and macros of ST Edge AI Core 2 and newer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from approx_plugin import __version__
from approx_plugin.kernels.c_lines import WIDTH, folded
from approx_plugin.kernels.emission import Sources
from approx_plugin.kernels.header import c_string
from approx_plugin.kernels.interfaces.shared import dimensions, numbers, places, run_text, static_header
from approx_plugin.kernels.program import Program
from approx_plugin.model.tensor import Tensor
from approx_plugin.provenance import block_comment

_HEADER = """\
{provenance}
#ifndef STAI_{NAME}_H
#define STAI_{NAME}_H

#include "approx_{name}.h"
#include "stai.h"

#ifdef __cplusplus
extern "C" {{
#endif

#define STAI_{NAME}_ORIGIN_MODEL_NAME {model}
#define STAI_{NAME}_ORIGIN_MODEL_SIGNATURE APPROX_{NAME}_MODEL_SHA256
#define STAI_{NAME}_MODEL_NAME "{name}"
#define STAI_{NAME}_MODEL_SIGNATURE APPROX_{NAME}_MODEL_SHA256
#define STAI_{NAME}_NODES_NUM ({nodes})
#define STAI_{NAME}_MACC_NUM ({macs})
{inputs}
{outputs}
/* The arena; behind it all inputs, then all outputs, for applications without buffers of their own. */
#define STAI_{NAME}_ACTIVATIONS_NUM (1)
#define STAI_{NAME}_ACTIVATIONS_SIZE ({size})
#define STAI_{NAME}_ACTIVATIONS_SIZE_BYTES ({size})
#define STAI_{NAME}_ACTIVATIONS_SIZES {{{size}}}
#define STAI_{NAME}_ACTIVATIONS_ALIGNMENTS {{{alignment}}}
#define STAI_{NAME}_ACTIVATION_1_FLAGS (STAI_FLAG_ACTIVATIONS)
#define STAI_{NAME}_ACTIVATION_1_SIZE ({size})
#define STAI_{NAME}_ACTIVATION_1_SIZE_BYTES ({size})
#define STAI_{NAME}_ACTIVATION_1_ALIGNMENT ({alignment})
/* Weights are part of the code: there is nothing to set. */
#define STAI_{NAME}_WEIGHTS_NUM (1)
#define STAI_{NAME}_WEIGHTS_SIZE (0)
#define STAI_{NAME}_WEIGHTS_SIZE_BYTES (0)
#define STAI_{NAME}_WEIGHTS_SIZES {{0}}
#define STAI_{NAME}_WEIGHTS_ALIGNMENTS {{1}}
#define STAI_{NAME}_WEIGHT_1_FLAGS (STAI_FLAG_PREALLOCATED)
#define STAI_{NAME}_WEIGHT_1_SIZE (0)
#define STAI_{NAME}_WEIGHT_1_SIZE_BYTES (0)
/* What a network remembers has a place of its own. */
#define STAI_{NAME}_STATES_NUM (0)
#define STAI_{NAME}_STATES_SIZE (0)
#define STAI_{NAME}_STATES_SIZE_BYTES (0)
#define STAI_{NAME}_FLAGS (STAI_FLAG_INPUTS | STAI_FLAG_OUTPUTS | STAI_FLAG_WEIGHTS)

/* What lies in a context; to be reached by the functions only. */
typedef struct {{
    uint32_t mark;
    stai_return_code error;
    stai_ptr activations;
    stai_ptr inputs[STAI_{NAME}_IN_NUM];
    stai_ptr outputs[STAI_{NAME}_OUT_NUM];
    stai_event_cb callback;
    void *cookie;
    uint32_t step;
}} approx_stai_{name}_context;

#define STAI_{NAME}_CONTEXT_SIZE (sizeof(approx_stai_{name}_context))
#define STAI_{NAME}_CONTEXT_ALIGNMENT (8)

stai_return_code stai_{name}_init(stai_network *network);
stai_return_code stai_{name}_deinit(stai_network *network);
stai_return_code stai_{name}_get_info(stai_network *network, stai_network_info *info);
/* The first error since init(), which forgets it. */
stai_return_code stai_{name}_get_error(stai_network *network);

/* Inputs and outputs get their places behind the arena, unless the application has set others. */
stai_return_code
stai_{name}_set_activations(stai_network *network, const stai_ptr *activations, const stai_size count);
stai_return_code stai_{name}_get_activations(stai_network *network, stai_ptr *activations, stai_size *count);
stai_return_code stai_{name}_set_weights(stai_network *network, const stai_ptr *weights, const stai_size count);
stai_return_code stai_{name}_get_weights(stai_network *network, stai_ptr *weights, stai_size *count);
stai_return_code stai_{name}_set_inputs(stai_network *network, const stai_ptr *inputs, const stai_size count);
stai_return_code stai_{name}_get_inputs(stai_network *network, stai_ptr *inputs, stai_size *count);
stai_return_code stai_{name}_set_outputs(stai_network *network, const stai_ptr *outputs, const stai_size count);
stai_return_code stai_{name}_get_outputs(stai_network *network, stai_ptr *outputs, stai_size *count);
stai_return_code stai_{name}_set_callback(stai_network *network, const stai_event_cb callback, void *cookie);

/* One inference. Whatever the mode, it has ended when the call returns. */
stai_return_code stai_{name}_run(stai_network *network, const stai_run_mode mode);

#ifdef __cplusplus
}}
#endif

#endif
"""

_SOURCE = """\
{provenance}
#include "stai_{name}.h"

#include <string.h>

#define MARK (0x41505258u)

typedef approx_stai_{name}_context context;

{tensors}
static const int32_t step_ends[] = {ends};

static context *context_of(stai_network *network)
{{
    return (context *)(void *)network;
}}

/* STAI_SUCCESS for a context that has been initialised. */
static stai_return_code checked(const stai_network *network)
{{
    if (network == NULL) {{
        return STAI_ERROR_NETWORK_INVALID_CONTEXT_HANDLE;
    }}
    if ((uintptr_t)network % STAI_{NAME}_CONTEXT_ALIGNMENT != 0u) {{
        return STAI_ERROR_NETWORK_INVALID_CONTEXT_ALIGNMENT;
    }}
    return ((const context *)(const void *)network)->mark == MARK ? STAI_SUCCESS : STAI_ERROR_NETWORK_NOT_INITIALIZED;
}}

/* Keeps the first error for get_error(). */
static stai_return_code noted(context *own, stai_return_code code)
{{
    if (own->error == STAI_SUCCESS) {{
        own->error = code;
    }}
    return code;
}}

stai_return_code stai_{name}_init(stai_network *network)
{{
    if (network == NULL) {{
        return STAI_ERROR_NETWORK_INVALID_CONTEXT_HANDLE;
    }}
    if ((uintptr_t)network % STAI_{NAME}_CONTEXT_ALIGNMENT != 0u) {{
        return STAI_ERROR_NETWORK_INVALID_CONTEXT_ALIGNMENT;
    }}
    memset(network, 0, sizeof(context));
    context_of(network)->mark = MARK;
    approx_{name}_reset();
    return STAI_SUCCESS;
}}

stai_return_code stai_{name}_deinit(stai_network *network)
{{
    const stai_return_code code = checked(network);
    if (code == STAI_SUCCESS) {{
        memset(network, 0, sizeof(context));
    }}
    return code;
}}

stai_return_code stai_{name}_get_info(stai_network *network, stai_network_info *info)
{{
    static const stai_version version = {version};
    const stai_return_code code = checked(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (info == NULL) {{
        return noted(context_of(network), STAI_ERROR_NETWORK_INVALID_API_ARGUMENTS);
    }}
    memset(info, 0, sizeof *info);
    info->model_signature = STAI_{NAME}_ORIGIN_MODEL_SIGNATURE;
    info->c_model_name = STAI_{NAME}_MODEL_NAME;
    info->c_model_signature = STAI_{NAME}_MODEL_SIGNATURE;
    info->c_model_datetime = "";
    info->c_compile_datetime = "";
    info->runtime_version = version;
    info->tool_version = version;
    info->api_version = version;
    info->n_macc = STAI_{NAME}_MACC_NUM;
    info->n_nodes = STAI_{NAME}_NODES_NUM;
    info->flags = STAI_{NAME}_FLAGS;
    info->n_inputs = STAI_{NAME}_IN_NUM;
    info->n_outputs = STAI_{NAME}_OUT_NUM;
    info->n_activations = STAI_{NAME}_ACTIVATIONS_NUM;
    info->inputs = tensors_in;
    info->outputs = tensors_out;
    info->activations = &tensor_activations;
    return STAI_SUCCESS;
}}

stai_return_code stai_{name}_get_error(stai_network *network)
{{
    const stai_return_code code = checked(network);
    return code == STAI_SUCCESS ? context_of(network)->error : code;
}}

stai_return_code stai_{name}_set_activations(stai_network *network, const stai_ptr *activations, const stai_size count)
{{
    static const uint32_t in_offsets[STAI_{NAME}_IN_NUM] = {in_offsets};
    static const uint32_t out_offsets[STAI_{NAME}_OUT_NUM] = {out_offsets};
    const stai_return_code code = checked(network);
    context *const own = context_of(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (count != STAI_{NAME}_ACTIVATIONS_NUM) {{
        return noted(own, STAI_ERROR_NETWORK_INVALID_ACTIVATIONS_NUM);
    }}
    if (activations == NULL || activations[0] == NULL ||
        (uintptr_t)activations[0] % STAI_{NAME}_ACTIVATION_1_ALIGNMENT != 0u) {{
        return noted(own, STAI_ERROR_NETWORK_INVALID_ACTIVATIONS_PTR);
    }}
    const uint8_t *const before = own->activations;
    for (uint32_t i = 0u; i < STAI_{NAME}_IN_NUM; i++) {{
        if (own->inputs[i] == NULL || (before != NULL && own->inputs[i] == before + in_offsets[i])) {{
            own->inputs[i] = activations[0] + in_offsets[i];
        }}
    }}
    for (uint32_t i = 0u; i < STAI_{NAME}_OUT_NUM; i++) {{
        if (own->outputs[i] == NULL || (before != NULL && own->outputs[i] == before + out_offsets[i])) {{
            own->outputs[i] = activations[0] + out_offsets[i];
        }}
    }}
    own->activations = activations[0];
    return STAI_SUCCESS;
}}

stai_return_code stai_{name}_get_activations(stai_network *network, stai_ptr *activations, stai_size *count)
{{
    const stai_return_code code = checked(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (activations == NULL || count == NULL) {{
        return noted(context_of(network), STAI_ERROR_NETWORK_INVALID_API_ARGUMENTS);
    }}
    activations[0] = context_of(network)->activations;
    *count = STAI_{NAME}_ACTIVATIONS_NUM;
    return STAI_SUCCESS;
}}

stai_return_code stai_{name}_set_weights(stai_network *network, const stai_ptr *weights, const stai_size count)
{{
    (void)weights;
    (void)count;
    return checked(network);
}}

stai_return_code stai_{name}_get_weights(stai_network *network, stai_ptr *weights, stai_size *count)
{{
    const stai_return_code code = checked(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (weights == NULL || count == NULL) {{
        return noted(context_of(network), STAI_ERROR_NETWORK_INVALID_API_ARGUMENTS);
    }}
    weights[0] = NULL;
    *count = STAI_{NAME}_WEIGHTS_NUM;
    return STAI_SUCCESS;
}}
{accessors}
stai_return_code stai_{name}_set_callback(stai_network *network, const stai_event_cb callback, void *cookie)
{{
    const stai_return_code code = checked(network);
    if (code == STAI_SUCCESS) {{
        context_of(network)->callback = callback;
        context_of(network)->cookie = cookie;
    }}
    return code;
}}

static void tell_start(const context *own)
{{
    if (own->step < sizeof step_ends / sizeof step_ends[0]) {{
        const stai_event_node_start_stop event = {{.node_id = step_ends[own->step]}};
        own->callback(own->cookie, STAI_EVENT_NODE_START, &event);
    }}
}}

static void step_done(void *user, int32_t layer, const int8_t *output, uint32_t bytes)
{{
    context *const own = user;
    const stai_ptr buffer = (stai_ptr)(uintptr_t)output;
    const stai_event_node_start_stop event = {{.node_id = layer, .buffers = {{1u, &buffer}}}};

    (void)bytes;
    own->callback(own->cookie, STAI_EVENT_NODE_STOP, &event);
    own->step++;
    tell_start(own);
}}

{run_at}
stai_return_code stai_{name}_run(stai_network *network, const stai_run_mode mode)
{{
    const stai_return_code code = checked(network);
    context *const own = context_of(network);

    (void)mode;
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (own->activations == NULL) {{
        return noted(own, STAI_ERROR_NETWORK_INVALID_ACTIVATIONS_PTR);
    }}
    if (own->callback != NULL) {{
        own->step = 0u;
        approx_{name}_set_observer(step_done, own);
        tell_start(own);
    }}
    const int32_t status = run_at(own->activations, own->inputs, own->outputs);
    if (own->callback != NULL) {{
        approx_{name}_set_observer(NULL, NULL);
    }}
    return status == 0 ? STAI_SUCCESS : noted(own, STAI_ERROR_NETWORK_INVALID_RUN);
}}
"""

_ACCESSORS = """
stai_return_code stai_{name}_set_{ways}(stai_network *network, const stai_ptr *{ways}, const stai_size count)
{{
    const stai_return_code code = checked(network);
    context *const own = context_of(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if (count != STAI_{NAME}_{WAY}_NUM) {{
        return noted(own, STAI_ERROR_NETWORK_INVALID_{WAY}_NUM);
    }}
    for (uint32_t i = 0u; i < count; i++) {{
        if ({ways} == NULL || {ways}[i] == NULL) {{
            return noted(own, STAI_ERROR_NETWORK_INVALID_{WAY}_PTR);
        }}
    }}
    memcpy(own->{ways}, {ways}, sizeof own->{ways});
    return STAI_SUCCESS;
}}

stai_return_code stai_{name}_get_{ways}(stai_network *network, stai_ptr *{ways}, stai_size *count)
{{
    const stai_return_code code = checked(network);
    context *const own = context_of(network);
    if (code != STAI_SUCCESS) {{
        return code;
    }}
    if ({ways} == NULL || count == NULL) {{
        return noted(own, STAI_ERROR_NETWORK_INVALID_API_ARGUMENTS);
    }}
    memcpy({ways}, own->{ways}, sizeof own->{ways});
    *count = STAI_{NAME}_{WAY}_NUM;
    return STAI_SUCCESS;
}}
"""

FLAGS = "(STAI_FLAG_{} | STAI_FLAG_PREALLOCATED | STAI_FLAG_REPLACEABLE | STAI_FLAG_CHANNEL_LAST | STAI_FLAG_HAS_BATCH)"


def stai_sources(program: Program) -> Sources:
    """`stai_network.h`, `stai_network.c` and `stai.h`."""
    graph, where, name = program.graph, places(program), program.names.network
    words = {"name": name, "NAME": name.upper()}
    what = f'the interface stai of the network "{name}"'
    header = _HEADER.format(
        **words,
        provenance=block_comment(what, WIDTH),
        model=c_string(graph.name),
        nodes=len(list(program.observed())),
        macs=graph.macs,
        inputs="\n".join(_border(f"STAI_{name.upper()}_IN", "INPUTS", graph.inputs)),
        outputs="\n".join(_border(f"STAI_{name.upper()}_OUT", "OUTPUTS", graph.outputs)),
        size=where.size,
        alignment=program.memory.alignment,
    )
    source = _SOURCE.format(
        **words,
        provenance=block_comment(what, WIDTH),
        tensors=_tensors(program),
        ends=numbers([operator.index for operator in program.observed()]),
        version="{" + ", ".join(part for part in __version__.split(".")[:3]) + ", 0}",
        in_offsets=numbers(where.inputs),
        out_offsets=numbers(where.outputs),
        accessors="".join(_ACCESSORS.format(**words, ways=w, WAY=m) for w, m in (("inputs", "IN"), ("outputs", "OUT"))),
        run_at=run_text(program, "stai_ptr"),
    )
    return {
        f"Inc/stai_{name}.h": header,
        f"Src/stai_{name}.c": folded(source),
        "Inc/stai.h": static_header("stai.h"),
    }


def _border(prefix: str, flag: str, tensors: Sequence[Tensor]) -> Iterator[str]:
    """The macros of all inputs, or of all outputs."""
    sizes = [tensor.elements for tensor in tensors]
    yield f"#define {prefix}_NUM ({len(tensors)})"
    yield f"#define {prefix}_SIZE_BYTES ({sum(sizes)})"
    yield f"#define {prefix}_SIZES {numbers(sizes)}"
    yield f"#define {prefix}_SIZES_BYTES {numbers(sizes)}"
    yield f"#define {prefix}_ALIGNMENTS {numbers([1] * len(tensors))}"
    yield f"#define {prefix}_FORMATS {{{', '.join(['STAI_FORMAT_S8'] * len(tensors))}}}"
    yield f"#define {prefix}_NAMES {{{', '.join(c_string(tensor.name) for tensor in tensors)}}}"
    for number, tensor in enumerate(tensors, 1):
        one = f"{prefix}_{number}"
        yield f"#define {one}_NAME {c_string(tensor.name)}"
        yield f"#define {one}_FLAGS {FLAGS.format(flag)}"
        yield f"#define {one}_FORMAT (STAI_FORMAT_S8)"
        yield f"#define {one}_SHAPE {numbers(tensor.shape)}"
        yield f"#define {one}_RANK ({len(tensor.shape) - 1})"
        yield f"#define {one}_BATCH ({tensor.shape[0] if tensor.shape else 1})"
        for dimension, extent in dimensions(tensor).items():
            yield f"#define {one}_{dimension} ({extent})"
        yield f"#define {one}_SIZE ({tensor.elements})"
        yield f"#define {one}_SIZE_BYTES ({tensor.elements})"
        yield f"#define {one}_ALIGNMENT (1)"
        yield f"#define {one}_SCALE ({tensor.scale!r}f)"
        yield f"#define {one}_ZERO_POINT ({tensor.zero_point})"


def _tensors(program: Program) -> str:
    """The descriptions that get_info() gives."""
    lines: list[str] = []
    graph = program.graph
    for way, tensors in (("in", graph.inputs), ("out", graph.outputs)):
        described = []
        for number, tensor in enumerate(tensors, 1):
            own = f"{way}_{number}"
            shape = tensor.shape or (1,)
            lines.append(f"static const int32_t {own}_shape[] = {numbers(shape)};")
            lines.append(f"static const float {own}_scale[] = {{{tensor.scale!r}f}};")
            lines.append(f"static const int16_t {own}_zero_point[] = {{{tensor.zero_point}}};")
            described.append(
                f"    {{{tensor.elements}u, STAI_{program.names.network.upper()}_{way.upper()}_{number}_FLAGS, "
                f"STAI_FORMAT_S8, {{{len(shape)}u, {own}_shape}}, {{1u, {own}_scale}}, {{1u, {own}_zero_point}}, "
                f"{c_string(tensor.name)}}},"
            )
        lines += [f"static const stai_tensor tensors_{way}[] = {{", *described, "};"]
    lines.append(
        "static const stai_tensor tensor_activations = "
        f"{{.size_bytes = {places(program).size}u, .flags = STAI_FLAG_ACTIVATIONS, .format = STAI_FORMAT_S8}};"
    )
    return "\n".join(lines)
