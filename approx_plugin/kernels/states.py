"""The C text of the network's states: their buffer, and what sets them."""

from __future__ import annotations

from approx_plugin.kernels.borders import at, state_bytes, state_offsets
from approx_plugin.kernels.c_lines import array
from approx_plugin.kernels.names import Names
from approx_plugin.model.graph import Graph

_BUFFER = """\
/* What is remembered from one inference to the next. */
static int8_t network_state[{size}] __attribute__((aligned(8)));
static int32_t network_state_is_set = 0;
"""


def set_lines(names: Names) -> list[str]:
    """At the beginning of an inference of a network with states."""
    return ["    if (network_state_is_set == 0) {", f"        {names.prefix}_reset();", "    }"]


def states_text(graph: Graph, names: Names) -> str:
    """The buffer, and the function that sets it to the initial values."""
    if not graph.states:
        return f"void {names.prefix}_reset(void)\n{{\n}}\n"
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
    function = [f"void {names.prefix}_reset(void)", "{", *lines, "    network_state_is_set = 1;", "}", ""]
    return "\n".join([_BUFFER.format(size=state_bytes(graph)), *constants, "\n".join(function)])
