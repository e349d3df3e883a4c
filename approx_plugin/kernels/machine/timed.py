"""An instruction in the terms of a core's table: what the pipeline (`timing`) asks about it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from approx_plugin.cores.core import FOLLOWS, CoreTiming
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.registers import FLAGS, PC

STAGED = ("source", "early", "accumulate", "address", "data")
"""Groups of operands that are waited for."""

Tail = tuple[int, ...]


class Wait(NamedTuple):
    """A register that is waited for, in which stage it is needed, and how much earlier if it was loaded."""

    register: int
    stage: int
    from_load: int


@dataclass(frozen=True)
class Timed:
    """An instruction in a core's terms: `kind_timing` and `operation` of virtual_board/native/pipeline.h in one.

    cycles: issue slots; early: the sources, if a result is there sooner where they are; tail: None where the row has
    none; units: those of younger instructions that may share its cycle.
    """

    waits: tuple[Wait, ...]
    early: tuple[Wait, ...]
    results: tuple[int, ...]
    bases: tuple[int, ...]
    cycles: int
    result: int
    early_result: int
    base_result: int
    follow: int
    tail: Tail | None
    unit: str
    units: frozenset[str]
    size: int
    access_size: int
    loads: bool
    stores: bool
    sets_flags: bool
    reads_flags: bool
    branches: bool
    conditional: bool
    indirect: bool


@functools.lru_cache(maxsize=1 << 16)
def timed(instruction: Instruction, core: CoreTiming) -> Timed:
    """The instruction as the core's table has it. Remembered."""
    row = core.kinds[instruction.kind]
    numbers, groups, access = row.numbers, instruction.groups, instruction.access
    direct = instruction.form.kind == "branch"
    conditional = direct and bool(instruction.condition)
    # What stands in an IT block waits for no flags: the IT has seen to it.
    reads_flags = conditional or instruction.name in ("adc", "sbc", "sel")
    waits = [
        Wait(register.number, numbers[role], numbers["from_load"] if role == "source" else 0)
        for role in STAGED
        for register in groups.get(role, ())
        if register != PC
    ]
    if reads_flags:
        waits.append(Wait(FLAGS.number, numbers["source"], numbers["from_load"]))
    sources = [r.number for r in groups.get("source", ())] + [FLAGS.number] * reads_flags
    cycles = numbers["cycles"]
    if numbers["words_per_cycle"] and access:
        cycles += -(-access.pieces // numbers["words_per_cycle"])
    if instruction.form.kind == "divide":
        cycles = core.numbers["divide_maximum"]
    bases = tuple(r.number for r in groups.get("base", ()))
    results = tuple(r.number for r in groups.get("result", ()) if r != PC and r.number not in bases)
    return Timed(
        waits=tuple(waits),
        early=tuple(Wait(number, numbers["early"], 0) for number in sources),
        results=results,
        bases=bases,
        cycles=cycles,
        result=numbers["result"],
        early_result=numbers["early_result"],
        base_result=numbers["base_result"],
        follow=FOLLOWS.index(row.follow),
        tail=None if row.follow == "other" else tuple(row.tail.get(follow, 0) for follow in FOLLOWS),
        unit=row.unit,
        units=core.pairs[row.unit],
        size=instruction.size,
        access_size=access.size if access else 0,
        loads=access is not None and not access.stores,
        stores=access is not None and access.stores,
        sets_flags=instruction.sets_flags,
        reads_flags=reads_flags,
        branches=instruction.branches,
        conditional=conditional,
        indirect=instruction.branches and not direct,
    )
