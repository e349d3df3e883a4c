"""What instructions do: to numbers as the core does it, to forms where that is linear, to sums as requantisation.

Names and meanings are those of the ARMv7-M Architecture Reference Manual (DDI 0403), chapter A7.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.proof.machine import Handler
from approx_plugin.proof.semantics import arithmetic, control, lanes, products, transfers

_ROOMS = (arithmetic, lanes, products, transfers, control)

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {name: handler for room in _ROOMS for name, handler in room.HANDLERS.items()}
)
"""By the name of the instruction. What is not here is not known to the proof."""
