"""What the layers share: where inputs and outputs lie if the application does not say, and the headers' names.

Their activations are larger than ours: the arena comes first, then all inputs, then all outputs, each back to back. An
application that has buffers of its own for them passes their addresses; what lies elsewhere than the network wants it
(several tensors that are not neighbours) is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.kernels.borders import offsets
from approx_plugin.kernels.c_lines import WIDTH
from approx_plugin.kernels.emission import Sources
from approx_plugin.kernels.program import Program
from approx_plugin.model.tensor import Tensor
from approx_plugin.provenance import block_comment

ALIGNMENT = 8
"""Bytes, of the inputs' and the outputs' first byte behind the arena."""


@dataclass(frozen=True)
class Places:
    """Offsets within the activations of a layer: of every input and output; size: of all, in bytes."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    size: int


def places(program: Program) -> Places:
    """Behind the arena."""
    graph, first = program.graph, _aligned(program.memory.size)
    second = _aligned(first + graph.input_bytes)
    return Places(
        tuple(first + offset for offset in _offsets(graph.inputs)),
        tuple(second + offset for offset in _offsets(graph.outputs)),
        _aligned(second + graph.output_bytes),
    )


def _offsets(tensors: Sequence[Tensor]) -> list[int]:
    return offsets([tensor.elements for tensor in tensors])


def _aligned(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT


def dimensions(tensor: Tensor) -> dict[str, int]:
    """HEIGHT, WIDTH, CHANNEL of an image; WIDTH and CHANNEL of a sequence, CHANNEL of a vector: without the batch."""
    names = ("HEIGHT", "WIDTH", "CHANNEL")
    inner = tensor.shape[1:] or (1,)
    return dict(zip(names[-len(inner) :], inner)) if len(inner) <= len(names) else {}


_RUN = """\
/* One inference, with every input and output where it lies. 0, or 1 + the layer that failed. */
static int32_t run_at(uint8_t *activations, const {pointer} *inputs, const {pointer} *outputs)
{{
{lines}
}}
"""


def run_text(program: Program, pointer: str) -> str:
    """A C function over ours. pointer: the C type of an address."""
    graph, where = program.graph, places(program)
    lines: list[str] = []
    for tensors, offsets_, name in ((graph.inputs, where.inputs, "inputs"), (graph.outputs, where.outputs, "outputs")):
        if len(tensors) > 1:
            lines.append(f"    uint8_t *const {name}_together = activations + {offsets_[0]}u;")
    one_in, one_out = len(graph.inputs) == 1, len(graph.outputs) == 1
    source = "inputs[0]" if one_in else "inputs_together"
    target = "outputs[0]" if one_out else "outputs_together"
    call = f"{program.names.run}(activations, (const int8_t *){source}, (int8_t *){target})"
    if not one_in:
        for number, (tensor, offset) in enumerate(zip(graph.inputs, where.inputs)):
            lines += _moved(f"activations + {offset}u", f"(const uint8_t *)inputs[{number}]", tensor.elements)
    if one_out:
        return _RUN.format(pointer=pointer, lines="\n".join([*lines, f"    return {call};"]))
    lines.append(f"    const int32_t status = {call};")
    for number, (tensor, offset) in enumerate(zip(graph.outputs, where.outputs)):
        lines += _moved(f"(uint8_t *)outputs[{number}]", f"activations + {offset}u", tensor.elements)
    return _RUN.format(pointer=pointer, lines="\n".join([*lines, "    return status;"]))


def _moved(target: str, source: str, count: int) -> list[str]:
    """A tensor is copied unless it is where it has to be."""
    return [f"    if ({target} != {source}) {{", f"        memmove({target}, {source}, {count}u);", "    }"]


def numbers(values: Sequence[int]) -> str:
    """An initialiser."""
    return "{" + ", ".join(map(str, values)) + "}"


def static_header(name: str) -> str:
    """A header of this folder, which is the same for all networks."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_UMBRELLA = """\
{provenance}
#ifndef {guard}
#define {guard}

{includes}

#endif
"""


def umbrella(program: Program, interfaces: Sequence[str]) -> Sources:
    """`network.h` and `network_data.h`, which applications include whichever the interface is."""
    name = program.names.network
    includes = "\n".join(f'#include "{interface}_{name}.h"' for interface in interfaces)
    what = f'the interfaces {", ".join(interfaces)} of the network "{name}"'
    return {
        f"Inc/{name}{end}.h": _UMBRELLA.format(
            provenance=block_comment(what, WIDTH), guard=f"APPROX_FOR_{name.upper()}{end.upper()}_H", includes=includes
        )
        for end in ("", "_data")
    }
