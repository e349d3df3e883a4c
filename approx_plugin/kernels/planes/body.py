"""The straight line that computes some outputs side by side, and which registers its values are in.

A line needs more values than there are registers: words of the plane, words of weights, constants. Each is loaded when
it is needed; where a register has to be given up, it is that of the value that is needed again last (Belady's rule,
optimal where every load costs the same). Some constants may be pinned: they stay where they are over all rows.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from approx_plugin.kernels.machine.idioms import add_constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import LR, R12, Register
from approx_plugin.kernels.planes.constants import Places
from approx_plugin.kernels.planes.frame import Frame
from approx_plugin.kernels.planes.geometry import WORD, Geometry
from approx_plugin.kernels.planes.weights import Arrangement, Multiplication
from approx_plugin.kernels.rolled.requantise import Requantisation, output_code

BASE, OUT = R12, LR
"""They point to the group's first word and first output of the line."""

AHEAD = 2
"""Operations by which loads run ahead of their use."""


class Value(NamedTuple):
    """What a register may hold. kind: "word" of the plane (row, column), "constant" (number, 0), "sum" (output, column)
    or "temporary".
    """

    kind: str
    first: int
    second: int = 0


class Operation(NamedTuple):
    """needs: values to be in registers. sum: whose register is changed. make: instructions, by the values' registers.

    begins, ends: whether the sum's register is taken before it, and free after it.
    """

    needs: tuple[Value, ...]
    sum: Value
    make: Callable[[Mapping[Value, Register]], Sequence[Instruction]]
    begins: bool
    ends: bool


@dataclass(frozen=True)
class Ending:
    """What of a requantisation decides the code. exponent: None where channels have their own."""

    signed: bool
    exponent: int | None
    minimum: int
    maximum: int

    @classmethod
    def of(cls, constants: Requantisation) -> Ending:
        """A layer's."""
        return cls(constants.signs is not None, constants.exponent, constants.minimum, constants.maximum)

    @property
    def example(self) -> Requantisation:
        """Constants of two channels with the same code."""
        exponents = np.array([1, 2] if self.exponent is None else [self.exponent] * 2, np.int64)
        none = np.zeros(2, np.int64)
        signs = none if self.signed else None
        return Requantisation(none > 0, exponents, none, none, signs, self.minimum, self.maximum)


@dataclass(frozen=True)
class Line:
    """What all lines of a layer have in common. Equal ones make equal code.

    near: whether a fixed offset reaches every output; otherwise OUT moves on output by output.
    """

    layout: Geometry
    arranged: Arrangement
    places: Places
    ending: Ending
    near: bool
    kept: Frame

    def operations(self, outputs: int, columns: int, block: int, zigzag: bool) -> list[Operation]:
        """`columns` outputs side by side in each of `outputs` rows, `block` columns at a time.

        zigzag: every other block goes through the window backwards, so that the weights needed last come first.
        """
        found: list[Operation] = []
        for number, first in enumerate(range(0, columns, block)):
            beside = range(first, min(first + block, columns))
            products = [(product, column) for product in self.arranged.products[outputs - 1] for column in beside]
            # A word meets all of its products at once.
            products.sort(key=lambda pair: (pair[0].tap, pair[0].row))
            begun: set[Value] = set()
            for product, column in products[::-1] if zigzag and number % 2 else products:
                total = Value("sum", product.output, column)
                found.append(self._product(product, column, total, total not in begun))
                begun.add(total)
            for column in beside:
                found += [self._end(output, column, output == 0) for output in reversed(range(outputs))]
        return found

    def _product(self, product: Multiplication, column: int, total: Value, begins: bool) -> Operation:
        slid = self.layout.slid
        word = Value("word", product.row, slid.stride * column + slid.dilation * product.tap)
        weight, bias = Value("constant", product.word), Value("constant", self.places.bias)

        def make(where: Mapping[Value, Register]) -> Sequence[Instruction]:
            added = where[bias if begins else total]
            return (instruction(product.mnemonic, where[total], where[word], where[weight], added),)

        return Operation((word, weight, *((bias,) if begins else ())), total, make, begins, False)

    def _end(self, output: int, column: int, last: bool) -> Operation:
        places, layout = self.places, self.layout
        total = Value("sum", output, column)
        multiplier, addend = Value("constant", places.multiplier), Value("constant", places.addend)
        sign = Value("constant", places.sign) if places.sign >= 0 else None
        shift = Value("constant", places.shift) if places.shift >= 0 else None
        row = Value("constant", places.row) if places.row >= 0 and output else None
        temporary = Value("temporary", output, column) if sign else None
        needs = tuple(value for value in (multiplier, addend, sign, shift, row, temporary) if value)

        def make(where: Mapping[Value, Register]) -> Sequence[Instruction]:
            code = output_code(
                where[total],
                where[multiplier],
                where[addend],
                self.ending.example,
                where[sign] if sign else None,
                where[temporary] if temporary else None,
                where[shift] if shift else None,
            )
            offset: int | Register = 0
            if self.near:
                offset = output * layout.paired.output_pitch + column * layout.slid.output_pitch
            elif row:
                offset = where[row]
            code.append(instruction("strb", where[total], Address(OUT, offset, region="output")))
            if not self.near and last:
                code += add_constant(OUT, layout.slid.output_pitch, where[total])
            return code

        return Operation(needs, total, make, False, True)


class NoRegisterError(Exception):
    """A line needs more registers at once than there are."""


class Allocator:
    """Goes along a line once. pinned: constants that are in registers already, and stay there."""

    def __init__(
        self,
        operations: Sequence[Operation],
        pool: Sequence[Register],
        pinned: Mapping[Value, Register],
        load: Callable[[Register, int], Instruction],
        pitch: int,
    ) -> None:
        """pool: the registers that it may use, pinned ones among them. pitch: bytes of a row of words."""
        self._operations, self._load, self._pitch = operations, load, pitch
        self._pinned = dict(pinned)
        self._where: dict[Value, Register] = dict(pinned)
        self._free = deque(register for register in pool if register not in self._where.values())
        self._uses: dict[Value, list[int]] = {}
        for number, operation in enumerate(operations):
            for value in operation.needs:
                self._uses.setdefault(value, []).append(number)
        self.code: list[Instruction] = []

    def run(self) -> list[Instruction]:
        """The line. Raises NoRegisterError."""
        for number, operation in enumerate(self._operations):
            ahead = self._operations[number : number + AHEAD + 1]
            near = {value for one in ahead for value in one.needs}
            for value in operation.needs:
                self._provide(value, number, set(operation.needs), set(operation.needs))
            if operation.begins:
                self._where[operation.sum] = self._take(number, set(operation.needs), near)
            for distance, one in enumerate(ahead[1:], 1):
                for value in one.needs:
                    if value.kind in ("word", "constant") and value not in self._where:
                        register = self._spare(number + distance, near)
                        if register is not None:
                            self._fetch(value, register)
            self.code += operation.make(self._where)
            if operation.ends:
                self._free.append(self._where.pop(operation.sum))
            for value in dict.fromkeys(operation.needs):
                if self._next(value, number + 1) is None and value in self._where and value not in self._pinned:
                    self._free.append(self._where.pop(value))
        return self.code

    def _next(self, value: Value, number: int) -> int | None:
        """The next operation from `number` on that needs the value."""
        uses = self._uses[value]
        place = bisect.bisect_left(uses, number)
        return uses[place] if place < len(uses) else None

    def _provide(self, value: Value, number: int, wanted: set[Value], kept: set[Value]) -> None:
        if value in self._where:
            return
        register = self._take(number, wanted, kept)
        if value.kind == "temporary":
            self._where[value] = register
        else:
            self._fetch(value, register)

    def _fetch(self, value: Value, register: Register) -> None:
        self._where[value] = register
        if value.kind == "word":
            place = Address(BASE, value.first * self._pitch + WORD * value.second, region="planes")
            self.code.append(instruction("ldr", register, place))
        else:
            self.code.append(self._load(register, value.first))

    def _candidates(self, kept: set[Value], number: int) -> list[tuple[int, Value]]:
        """What may be given up: (when it is needed again, which)."""
        return [
            (self._next(value, number) or 0, value)
            for value in self._where
            if value.kind in ("word", "constant") and value not in self._pinned and value not in kept
        ]

    def _take(self, number: int, wanted: set[Value], kept: set[Value]) -> Register:
        """A register, whatever it costs, but nothing that is wanted now; rather nothing that is kept."""
        if self._free:
            return self._free.popleft()
        candidates = self._candidates(kept, number) or self._candidates(wanted, number)
        if not candidates:
            raise NoRegisterError
        return self._where.pop(max(candidates)[1])

    def _spare(self, number: int, kept: set[Value]) -> Register | None:
        """A register for a value that operation `number` needs, if something is needed later than that."""
        if self._free:
            return self._free.popleft()
        later = [found for found in self._candidates(kept, number) if found[0] > number]
        return self._where.pop(max(later)[1]) if later else None
