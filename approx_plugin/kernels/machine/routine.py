"""A function as nested loops: text, size and cycles come from one description.

    Routine("f", (
        Straight(prologue),
        Loop("pixel", 100, (Straight(loads), Straight(products)), close=(instruction("subs", R3, 1),)),
        Straight(epilogue),
    ), core)

Every straight line is scheduled for the core. How often each one runs is known, so what the whole function costs while
no memory lets the core wait follows from the core's table (`cycles`), and what an instruction cache misses from the
sizes of the loops (`missed`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Union

from approx_plugin.boards.timing import Cache
from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.costs.counting import missed_bytes
from approx_plugin.kernels.machine import text as written
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.scheduling import schedule_items
from approx_plugin.kernels.machine.text import Align, Item, Label, Remark, size_of
from approx_plugin.kernels.machine.timing import cycles, turn_cycles


@dataclass(frozen=True)
class Straight:
    """Instructions and remarks, one after the other; no label and no branch."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Loop:
    """`body`, `turns` times each time that it is come to; at least 1.

    name:  of its label, after the function's. close: counts down and sets the flags; what the loop goes on by is
    `condition`. align: bytes at which it begins (`text.Align`), 0 for wherever it comes.
    """

    name: str
    turns: float
    body: tuple[Part, ...]
    close: tuple[Instruction, ...]
    condition: str = "ne"
    align: int = 0


@dataclass(frozen=True)
class Sometimes:
    """`body` where a condition holds, by the flags that the line before has set. unless: the condition under which it
    is passed over; share: of the times in which it runs. name: of the label behind it.
    """

    name: str
    unless: str
    share: float
    body: tuple[Part, ...]


Part = Union[Straight, Loop, Sometimes]


def straight(*items: Item | Iterable[Item]) -> Straight:
    """A straight line of items and of sequences of them."""
    found: list[Item] = []
    for item in items:
        found += [item] if isinstance(item, (Instruction, Label, Remark, Align)) else item
    return Straight(tuple(found))


@dataclass(frozen=True)
class Line:
    """A straight line as it is executed: how often, and whether it is a whole loop, whose end leads to its start."""

    items: tuple[Item, ...]
    times: float
    turns: bool


@dataclass(frozen=True, eq=False)
class Routine:
    """A function. core: whose table prices it, and for which it is scheduled; scheduled: False leaves the order."""

    name: str
    parts: tuple[Part, ...]
    core: CoreTiming
    scheduled: bool = True

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Its straight lines in the order of the text."""
        return tuple(self._lines(self.parts, 1.0))

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Instructions, labels and remarks, closed."""
        return written.layout(item for line in self.lines for item in line.items)

    @property
    def text(self) -> str:
        """For an assembler; ends with an empty line."""
        return "\n".join(written.function(self.name, self.items))

    @cached_property
    def size(self) -> int:
        """Bytes of code."""
        return size_of(self.items)

    @cached_property
    def cycles(self) -> float:
        """Of one call while no memory lets the core wait."""
        return math.fsum(
            line.times * _line_cycles(_instructions(line.items), self.core, line.turns) for line in self.lines
        )

    @cached_property
    def turns(self) -> float:
        """Taken branches of one call, about: what starts a fetch anew."""
        return math.fsum(line.times for line in self.lines if line.turns or _ends_with_branch(line.items))

    def missed(self, cache: Cache | None) -> float:
        """Bytes that one call fetches into an instruction cache in which nothing of it is; 0 without a cache.

        What fits is fetched when it is come to and then stays as long as the loops around it fit, too.
        """
        return 0.0 if cache is None else _missed(self.parts, 1.0, cache)

    def _lines(self, parts: Sequence[Part], times: float) -> Iterator[Line]:
        pending: list[Item] = []
        for part in parts:
            if isinstance(part, Straight):
                pending += part.items
                continue
            if isinstance(part, Loop):
                yield from self._closed(pending, times)
                yield from self._loop(part, times)
            else:
                end = self._label(part.name)
                yield from self._closed([*pending, instruction(f"b{part.unless}", end)], times)
                yield from self._lines(part.body, times * part.share)
                yield Line((Label(end),), times, False)
            pending = []
        yield from self._closed(pending, times)

    def _loop(self, loop: Loop, times: float) -> Iterator[Line]:
        label, turns = self._label(loop.name), times * loop.turns
        if loop.align:
            yield Line((Align(loop.align),), times, False)
        yield Line((Label(label),), turns, False)
        close = [*loop.close, instruction(f"b{loop.condition}", label)]
        if all(isinstance(part, Straight) for part in loop.body):
            items = [item for part in loop.body if isinstance(part, Straight) for item in part.items]
            yield from self._closed([*items, *close], turns, whole=True)
        else:
            yield from self._lines((*loop.body, Straight(tuple(close))), turns)

    def _closed(self, items: Sequence[Item], times: float, whole: bool = False) -> Iterator[Line]:
        """The line of the items, scheduled."""
        if items:
            done = _scheduled(tuple(items), self.core) if self.scheduled else tuple(items)
            yield Line(done, times, whole)

    def _label(self, name: str) -> str:
        return f".L{self.name}_{name}"


@functools.lru_cache(maxsize=4096)
def _scheduled(items: tuple[Item, ...], core: CoreTiming) -> tuple[Item, ...]:
    """Remembered: the same line is priced and then written."""
    return tuple(schedule_items(items, core))


@functools.lru_cache(maxsize=4096)
def _line_cycles(block: tuple[Instruction, ...], core: CoreTiming, turns: bool) -> float:
    if not block:
        return 0.0
    return turn_cycles(block, core) if turns or block[-1].branches else float(cycles(block, core))


def _instructions(items: Iterable[Item]) -> tuple[Instruction, ...]:
    return tuple(item for item in items if isinstance(item, Instruction))


def _ends_with_branch(items: Sequence[Item]) -> bool:
    last = items[-1] if items else None
    return isinstance(last, Instruction) and last.name == "b"


def _size(parts: Iterable[Part]) -> int:
    """Bytes of code, branches counted as wide ones."""
    total = 0
    for part in parts:
        if isinstance(part, Straight):
            total += size_of(part.items)
        elif isinstance(part, Loop):
            total += _size(part.body) + size_of(part.close) + 4
        else:
            total += _size(part.body) + 4
    return total


def _missed(parts: Sequence[Part], entries: float, cache: Cache) -> float:
    size = _size(parts)
    if size <= cache.bytes:
        return entries * -(-size // cache.line_bytes) * cache.line_bytes
    total = 0.0
    for part in parts:
        if isinstance(part, Straight):
            total += entries * size_of(part.items)
        elif isinstance(part, Loop):
            whole = _size((part,))
            if whole <= cache.bytes:
                total += entries * whole
            else:
                apart = _missed((*part.body, Straight(part.close)), entries * part.turns, cache)
                # Of a loop that is just too large, only the sets that overflow are fetched again.
                swept = entries * float(missed_bytes(cache, whole, part.turns))
                total += min(apart, swept) if _inner_loops_fit(part.body, cache) else apart
        else:
            total += _missed(part.body, entries * part.share, cache)
    return total


def _inner_loops_fit(parts: Iterable[Part], cache: Cache) -> bool:
    return all(
        _size((part,)) <= cache.bytes if isinstance(part, Loop) else _inner_loops_fit(part.body, cache)
        for part in parts
        if not isinstance(part, Straight)
    )
