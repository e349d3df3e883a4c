"""The C text of the network's states: their buffer, and what sets them."""

from __future__ import annotations

from approx_plugin.kernels.borders import at, state_bytes, state_offsets
from approx_plugin.kernels.c_lines import array
from approx_plugin.model.graph import Graph

_BUFFER = """\
/* What is remembered from one inference to the next. */
static int8_t network_state[{size}] __attribute__((aligned(8)));
static int32_t network_state_is_set = 0;
"""

SET = """\
    if (network_state_is_set == 0) {
        approx_network_reset();
    }
"""
"""At the beginning of an inference of a network with states."""


def states_text(graph: Graph) -> str:
    """The buffer, and the function that sets it to the initial values."""
    if not graph.states:
        return "void approx_network_reset(void)\n{\n}\n"
    constants, lines = [], []
    for number, (state, offset) in enumerate(zip(graph.states, state_offsets(graph))):
        values = state.initial.reshape(-1)
        target = at("network_state", offset)
        if (values == values[0]).all():
            lines.append(f"    memset({target}, {values[0]}, {len(values)}u);")
        else:
            name = f"network_initial_{number}"
            constants.append(
                f"static const int8_t {name}[{len(values)}] = {{\n{array(map(str, values.tolist()))}\n}};\n"
            )
            lines.append(f"    memcpy({target}, {name}, {len(values)}u);")
    function = ["void approx_network_reset(void)", "{", *lines, "    network_state_is_set = 1;", "}", ""]
    return "\n".join([_BUFFER.format(size=state_bytes(graph)), *constants, "\n".join(function)])
