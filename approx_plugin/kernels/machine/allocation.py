"""Registers for a straight line of instructions that was written with virtual ones.

A linear scan over the live ranges (M. Poletto, V. Sarkar, "Linear scan register allocation", ACM TOPLAS 21(5), 1999),
with what Thumb asks for: some registers are given, the list of a load or store multiple has to ascend, and a register
below r8 makes many instructions half as long. Nothing is ever spilt: a kernel that does not fit has to be another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from approx_plugin.errors import ApproxError
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.operands import Registers
from approx_plugin.kernels.machine.registers import CORE, LOW, R12, Register, names

TRIES = 10_000
"""Places that are tried for the registers of lists that hang together before they count as not to be placed."""

ENTRY = -1
"""The time before the first instruction. Instruction n reads at time 2n and writes at time 2n + 1."""

Range = tuple[int, int]
"""First and last time at which a register holds a value that is still needed."""


class RegisterError(ApproxError):
    """A block of a kernel needs more registers than there are."""


@dataclass(frozen=True)
class Allocation:
    """block: with core registers only; registers: which one each virtual register has become."""

    block: tuple[Instruction, ...]
    registers: Mapping[Register, Register]


def allocate(
    block: Sequence[Instruction],
    available: Sequence[Register],
    *,
    given: Mapping[Register, Register] | None = None,
    live_out: Iterable[Register] = (),
) -> Allocation:
    """Replace the virtual registers of a straight line.

    available: the core registers that may be used; one that the block names itself is left alone while it holds a
    value. given: virtual registers whose place is settled, of which some may hold a value on entry. live_out:
    registers, virtual or not, that are needed after the block.

    Raises RegisterError if they do not fit, ValueError for a virtual register that is read before it is written.
    """
    given = given or {}
    ranges = _ranges(block, given, frozenset(live_out))
    taken: dict[Register, list[Range]] = {register: [] for register in {*available, *given.values()}}
    for register, found in ranges.items():
        if not register.is_virtual:
            taken.setdefault(register, []).extend(found)
    for register, place in given.items():
        for span in ranges.get(register, []):
            if _overlaps(span, taken[place]):
                raise RegisterError(
                    f"'{register.name}' cannot be in {place.name}: that holds another value at the same time"
                )
            taken[place].append(span)
    spans = {r: (found[0][0], found[-1][1]) for r, found in ranges.items() if r.is_virtual and r not in given}
    order = _ascending(block)
    low = _wanted_low(block, spans)
    for lists_first in (False, True):
        places = _scan(spans, order, {r: list(t) for r, t in taken.items()}, given, available, low, lists_first)
        if places is not None:
            chosen = {**given, **places}
            return Allocation(tuple(one.renamed(chosen) for one in block), chosen)
    raise _does_not_fit(block, spans, taken, available)


def _ranges(
    block: Sequence[Instruction], given: Mapping[Register, Register], live_out: frozenset[Register]
) -> dict[Register, list[Range]]:
    """When every core register holds a value that is needed: several ranges where values have nothing to do."""
    found: dict[Register, list[Range]] = {}
    for number, one in enumerate(block):
        for register in sorted(r for r in one.uses if r.is_core):
            if register not in found:
                if register.is_virtual and register not in given:
                    raise ValueError(f"{one.text}: '{register.name}' is read before it is written")
                found[register] = [(ENTRY, 2 * number)]
            first, _ = found[register][-1]
            found[register][-1] = (first, 2 * number)
        for register in sorted(r for r in one.defs if r.is_core):
            kept = register in one.uses or (register.is_virtual and register in found)
            if kept:
                first, _ = found[register][-1]
                found[register][-1] = (first, 2 * number + 1)
            else:
                found.setdefault(register, []).append((2 * number + 1, 2 * number + 1))
    for register in live_out:
        first = found.get(register, [(ENTRY, ENTRY)])[-1][0]
        found.setdefault(register, [(first, first)])[-1] = (first, 2 * len(block) + 1)
    return found


def _overlaps(span: Range, others: Iterable[Range]) -> bool:
    return any(span[0] <= last and first <= span[1] for first, last in others)


def _ascending(block: Sequence[Instruction]) -> dict[Register, set[Register]]:
    """For every register those that have to have lower numbers: they stand before it in a list."""
    order: dict[Register, set[Register]] = {}
    for one in block:
        for operand in one.operands:
            if isinstance(operand, Registers) and any(member.is_virtual for member in operand.members):
                for lower, higher in zip(operand.members, operand.members[1:]):
                    order.setdefault(higher, set()).add(lower)
                    order.setdefault(lower, set())
    return order


def _wanted_low(block: Sequence[Instruction], spans: Mapping[Register, Range]) -> frozenset[Register]:
    """The virtual registers that make an instruction shorter by being below r8."""
    found: set[Register] = set()
    for one in block:
        found_here = sorted(register for register in one.uses | one.defs if register in spans)
        if not found_here or len(found_here) > LOW:
            continue
        low = dict(zip(found_here, CORE))
        if _size(one, low) == 2:
            found |= {name for name in found_here if _size(one, {**low, name: R12}) == 4}
    return frozenset(found)


def _size(one: Instruction, renaming: Mapping[Register, Register]) -> int:
    """Bytes with these registers; 0 if they do not go together here."""
    try:
        return one.renamed(renaming).size
    except ValueError:
        return 0


@dataclass
class _Scan:
    """One attempt. taken: when each core register holds what; places: of the virtual registers so far."""

    spans: Mapping[Register, Range]
    order: Mapping[Register, set[Register]]
    taken: dict[Register, list[Range]]
    places: dict[Register, Register]
    available: Sequence[Register]
    low: frozenset[Register]
    tries: int = TRIES

    def place(self, registers: Sequence[Register]) -> bool:
        """Find places for all of them, which come in an order in which each follows those below it."""
        if not registers:
            return True
        register, *others = registers
        for place in self._choices(register):
            self.tries -= 1
            if self.tries < 0:
                return False
            self.places[register] = place
            self.taken[place].append(self.spans[register])
            if self.place(others):
                return True
            self.taken[place].pop()
            del self.places[register]
        return False

    def _choices(self, register: Register) -> list[Register]:
        """Free registers, the one to try first in front."""
        span = self.spans[register]
        floor = max((self._number(r) for r in self.order.get(register, ())), default=-1)
        above = [r for r, lower in self.order.items() if register in lower]
        ceiling = min((self._number(r) for r in above if r in self.places or not r.is_virtual), default=99)
        free = [p for p in self.available if floor < p.number < ceiling and not _overlaps(span, self.taken[p])]
        if register in self.order:
            return sorted(free)
        # Those below r8 are left to whom they serve.
        return sorted(free, key=lambda place: (place.is_low != (register in self.low), place))

    def _number(self, register: Register) -> int:
        return self.places.get(register, register).number if self._is_settled(register) else -1

    def _is_settled(self, register: Register) -> bool:
        return register in self.places or not register.is_virtual


def _scan(
    spans: Mapping[Register, Range],
    order: Mapping[Register, set[Register]],
    taken: dict[Register, list[Range]],
    given: Mapping[Register, Register],
    available: Sequence[Register],
    low: frozenset[Register],
    lists_first: bool,
) -> dict[Register, Register] | None:
    """Places for all virtual registers, or None. lists_first: those of lists before all others."""
    scan = _Scan(spans, order, taken, dict(given), available, low)
    parts = _together(spans, order)
    parts.sort(key=lambda part: (lists_first and len(part) == 1, min(spans[register] for register in part)))
    for part in parts:
        scan.tries = TRIES
        if not scan.place(part):
            return None
    return {register: place for register, place in scan.places.items() if register not in given}


def _together(spans: Mapping[Register, Range], order: Mapping[Register, set[Register]]) -> list[list[Register]]:
    """The virtual registers in parts that no list connects; each part in an order in which lists ascend."""
    parts: list[list[Register]] = []
    seen: set[Register] = set()
    neighbours = {r: set(lower) | {h for h, ls in order.items() if r in ls} for r, lower in order.items()}
    for start in sorted(spans, key=lambda register: spans[register]):
        if start in seen:
            continue
        part, waiting = {start}, [start]
        while waiting:
            for other in neighbours.get(waiting.pop(), ()):
                if other in spans and other not in part:
                    part.add(other)
                    waiting.append(other)
        seen |= part
        parts.append(_ascended(part, order))
    return parts


def _ascended(part: set[Register], order: Mapping[Register, set[Register]]) -> list[Register]:
    """Each after those that have to have lower numbers. RegisterError if two lists contradict each other."""
    found: list[Register] = []
    left = sorted(part)
    while left:
        ready = [register for register in left if not order.get(register, set()) & set(left)]
        if not ready:
            raise RegisterError(
                f"the lists that hold {names(left)} contradict each other",
                why="the registers of a load or store multiple ascend",
            )
        found.append(ready[0])
        left.remove(ready[0])
    return found


def _does_not_fit(
    block: Sequence[Instruction],
    spans: Mapping[Register, Range],
    taken: Mapping[Register, Sequence[Range]],
    available: Sequence[Register],
) -> RegisterError:
    """Where the most values are alive at once, and which."""

    def alive(time: int) -> tuple[list[Register], list[Register]]:
        values = sorted(register for register, span in spans.items() if _overlaps(span, [(time, time)]))
        return values, [r for r in available if not _overlaps((time, time), taken[r])]

    times = range(2 * len(block))
    worst = max(times, key=lambda time: len(alive(time)[0]) - len(alive(time)[1]))
    values, free = alive(worst)
    held = ", ".join(register.name for register in values)
    what = f"{len(values)} values are alive at once, for which there are {len(free)} registers"
    if len(values) <= len(free):
        what = "the lists of this block cannot all ascend in the registers that there are"
    place = f"instruction {worst // 2 + 1} of {len(block)}, '{block[worst // 2].text}'"
    return RegisterError(what, where=place, why=f"alive: {held}", hint="keep fewer values, or write some to memory")
