"""`ai_<name>_*`: the functions and macros of X-CUBE-AI up to version 9, which ST calls deprecated now."""

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
#ifndef AI_{NAME}_H
#define AI_{NAME}_H

#include "ai_platform.h"
#include "approx_{name}.h"

#ifdef __cplusplus
extern "C" {{
#endif

#define AI_{NAME}_MODEL_NAME "{name}"
#define AI_{NAME}_ORIGIN_MODEL_NAME {model}
#define AI_{NAME}_N_NODES ({nodes})
{inputs}
{outputs}
#define AI_{NAME}_IN ai_{name}_inputs_get(AI_HANDLE_NULL, NULL)
#define AI_{NAME}_OUT ai_{name}_outputs_get(AI_HANDLE_NULL, NULL)
/* The arena; behind it all inputs, then all outputs, for applications without buffers of their own. */
#define AI_{NAME}_INPUTS_IN_ACTIVATIONS (4)
#define AI_{NAME}_OUTPUTS_IN_ACTIVATIONS (4)
#define AI_{NAME}_ACTIVATIONS_ALIGNMENT ({alignment})
#define AI_{NAME}_DATA_ACTIVATIONS_COUNT (1)
#define AI_{NAME}_DATA_ACTIVATIONS_SIZE ({size})
#define AI_{NAME}_DATA_ACTIVATIONS_SIZES {{{size}}}
#define AI_{NAME}_DATA_ACTIVATION_1_SIZE ({size})
/* Weights are part of the code. */
#define AI_{NAME}_DATA_CONFIG (NULL)
#define AI_{NAME}_DATA_WEIGHTS_COUNT (1)
#define AI_{NAME}_DATA_WEIGHTS_SIZE (0)
#define AI_{NAME}_DATA_WEIGHTS_SIZES {{0}}
#define AI_{NAME}_DATA_WEIGHT_1_SIZE (0)
#define AI_{NAME}_DATA_ACTIVATIONS(address) (ai_{name}_data_activations_buffer_get(AI_HANDLE_PTR(address)))
#define AI_{NAME}_DATA_WEIGHTS(address) (ai_{name}_data_weights_buffer_get(AI_HANDLE_PTR(address)))

/* There is one instance: all handles are the same. */
ai_error ai_{name}_create(ai_handle *network, const ai_buffer *network_config);
ai_bool ai_{name}_init(ai_handle network, const ai_network_params *params);
ai_error ai_{name}_create_and_init(ai_handle *network, const ai_handle activations[], const ai_handle weights[]);
ai_handle ai_{name}_destroy(ai_handle network);

/* The first error since the last call, which forgets it. */
ai_error ai_{name}_get_error(ai_handle network);
ai_bool ai_{name}_get_report(ai_handle network, ai_network_report *report);
ai_bool ai_{name}_get_info(ai_handle network, ai_network_report *report);
ai_buffer *ai_{name}_inputs_get(ai_handle network, ai_u16 *n_buffer);
ai_buffer *ai_{name}_outputs_get(ai_handle network, ai_u16 *n_buffer);

/* One inference: 1, or 0 and an error. */
ai_i32 ai_{name}_run(ai_handle network, const ai_buffer *input, ai_buffer *output);
/* The same without a look at the output. */
ai_i32 ai_{name}_forward(ai_handle network, const ai_buffer *input);

ai_bool ai_{name}_data_params_get(ai_network_params *params);
ai_handle ai_{name}_data_weights_get(void);
ai_buffer ai_{name}_data_activations_buffer_get(const ai_handle address);
ai_buffer ai_{name}_data_weights_buffer_get(const ai_handle address);

#ifdef __cplusplus
}}
#endif

#endif
"""

_DATA_HEADER = """\
{provenance}
#ifndef AI_{NAME}_DATA_H
#define AI_{NAME}_DATA_H

#include "ai_{name}.h"

#endif
"""

_SOURCE = """\
{provenance}
#include "ai_{name}.h"

#include <string.h>

{tensors}

static struct {{
    ai_error error;
    uint8_t *activations;
}} own;

static ai_buffer activations_buffer = {{.size = AI_{NAME}_DATA_ACTIVATIONS_SIZE}};

/* Keeps the first error. */
static void noted(ai_u32 type, ai_u32 code)
{{
    if (own.error.type == AI_ERROR_NONE) {{
        own.error.type = type & 0xFFu;
        own.error.code = code & 0xFFFFFFu;
    }}
}}

static ai_bool is_ours(ai_handle network)
{{
    if (network != (ai_handle)&own) {{
        noted(AI_ERROR_INVALID_HANDLE, AI_ERROR_CODE_NETWORK);
        return false;
    }}
    return true;
}}

ai_error ai_{name}_create(ai_handle *network, const ai_buffer *network_config)
{{
    static const ai_error none = {{AI_ERROR_NONE, AI_ERROR_CODE_NONE}};
    static const ai_error failed = {{AI_ERROR_CREATE_FAILED, AI_ERROR_CODE_INVALID_PTR}};

    (void)network_config;
    if (network == NULL) {{
        return failed;
    }}
    memset(&own, 0, sizeof own);
    *network = &own;
    return none;
}}

/* Inputs and outputs get their places behind the arena. */
static ai_bool use(ai_handle address)
{{
    static const uint32_t in_offsets[AI_{NAME}_IN_NUM] = {in_offsets};
    static const uint32_t out_offsets[AI_{NAME}_OUT_NUM] = {out_offsets};

    if (address == NULL || (uintptr_t)address % AI_{NAME}_ACTIVATIONS_ALIGNMENT != 0u) {{
        noted(AI_ERROR_INIT_FAILED, AI_ERROR_CODE_NETWORK_ACTIVATIONS);
        return false;
    }}
    own.activations = address;
    for (uint32_t i = 0u; i < AI_{NAME}_IN_NUM; i++) {{
        buffers_in[i].data = own.activations + in_offsets[i];
    }}
    for (uint32_t i = 0u; i < AI_{NAME}_OUT_NUM; i++) {{
        buffers_out[i].data = own.activations + out_offsets[i];
    }}
    approx_{name}_reset();
    return true;
}}

ai_bool ai_{name}_init(ai_handle network, const ai_network_params *params)
{{
    if (!is_ours(network)) {{
        return false;
    }}
    if (params == NULL) {{
        noted(AI_ERROR_INIT_FAILED, AI_ERROR_CODE_INVALID_PTR);
        return false;
    }}
    const ai_buffer *mapped = params->map_activations.size != 0u ? params->map_activations.buffer : NULL;
    return use(mapped != NULL ? mapped->data : params->activations.data);
}}

ai_error ai_{name}_create_and_init(ai_handle *network, const ai_handle activations[], const ai_handle weights[])
{{
    ai_error error = ai_{name}_create(network, AI_{NAME}_DATA_CONFIG);

    (void)weights;
    if (error.type == AI_ERROR_NONE && !use(activations != NULL ? activations[0] : NULL)) {{
        error = ai_{name}_get_error(*network);
    }}
    return error;
}}

ai_handle ai_{name}_destroy(ai_handle network)
{{
    if (!is_ours(network)) {{
        return network;
    }}
    memset(&own, 0, sizeof own);
    return AI_HANDLE_NULL;
}}

ai_error ai_{name}_get_error(ai_handle network)
{{
    static const ai_error none = {{AI_ERROR_NONE, AI_ERROR_CODE_NONE}};

    (void)is_ours(network);
    const ai_error error = own.error;
    own.error = none;
    return error;
}}

ai_bool ai_{name}_get_report(ai_handle network, ai_network_report *report)
{{
    static const ai_platform_version version = {version};

    if (!is_ours(network) || report == NULL) {{
        return false;
    }}
    memset(report, 0, sizeof *report);
    report->model_name = AI_{NAME}_MODEL_NAME;
    report->model_signature = APPROX_{NAME}_MODEL_SHA256;
    report->model_datetime = "";
    report->compile_datetime = "";
    report->runtime_revision = APPROX_{NAME}_GENERATOR;
    report->runtime_version = version;
    report->tool_revision = APPROX_{NAME}_GENERATOR;
    report->tool_version = version;
    report->tool_api_version = version;
    report->api_version = version;
    report->interface_api_version = version;
    report->n_macc = APPROX_{NAME}_MACC_EXACT;
    report->n_inputs = AI_{NAME}_IN_NUM;
    report->n_outputs = AI_{NAME}_OUT_NUM;
    report->inputs = buffers_in;
    report->outputs = buffers_out;
    report->map_activations.size = 1u;
    report->map_activations.buffer = &activations_buffer;
    report->n_nodes = AI_{NAME}_N_NODES;
    return true;
}}

ai_bool ai_{name}_get_info(ai_handle network, ai_network_report *report)
{{
    return ai_{name}_get_report(network, report);
}}

ai_buffer *ai_{name}_inputs_get(ai_handle network, ai_u16 *n_buffer)
{{
    if (network != AI_HANDLE_NULL && !is_ours(network)) {{
        return NULL;
    }}
    if (n_buffer != NULL) {{
        *n_buffer = AI_{NAME}_IN_NUM;
    }}
    return buffers_in;
}}

ai_buffer *ai_{name}_outputs_get(ai_handle network, ai_u16 *n_buffer)
{{
    if (network != AI_HANDLE_NULL && !is_ours(network)) {{
        return NULL;
    }}
    if (n_buffer != NULL) {{
        *n_buffer = AI_{NAME}_OUT_NUM;
    }}
    return buffers_out;
}}

{run_at}
ai_i32 ai_{name}_run(ai_handle network, const ai_buffer *input, ai_buffer *output)
{{
    ai_handle inputs[AI_{NAME}_IN_NUM];
    ai_handle outputs[AI_{NAME}_OUT_NUM];

    if (!is_ours(network)) {{
        return 0;
    }}
    if (own.activations == NULL) {{
        noted(AI_ERROR_INVALID_STATE, AI_ERROR_CODE_NETWORK_ACTIVATIONS);
        return 0;
    }}
    for (uint32_t i = 0u; i < AI_{NAME}_IN_NUM; i++) {{
        inputs[i] = input != NULL ? input[i].data : NULL;
        if (inputs[i] == NULL) {{
            noted(AI_ERROR_INVALID_INPUT, AI_ERROR_CODE_INVALID_PTR);
            return 0;
        }}
        if (input[i].shape.data != NULL && AI_BUFFER_SHAPE_ELEM(&input[i], AI_SHAPE_BATCH) != 1u) {{
            noted(AI_ERROR_INVALID_INPUT, AI_ERROR_CODE_INVALID_BATCH);
            return 0;
        }}
    }}
    for (uint32_t i = 0u; i < AI_{NAME}_OUT_NUM; i++) {{
        outputs[i] = output != NULL ? output[i].data : NULL;
        if (outputs[i] == NULL) {{
            noted(AI_ERROR_INVALID_OUTPUT, AI_ERROR_CODE_INVALID_PTR);
            return 0;
        }}
    }}
    const int32_t status = run_at(own.activations, inputs, outputs);
    if (status != 0) {{
        noted(AI_ERROR_INVALID_STATE, AI_ERROR_CODE_LAYER);
        return 0;
    }}
    return 1;
}}

ai_i32 ai_{name}_forward(ai_handle network, const ai_buffer *input)
{{
    return ai_{name}_run(network, input, buffers_out);
}}

ai_bool ai_{name}_data_params_get(ai_network_params *params)
{{
    if (params == NULL) {{
        return false;
    }}
    memset(params, 0, sizeof *params);
    params->map_activations.size = 1u;
    params->map_activations.buffer = &activations_buffer;
    return true;
}}

ai_handle ai_{name}_data_weights_get(void)
{{
    static ai_handle table[] = {{NULL, NULL, NULL}};
    return table;
}}

ai_buffer ai_{name}_data_activations_buffer_get(const ai_handle address)
{{
    ai_buffer buffer = activations_buffer;
    buffer.data = address;
    return buffer;
}}

ai_buffer ai_{name}_data_weights_buffer_get(const ai_handle address)
{{
    const ai_buffer buffer = {{.data = address}};
    return buffer;
}}
"""


def ai_sources(program: Program) -> Sources:
    """`ai_network.h`, `ai_network_data.h`, `ai_network.c` and `ai_platform.h`."""
    graph, where, name = program.graph, places(program), program.names.network
    words = {"name": name, "NAME": name.upper()}
    provenance = block_comment(f'the interface ai of the network "{name}"', WIDTH)
    header = _HEADER.format(
        **words,
        provenance=provenance,
        model=c_string(graph.name),
        nodes=len(list(program.observed())),
        inputs="\n".join(_border(f"AI_{name.upper()}_IN", graph.inputs)),
        outputs="\n".join(_border(f"AI_{name.upper()}_OUT", graph.outputs)),
        size=where.size,
        alignment=program.memory.alignment,
    )
    source = _SOURCE.format(
        **words,
        provenance=provenance,
        tensors="\n".join([*_buffers("in", graph.inputs), *_buffers("out", graph.outputs)]),
        version="{" + ", ".join(__version__.split(".")[:3]) + ", 0}",
        in_offsets=numbers(where.inputs),
        out_offsets=numbers(where.outputs),
        run_at=run_text(program, "ai_handle"),
    )
    return {
        f"Inc/ai_{name}.h": header,
        f"Inc/ai_{name}_data.h": _DATA_HEADER.format(**words, provenance=provenance),
        f"Src/ai_{name}.c": folded(source),
        "Inc/ai_platform.h": static_header("ai_platform.h"),
    }


def _border(prefix: str, tensors: Sequence[Tensor]) -> Iterator[str]:
    """The macros of all inputs, or of all outputs."""
    yield f"#define {prefix}_NUM ({len(tensors)})"
    for number, tensor in enumerate(tensors, 1):
        one = f"{prefix}_{number}"
        yield f"#define {one}_FORMAT AI_BUFFER_FORMAT_S8"
        for dimension, extent in dimensions(tensor).items():
            yield f"#define {one}_{dimension} ({extent})"
        yield f"#define {one}_SIZE ({tensor.elements})"
        yield f"#define {one}_SIZE_BYTES ({tensor.elements})"


def _buffers(way: str, tensors: Sequence[Tensor]) -> Iterator[str]:
    """The descriptions that inputs_get() or outputs_get() gives."""
    described = []
    for number, tensor in enumerate(tensors, 1):
        own = f"{way}_{number}"
        channels, width, height, *more = [*reversed(tensor.shape[1:]), 1, 1, 1]
        for extent in more:
            height *= extent
        yield f"static const ai_u32 {own}_shape[] = {numbers((1, channels, width, height))};"
        yield f"static const ai_float {own}_scale[] = {{{tensor.scale!r}f}};"
        yield f"static const ai_i8 {own}_zero_point[] = {{{tensor.zero_point}}};"
        yield f"static const ai_intq_info_list {own}_list = {{1u, {own}_scale, {own}_zero_point}};"
        yield f"static const ai_buffer_meta_info {own}_meta = {{1u, &{own}_list}};"
        size = f"{tensor.elements}u, {{AI_SHAPE_BCWH, 4u, {own}_shape}}"
        described.append(f"    {{AI_BUFFER_FORMAT_S8, NULL, &{own}_meta, 0u, {size}}},")
    yield "\n".join([f"static ai_buffer buffers_{way}[] = {{", *described, "};"])
