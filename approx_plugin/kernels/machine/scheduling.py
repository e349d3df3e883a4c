"""List scheduling: a straight line of instructions in an order in which a core issues them sooner.

The dependence graph is that of registers, flags and memory; what cannot be told apart keeps its order. Step by step
the unit is taken that the core's pipeline (`timing`) would issue first, of several the one with the longest way to the
end after it. So the tables decide by which the virtual board counts, and no core is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.machine.addresses import Tracker
from approx_plugin.kernels.machine.dependence import dependences, units_of
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.registers import Register
from approx_plugin.kernels.machine.text import Item, Remark, straight_lines
from approx_plugin.kernels.machine.timed import Timed, timed
from approx_plugin.kernels.machine.timing import Pipeline

REACH = 64
"""How many units beyond the first that waits are looked at: what comes much later has no bearing on now."""

Step = tuple[Timed, int, bool]
"""An instruction in the core's terms, the address that it accesses, whether it stands in an IT block."""

Steps = tuple[Step, ...]


def schedule(
    block: Sequence[Instruction], core: CoreTiming, values: Mapping[Register, int] | None = None
) -> list[Instruction]:
    """The same instructions in an order that is no slower on the core, by `timing.cycles`; often the one they have.

    block: a straight line; a branch can only be its last instruction, and stays there. values: what registers hold on
    entry, as far as it is known. Memory, registers and flags are the same at its end. Raises ValueError for a branch
    within the block.
    """
    units = units_of(block)
    tracker = Tracker(values)
    steps: list[Steps] = [
        tuple((timed(one, core), tracker.step(one), bool(one.condition)) for one in unit) for unit in units
    ]
    after = dependences(units)
    order = _order(steps, after, core)
    if _cycles([steps[number] for number in order], core) >= _cycles(steps, core):
        return list(block)
    return [one for number in order for one in units[number]]


def schedule_items(items: Iterable[Item], core: CoreTiming) -> list[Item]:
    """Every straight line of a function scheduled. A remark goes along as the comment of what it is about."""
    return [item for run in straight_lines(items) for item in _scheduled_run(run, core)]


def _scheduled_run(run: list[Item], core: CoreTiming) -> Sequence[Item]:
    block: list[Instruction] = []
    said: list[str] = []
    for item in run:
        if isinstance(item, Remark):
            said.append(item.text)
        elif isinstance(item, Instruction):
            block.append(item.noted(" ".join(said)) if said else item)
            said = []
    order = schedule(block, core)
    return run if order == block else order


def _cycles(steps: Sequence[Steps], core: CoreTiming) -> int:
    pipeline = Pipeline(core)
    for unit in steps:
        for what, access, in_it in unit:
            pipeline.step(what, access, in_it=in_it)
    return pipeline.end


def _order(steps: Sequence[Steps], after: Sequence[Mapping[int, frozenset[Register]]], core: CoreTiming) -> list[int]:
    """The units' numbers in the order in which they are issued."""
    ways = _ways_to_the_end(steps, after)
    followers: list[list[int]] = [[] for _ in steps]
    for number, earlier in enumerate(after):
        for producer in earlier:
            followers[producer].append(number)
    missing = [len(earlier) for earlier in after]
    waiting = [number for number, count in enumerate(missing) if not count]
    issued = [False] * len(steps)
    order: list[int] = []
    first = 0
    pipeline = Pipeline(core)
    while waiting:
        while issued[first]:
            first += 1
        near = [number for number in waiting if number < first + REACH]
        _, _, chosen = min((pipeline.issue(*steps[n][0][:2])[0], -ways[n], n) for n in near)
        for what, access, in_it in steps[chosen]:
            pipeline.step(what, access, in_it=in_it)
        waiting.remove(chosen)
        issued[chosen] = True
        order.append(chosen)
        for number in followers[chosen]:
            missing[number] -= 1
            if not missing[number]:
                waiting.append(number)
    return order


def _ways_to_the_end(steps: Sequence[Steps], after: Sequence[Mapping[int, frozenset[Register]]]) -> list[int]:
    """For every unit the cycles from its issue to the end of the block along the slowest chain after it."""
    ways = [sum(what.cycles for what, _, _ in unit) for unit in steps]
    for number in range(len(steps) - 1, -1, -1):
        for producer, registers in after[number].items():
            latency = max(_latency(steps[producer], steps[number], registers), 1)
            ways[producer] = max(ways[producer], ways[number] + latency)
    return ways


def _latency(producer: Steps, consumer: Steps, registers: frozenset[Register]) -> int:
    """Cycles from the issue of one unit to that of another that has registers from it; 0 where only order counts."""
    longest = 0
    for register in registers:
        there = max((_there(what, register.number) for what, _, _ in producer), default=0)
        loaded = any(what.loads and register.number in what.results for what, _, _ in producer)
        for what, _, _ in consumer:
            for waited, stage, from_load in what.waits:
                if waited == register.number:
                    longest = max(longest, there - stage + from_load * loaded)
    return longest


def _there(what: Timed, register: int) -> int:
    """The stage after which a register is there, counted from the issue."""
    if register in what.results:
        return what.cycles - 1 + (what.early_result or what.result)
    return what.base_result if register in what.bases else 0
