"""What in a straight line of instructions has to stay after what: registers, flags and memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from approx_plugin.kernels.machine.instruction import Access, Instruction
from approx_plugin.kernels.machine.registers import CARRY, FLAGS, Register

Unit = tuple[Instruction, ...]
"""Instructions that stay together: an IT and what it governs, or a single one."""


def units_of(block: Sequence[Instruction]) -> list[Unit]:
    """The block as units. Raises ValueError for a branch that is not its last instruction."""
    found: list[Unit] = []
    position = 0
    while position < len(block):
        one = block[position]
        if one.branches and position != len(block) - 1:
            raise ValueError(f"{one.text}: a straight line ends with a branch")
        length = len(one.name) if one.kind == "it" else 1
        found.append(tuple(block[position : position + length]))
        position += length
    return found


class Touched(NamedTuple):
    """A piece of memory: from `first` up to `last` (excluded) from where a base register's value `value` points."""

    region: str
    value: int
    first: int
    last: int
    stores: bool

    def meets(self, other: Touched) -> bool:
        """Whether the two may be the same memory."""
        if self.region and other.region and self.region != other.region:
            return False
        return self.value != other.value or (self.first < other.last and other.first < self.last)


ORDER: frozenset[Register] = frozenset()
"""No value goes from one unit to the other: only their order counts."""


class _Bases:
    """Where base registers point, as a value that is not known and a distance from it that is."""

    def __init__(self) -> None:
        self._places: dict[Register, tuple[int, int]] = {}
        self._values = 0

    def _place(self, register: Register) -> tuple[int, int]:
        if register not in self._places:
            self._values += 1
            self._places[register] = (self._values, 0)
        return self._places[register]

    def touched(self, access: Access) -> Touched:
        """What an access touches; an index register may lead anywhere."""
        value, place = self._place(access.base)
        if access.index_register is not None:
            self._values += 1
            return Touched(access.region, self._values, 0, 0, access.stores)
        first = place + access.displacement
        return Touched(access.region, value, first, first + access.size * access.pieces, access.stores)

    def step(self, one: Instruction) -> None:
        """Go on by one instruction."""
        moved = _distance(one)
        for register in one.defs:
            if moved and register == moved[0]:
                value, place = self._place(register)
                self._places[register] = (value, place + moved[1])
            else:
                self._places.pop(register, None)


def _distance(one: Instruction) -> tuple[Register, int] | None:
    """The register that an instruction moves by a constant, and by how much."""
    if one.condition:
        return None
    if one.access:
        return (one.access.base, one.access.moves) if one.access.moves else None
    if one.name not in ("add", "addw", "sub", "subw"):
        return None
    target, first, second = one.full_operands
    if target != first or not isinstance(target, Register) or not isinstance(second, int):
        return None
    return target, second if one.name.startswith("add") else -second


ALL_FLAGS = frozenset((FLAGS, CARRY))


def _live_flags(units: Sequence[Unit]) -> list[frozenset[Register]]:
    """For every unit the flags that it sets for somebody: a reader, or what follows the last unit."""
    found: list[frozenset[Register]] = []
    needed = ALL_FLAGS
    for unit in reversed(units):
        live: frozenset[Register] = frozenset()
        for one in reversed(unit):
            live |= one.defs & needed
            needed = (needed - one.defs) | (one.uses & ALL_FLAGS)
        found.append(live)
    return found[::-1]


class _Graph:
    """The dependences under construction; units come in their order."""

    def __init__(self) -> None:
        self.after: list[dict[int, frozenset[Register]]] = []
        self._writer: dict[Register, int] = {}
        self._readers: dict[Register, list[int]] = {}
        self._idle: dict[Register, list[int]] = {}
        self._loads: list[tuple[int, Touched]] = []
        self._stores: list[tuple[int, Touched]] = []
        self._bases = _Bases()

    def add(self, unit: Unit, live: frozenset[Register]) -> None:
        """The next unit. live: the flags that it sets for somebody."""
        number = len(self.after)
        after: dict[int, frozenset[Register]] = {}
        self.after.append(after)
        uses, defs = frozenset().union(*(one.uses for one in unit)), frozenset().union(*(one.defs for one in unit))
        for register in sorted(uses & self._writer.keys()):
            writer = self._writer[register]
            after[writer] = after.get(writer, ORDER) | {register}
        # Flags that nobody needs only have to stay out of the way of those that somebody does.
        idle = (defs & ALL_FLAGS) - live
        for register in sorted(defs):
            self._order(self._former(register))
        for register in sorted(live):
            self._order(self._idle.pop(register, ()))
        for register in idle:
            self._idle.setdefault(register, []).append(number)
        self._touch(unit, number)
        if unit[-1].branches:
            self._order(range(number))
        for register in uses:
            self._readers.setdefault(register, []).append(number)
        for register in defs - idle:
            self._writer[register], self._readers[register] = number, []

    def _former(self, register: Register) -> Iterable[int]:
        """Who wrote the register last, and who has read it since."""
        return (*self._readers.get(register, ()), *((self._writer[register],) if register in self._writer else ()))

    def _order(self, earlier: Iterable[int]) -> None:
        for number in earlier:
            self.after[-1].setdefault(number, ORDER)

    def _touch(self, unit: Unit, number: int) -> None:
        """Memory that the unit touches."""
        for one in unit:
            if one.access:
                touched = self._bases.touched(one.access)
                others = (*self._stores, *self._loads) if touched.stores else self._stores
                self._order(earlier for earlier, other in others if touched.meets(other) and earlier != number)
                (self._stores if touched.stores else self._loads).append((number, touched))
            self._bases.step(one)


def dependences(units: Sequence[Unit]) -> list[dict[int, frozenset[Register]]]:
    """For every unit the earlier ones that it has to stay after, and the registers that it has from each.

    No registers: only the order counts, because of memory or because a register gets another value.
    """
    graph = _Graph()
    for unit, live in zip(units, _live_flags(units)):
        graph.add(unit, live)
    return graph.after
