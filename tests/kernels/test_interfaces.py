"""How applications call networks: several in one firmware, from C++, and through ST's names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from application import includes, need, run_application, write_sources
from arm_call import build, call_network, portable_subset
from layer_cases import graph_of
from networks import conv_graph, preferring
from tflite_writer import ModelBuilder

from approx_plugin.kernels.interfaces.registry import INTERFACES, with_interfaces
from approx_plugin.kernels.names import Names
from approx_plugin.kernels.program import Program
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run

SUFFIXES = (".c", ".cpp")
COUNT = 3


def convolution(seed: int = 3) -> Graph:
    """Odd channels, a stride, no padding, zero points on neither side."""
    rng = np.random.default_rng(seed)
    return conv_graph(rng, size=(7, 5), channels=(3, 5), kernel=(3, 2), stride=(2, 1), zero_points=(9, -3))


def borders() -> Graph:
    """Two inputs; outputs that are shared, views and copies."""
    b = ModelBuilder()
    one = b.input((1, 4, 4, 2), 0.1, 3, name="one")
    other = b.input((1, 2, 2, 2), 0.2, -5, name="other")
    pooled = b.max_pool2d(one, (2, 2))
    added = b.add(pooled, other, scale=0.3, zero_point=1)
    b.output(pooled, added, b.reshape(pooled, (1, 8)), other)
    return graph_of(b.build())


def program(graph: Graph, name: str, *interfaces: str, backend: str = "c") -> Program:
    made = preferring(graph, "unpacked", "cortex-m4", backend, names=Names(name))
    return with_interfaces(made, interfaces)


def inputs_of(graph: Graph, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(5).integers(-128, 128, (count, *graph.input_shape), dtype=np.int8)


# ---- names


def test_names_of_an_unnamed_network_are_the_old_ones() -> None:
    assert Names().step(3) == "approx_layer_03"
    assert (Names().run, Names().header, Names().macro) == ("approx_network_run", "approx_network.h", "APPROX_NETWORK")
    assert Names("kws").renamed("approx_network_run(APPROX_NETWORK_LAYERS)") == "approx_kws_run(APPROX_KWS_LAYERS)"


@pytest.mark.parametrize("backend", ["assembly", "c"])
def test_everything_that_a_linker_sees_has_the_name_in_it(backend: str, tmp_path: Path) -> None:
    made = program(convolution(), "kws", "stai", "ai", backend=backend)
    sources = write_sources([made], tmp_path)
    for file in sources:
        compiler = need("arm-none-eabi-gcc")
        target = tmp_path / "one.o"
        command = [compiler, "-mcpu=cortex-m4", "-mthumb", "-c", *includes(tmp_path), str(file), "-o", str(target)]
        subprocess.run(command, check=True, capture_output=True)
        listed = subprocess.run(
            [need("arm-none-eabi-nm"), "-g", "--defined-only", str(target)], capture_output=True, text=True, check=True
        )
        names = [line.split()[-1] for line in listed.stdout.splitlines()]
        assert names
        assert [name for name in names if not name.startswith(("approx_kws_", "stai_kws_", "ai_kws_"))] == []


TWO = """\
#include <stdio.h>
#include "approx_camera.h"
#include "approx_kws.h"

APPROX_CAMERA_BUFFERS(camera_arena, camera_in, camera_out);
APPROX_KWS_BUFFERS(kws_arena, kws_in, kws_out);

int main(void)
{
    while (fread(camera_in, 1, sizeof camera_in, stdin) == sizeof camera_in &&
           fread(kws_in, 1, sizeof kws_in, stdin) == sizeof kws_in) {
        if (approx_camera_check_scratch() != 0 || approx_kws_check_scratch() != 0) {
            return 1;
        }
        if (approx_camera_run(camera_arena, camera_in, camera_out) != 0) {
            return 2;
        }
        if (approx_kws_run(kws_arena, kws_in, kws_out) != 0) {
            return 3;
        }
        fwrite(camera_out, 1, sizeof camera_out, stdout);
        fwrite(kws_out, 1, sizeof kws_out, stdout);
    }
    return 0;
}
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_networks_in_one_program(suffix: str, tmp_path: Path) -> None:
    one, other = convolution(), borders()
    first, second = inputs_of(one), inputs_of(other)
    given = np.concatenate([first.reshape(COUNT, -1), second.reshape(COUNT, -1)], axis=1)
    found = run_application([program(one, "camera"), program(other, "kws")], tmp_path, TWO, given, suffix)
    wanted = [run(one, first).reshape(COUNT, -1), run(other, second).reshape(COUNT, -1)]
    np.testing.assert_array_equal(found.reshape(COUNT, -1), np.concatenate(wanted, axis=1))


def test_two_networks_in_one_firmware(tmp_path: Path) -> None:
    """Convolutions of the same number and kernel, in assembly, and one that got no name."""
    graphs = [convolution(3), convolution(4), convolution(5)]
    made = [program(graph, name, backend="assembly") for graph, name in zip(graphs, ("network", "kws", "kws_2"))]
    elf = build(made[0], tmp_path, "cortex-m4", portable_subset(), *made[1:])
    for graph, one in zip(graphs, made):
        inputs = inputs_of(graph)
        np.testing.assert_array_equal(call_network(elf, one, inputs, "cortex-m4"), run(graph, inputs))


def test_headers_are_cpp_for_the_core(tmp_path: Path) -> None:
    compiler = need("arm-none-eabi-g++")
    write_sources([program(borders(), "kws", "stai", "ai")], tmp_path)
    names = ["approx_kws.h", "approx_profile.h", "approx_runtime.h", "approx_operators.h", "kws.h", "kws_data.h"]
    text = "".join(f'#include "{name}"\n' for name in names)
    (tmp_path / "all.cpp").write_text(text, encoding="utf-8")
    command = [compiler, "-std=c++11", "-mcpu=cortex-m4", "-mthumb", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    done = subprocess.run(
        [*command, *includes(tmp_path), str(tmp_path / "all.cpp")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


NESTED = """\
#include <stdio.h>
#include <string.h>
#include "approx_network.h"

#if APPROX_NETWORK_REENTRANT != 1
#error "this network is"
#endif

APPROX_NETWORK_BUFFERS(arena, input, output);
APPROX_NETWORK_BUFFERS(inner_arena, inner_input, inner_output);
static int depth;

/* Another inference, with buffers of its own, in the middle of this one. */
static void observer(void *user, int32_t layer, const int8_t *bytes, uint32_t count)
{
    (void)user, (void)layer, (void)bytes, (void)count;
    if (depth++ == 0) {
        (void)approx_network_run(inner_arena, inner_input, inner_output);
    }
}

int main(void)
{
    while (fread(input, 1, sizeof input, stdin) == sizeof input &&
           fread(inner_input, 1, sizeof inner_input, stdin) == sizeof inner_input) {
        depth = 0;
        approx_network_set_observer(observer, NULL);
        if (approx_network_run(arena, input, output) != 0 || depth != 2 * APPROX_NETWORK_STEPS) {
            return 1;
        }
        fwrite(output, 1, sizeof output, stdout);
        fwrite(inner_output, 1, sizeof inner_output, stdout);
    }
    return strstr(approx_network_version, APPROX_NETWORK_MODEL_SHA256) == NULL;
}
"""


def test_inferences_within_each_other(tmp_path: Path) -> None:
    b = ModelBuilder()
    x = b.max_pool2d(b.input((1, 6, 6, 3), 0.1, 3), (2, 2))
    b.output(b.add(x, b.max_pool2d(x, (1, 1)), scale=0.3, zero_point=1))
    graph = graph_of(b.build())
    inputs = inputs_of(graph, 4)
    found = run_application([program(graph, "network")], tmp_path, NESTED, inputs)
    np.testing.assert_array_equal(found.reshape(4, -1), run(graph, inputs).reshape(4, -1))


PROFILE = """\
#include "approx_profile.h"
#include <stdio.h>
#include "approx_network.h"

APPROX_NETWORK_BUFFERS(arena, input, output);
static uint32_t ticks = 4294967290u, cycles[APPROX_NETWORK_LAYERS];

static uint32_t counter(void)
{
    return ticks += 7u; /* wraps */
}

int main(void)
{
    approx_profile profile = {counter, cycles, 0u};
    approx_network_set_observer(approx_profile_layer, &profile);
    for (int i = 0; i < 2; i++) {
        approx_profile_start(&profile);
        if (approx_network_run(arena, input, output) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < APPROX_NETWORK_LAYERS; i++) {
        putchar((int)cycles[i]);
    }
    return 0;
}
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_profile(suffix: str, tmp_path: Path) -> None:
    graph = borders()
    found = run_application([program(graph, "network")], tmp_path, PROFILE, np.zeros(0, np.int8), suffix)
    assert found.tolist() == [14] * len(graph.operators)


# ---- ST's names

STAI = """\
#include <stdio.h>
#include <string.h>
#include "kws.h"
#include "kws_data.h"

STAI_NETWORK_CONTEXT_DECLARE(context, STAI_KWS_CONTEXT_SIZE)
STAI_ALIGNED(STAI_KWS_ACTIVATION_1_ALIGNMENT) static uint8_t activations[STAI_KWS_ACTIVATION_1_SIZE_BYTES];
static uint8_t others[STAI_KWS_IN_SIZE_BYTES + STAI_KWS_OUT_SIZE_BYTES];
static int started, stopped;

static void told(void *cookie, const stai_event_type event_type, const void *payload)
{
    const stai_event_node_start_stop *event = (const stai_event_node_start_stop *)payload;
    if (cookie == activations && event->node_id >= 0) {
        started += event_type == STAI_EVENT_NODE_START;
        stopped += event_type == STAI_EVENT_NODE_STOP && event->buffers.size == 1u && event->buffers.data[0] != NULL;
    }
}

int main(void)
{
    static const stai_size in_sizes[] = STAI_KWS_IN_SIZES_BYTES;
    static const stai_size out_sizes[] = STAI_KWS_OUT_SIZES_BYTES;
    stai_ptr inputs[STAI_KWS_IN_NUM], outputs[STAI_KWS_OUT_NUM], areas[STAI_KWS_ACTIVATIONS_NUM];
    stai_network_info info;
    stai_size number = 0u;
    int round = 0;

    if (stai_kws_run(context, STAI_MODE_SYNC) != STAI_ERROR_NETWORK_NOT_INITIALIZED) {
        return 1;
    }
    if (stai_runtime_init() != STAI_SUCCESS || stai_kws_init(context) != STAI_SUCCESS) {
        return 2;
    }
    if (stai_kws_run(context, STAI_MODE_SYNC) != STAI_ERROR_NETWORK_INVALID_ACTIVATIONS_PTR ||
        stai_kws_get_error(context) != STAI_ERROR_NETWORK_INVALID_ACTIVATIONS_PTR) {
        return 3;
    }
    areas[0] = activations;
    if (stai_kws_init(context) != STAI_SUCCESS || stai_kws_get_error(context) != STAI_SUCCESS ||
        stai_kws_set_activations(context, areas, STAI_KWS_ACTIVATIONS_NUM) != STAI_SUCCESS ||
        stai_kws_get_inputs(context, inputs, &number) != STAI_SUCCESS || number != STAI_KWS_IN_NUM ||
        stai_kws_get_outputs(context, outputs, &number) != STAI_SUCCESS || number != STAI_KWS_OUT_NUM ||
        stai_kws_set_inputs(context, inputs, STAI_KWS_IN_NUM + 1) != STAI_ERROR_NETWORK_INVALID_IN_NUM ||
        stai_kws_set_callback(context, told, activations) != STAI_SUCCESS) {
        return 4;
    }
    if (stai_kws_get_info(context, &info) != STAI_SUCCESS || info.n_inputs != STAI_KWS_IN_NUM ||
        info.inputs[0].size_bytes != STAI_KWS_IN_1_SIZE_BYTES || info.n_macc != STAI_KWS_MACC_NUM ||
        info.inputs[0].shape.data[1] != STAI_KWS_IN_1_HEIGHT || info.inputs[0].scale.data[0] != STAI_KWS_IN_1_SCALE ||
        info.outputs[0].zeropoint.data[0] != STAI_KWS_OUT_1_ZERO_POINT ||
        info.inputs[0].format != STAI_KWS_IN_1_FORMAT || strcmp(info.c_model_name, "kws") != 0) {
        return 5;
    }
    for (;; round++) {
        for (int i = 0; i < STAI_KWS_IN_NUM; i++) {
            if (fread(inputs[i], 1, in_sizes[i], stdin) != in_sizes[i]) {
                return started == stopped && stopped == round * STAI_KWS_NODES_NUM ? 0 : 6;
            }
        }
        if (stai_kws_run(context, STAI_MODE_SYNC) != STAI_SUCCESS) {
            return 7;
        }
        for (int i = 0; i < STAI_KWS_OUT_NUM; i++) {
            fwrite(outputs[i], 1, out_sizes[i], stdout);
        }
        /* From the second inference on, buffers of the application's, in another order than the network's. */
        uint8_t *place = others;
        for (int i = STAI_KWS_IN_NUM - 1; i >= 0; place += in_sizes[i--]) {
            inputs[i] = place;
        }
        for (int i = STAI_KWS_OUT_NUM - 1; i >= 0; place += out_sizes[i--]) {
            outputs[i] = place;
        }
        if (stai_kws_set_inputs(context, inputs, STAI_KWS_IN_NUM) != STAI_SUCCESS ||
            stai_kws_set_outputs(context, outputs, STAI_KWS_OUT_NUM) != STAI_SUCCESS ||
            stai_kws_set_activations(context, areas, 1) != STAI_SUCCESS) {
            return 8;
        }
    }
}
"""

AI = """\
#include <stdio.h>
#include "kws.h"
#include "kws_data.h"

static ai_handle network = AI_HANDLE_NULL;
AI_ALIGNED(32) static ai_u8 activations[AI_KWS_DATA_ACTIVATIONS_SIZE];
static ai_i8 others[32 * 8];
static ai_buffer *ai_input, *ai_output;

int main(void)
{
    const ai_handle areas[] = {activations};
    ai_network_report report;
    ai_u16 number = 0u;
    ai_error error = ai_kws_create_and_init(&network, NULL, NULL);

    if (error.type != AI_ERROR_INIT_FAILED || error.code != AI_ERROR_CODE_NETWORK_ACTIVATIONS) {
        return 1;
    }
    error = ai_kws_create_and_init(&network, areas, NULL);
    if (error.type != AI_ERROR_NONE || network == AI_HANDLE_NULL) {
        return 2;
    }
    ai_input = ai_kws_inputs_get(network, &number);
    if (number != AI_KWS_IN_NUM) {
        return 3;
    }
    ai_output = ai_kws_outputs_get(network, NULL);
    if (!ai_kws_get_report(network, &report) || report.n_inputs != AI_KWS_IN_NUM || report.n_nodes != AI_KWS_N_NODES ||
        AI_BUFFER_SHAPE_ELEM(&report.inputs[0], AI_SHAPE_HEIGHT) != AI_KWS_IN_1_HEIGHT ||
        AI_BUFFER_SHAPE_ELEM(&report.inputs[0], AI_SHAPE_CHANNEL) != AI_KWS_IN_1_CHANNEL ||
        AI_BUFFER_META_INFO_INTQ_GET_SCALE(ai_input[0].meta_info, 0) != APPROX_KWS_IN_1_SCALE ||
        AI_BUFFER_META_INFO_INTQ_GET_ZEROPOINT(ai_input[0].meta_info, 0) != APPROX_KWS_IN_1_ZERO_POINT ||
        AI_BUFFER_FMT_GET_TYPE(AI_BUFFER_FORMAT(ai_input)) != AI_BUFFER_FMT_TYPE_Q ||
        AI_BUFFER_FMT_GET_BITS(AI_BUFFER_FORMAT(ai_input)) != 8 || AI_BUFFER_FMT_GET_FBITS(ai_input->format) != 0) {
        return 4;
    }
    for (int round = 0;; round++) {
        for (int i = 0; i < AI_KWS_IN_NUM; i++) {
            if (fread(ai_input[i].data, 1, AI_BUFFER_SIZE(&ai_input[i]), stdin) != AI_BUFFER_SIZE(&ai_input[i])) {
                ai_input[0].data = AI_HANDLE_NULL;
                if (ai_kws_run(network, ai_input, ai_output) != 0 ||
                    ai_kws_get_error(network).type != AI_ERROR_INVALID_INPUT) {
                    return 5;
                }
                return ai_kws_destroy(network) == AI_HANDLE_NULL ? 0 : 6;
            }
        }
        if (ai_kws_run(network, &ai_input[0], &ai_output[0]) != 1) {
            return 7;
        }
        for (int i = 0; i < AI_KWS_OUT_NUM; i++) {
            fwrite(ai_output[i].data, 1, AI_BUFFER_SIZE(&ai_output[i]), stdout);
        }
        /* Buffers of the application's; older code fills in the parameters itself. */
        for (int i = 0; i < AI_KWS_OUT_NUM; i++) {
            ai_output[i].data = AI_HANDLE_PTR(&others[32 * i]);
        }
        if (round == 1) {
            ai_network_params params;
            if (!ai_kws_data_params_get(&params)) {
                return 8;
            }
            AI_BUFFER_ARRAY_ITEM_SET_ADDRESS(&params.map_activations, 0, activations);
            if (ai_kws_create(&network, AI_KWS_DATA_CONFIG).type != AI_ERROR_NONE || !ai_kws_init(network, &params)) {
                return 9;
            }
        }
    }
}
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("interface", "application"), [("stai", STAI), ("ai", AI)])
@pytest.mark.parametrize("graph", [convolution(), borders()], ids=["one_and_one", "several"])
def test_an_application_that_knows_other_names(
    graph: Graph, interface: str, application: str, suffix: str, tmp_path: Path
) -> None:
    inputs = inputs_of(graph)
    found = run_application([program(graph, "kws", interface)], tmp_path, application, inputs, suffix)
    np.testing.assert_array_equal(found.reshape(COUNT, -1), run(graph, inputs).reshape(COUNT, -1))


def test_both_interfaces_in_one_program(tmp_path: Path) -> None:
    """`network.h` brings both, for two networks at once."""
    first, second = (program(graph, name, *INTERFACES) for graph, name in ((convolution(), "one"), (borders(), "two")))
    text = '#include "one.h"\n#include "two.h"\n#include "two_data.h"\n#include <stdio.h>\n' + TWO.replace(
        "camera", "one"
    ).replace("CAMERA", "ONE").replace("kws", "two").replace("KWS", "TWO")
    inputs = [inputs_of(first.graph).reshape(COUNT, -1), inputs_of(second.graph).reshape(COUNT, -1)]
    assert len(run_application([first, second], tmp_path, text, np.concatenate(inputs, axis=1))) > 0
