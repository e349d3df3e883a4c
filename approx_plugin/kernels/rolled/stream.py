"""What a step reads over and over, and what that costs where a memory lets the core wait."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from approx_plugin.kernels.costs.counting import Memories, Work, missed_bytes, swept_again
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.needs import FLASH, RAM

COUNTS = ("call", "cycles", "turns", "missed_bytes", "flash_bytes", "ram_bytes")


@dataclass(frozen=True)
class Stream:
    """Neighbouring bytes that are read from one end to the other, `sweeps` times. memory: FLASH (constants) or RAM.

    written: they were written just before, so that the first sweep finds what stayed in the cache.
    """

    memory: str
    bytes: float
    sweeps: float = 1.0
    written: bool = False


def work_of(kind: str, routines: Iterable[Routine], streams: Iterable[Stream], memories: Memories) -> Work:
    """The work of a step that calls each of the routines once."""
    code = list(routines)
    flash = ram = 0.0
    for stream in streams:
        if stream.memory == FLASH:
            flash += float(missed_bytes(memories.constants, stream.bytes, stream.sweeps))
        elif stream.memory == RAM and stream.written:
            ram += swept_again(memories.activations, stream.bytes, stream.sweeps)
        elif stream.memory == RAM:
            ram += float(missed_bytes(memories.activations, stream.bytes, stream.sweeps))
    counts = {
        "call": 1.0,
        "cycles": math.fsum(routine.cycles for routine in code),
        "turns": math.fsum(routine.turns for routine in code),
        "missed_bytes": math.fsum(routine.missed(memories.code) for routine in code),
        "flash_bytes": flash,
        "ram_bytes": ram,
    }
    return Work(kind, counts)
