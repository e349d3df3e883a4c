"""What the kernels count: kind of kernel -> names of its counts.

A board's costs.yaml has a coefficient for every one of them; one that lacks some is refused when it is read, not when a
kernel asks for them in the middle of a search. A new kind of kernel, or a new count, gets its entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = {
    "cmsis_nn add": "call quads rests ram_bytes",
    "cmsis_nn average pool": "call pixels taps first_elements further_elements ram_bytes",
    "cmsis_nn convolution": (
        "call steps rests single_steps unaligned outputs row_pairs pixels taps copied filled widened widened_rest "
        "flash_bytes ram_bytes"
    ),
    "cmsis_nn depthwise": (
        "call pixels flash_bytes ram_bytes quads quad_steps quad_odd rests rest_taps copies fills copied filled"
    ),
    "cmsis_nn depthwise 3x3": "call pixels flash_bytes ram_bytes quads quad_taps quad_lines rests rest_taps",
    "cmsis_nn depthwise multiplied": "call pixels flash_bytes ram_bytes outputs taps lines tiles",
    "cmsis_nn depthwise multiplied by 4": "call pixels flash_bytes ram_bytes outputs taps lines tiles",
    "cmsis_nn fully connected": "call pairs steps rests single_steps single unaligned flash_bytes ram_bytes",
    "cmsis_nn fully connected per channel": (
        "call pairs steps rests single_steps single unaligned flash_bytes ram_bytes"
    ),
    "cmsis_nn max pool": "call pixels taps first_elements further_elements ram_bytes further_rest first_rest",
    "cmsis_nn pad": "call rows copied copied_rest filled ram_bytes",
    "cmsis_nn pointwise": (
        "call calls sums row_pairs tiles mixed_tiles blocks steps rests unaligned single_tiles single_steps "
        "odd_products flash_bytes ram_bytes"
    ),
    "cmsis_nn softmax": "call rows elements",
    **dict.fromkeys(
        ("added", "gemm", "packed", "planes", "pooled", "winograd"),
        "call cycles turns missed_bytes flash_bytes ram_bytes",
    ),
    "unpacked": (
        "call functions rows widen_rows widen_runs widen_quads widen_rests widen_fills odd_loads weights_1 "
        "weights_2 weights_3 weights_4 second_constants loads load_runs rest blocks sums missed_bytes "
        "missed_instructions missed_loads missed_load_runs ram_bytes ram_queued"
    ),
}

COUNTS: Mapping[str, tuple[str, ...]] = MappingProxyType({kind: tuple(names.split()) for kind, names in _NAMES.items()})
