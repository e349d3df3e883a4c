"""The code of one step, as the network file wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Sources = Mapping[str, str]
"""Path below `Middlewares/Approx/` -> text. Nothing is written to disk before all of it exists."""


@dataclass(frozen=True, eq=False)
class Emission:
    """What a plan makes of its operators.

    call:        C expression over `input`, `input_2`, ... (const int8_t *, one for each activation that goes in),
                 `output` (int8_t *), `scratch` and `scratch_dtcm` (8-byte aligned, as many bytes as the plan needs
                 there). It names only those that it uses.
    can_fail:    whether `call` has a status, int32_t, 0 for success; without one it is a void expression.
    sources:     path -> text of the step's own files ("Src/approx_layer_03.s").
    definitions: C text that goes into the network file (constants and static functions).
    prototypes:  C declarations that the network file needs.
    cmsis_nn:    functions of CMSIS-NN that are called.
    context_size: C expression for the scratch that the linked library asks for, "" for none.
    """

    call: str
    can_fail: bool
    sources: Sources
    definitions: str = ""
    prototypes: str = ""
    cmsis_nn: tuple[str, ...] = ()
    context_size: str = ""
