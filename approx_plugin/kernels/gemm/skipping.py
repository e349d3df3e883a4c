"""Windows of which only some taps are read: those that are 0 for every output channel take no part.

What is left is paired anew: two taps that one SXTB16 widens stay together, the others are put into slots byte by byte,
any two of them. So it does not matter which taps are left out, only how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.grouping import Grouping, numbered
from approx_plugin.kernels.gemm.gather import REACH, SLOT_BYTES, Gathering
from approx_plugin.kernels.gemm.geometry import Geometry
from approx_plugin.kernels.machine.idioms import constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
from approx_plugin.kernels.machine.registers import R0, R1, R4, R5, R6, R7, R8, R9, R11, R12, Register
from approx_plugin.kernels.machine.routine import Part, straight
from approx_plugin.operators.conv2d import Conv2D

MOST_TAPS = 2048
"""That are gathered in one straight line: about 10 KB of code."""

_DATA = (R4, R5, R6, R7, R8, R9)


def grouping_of(conv: Conv2D) -> Grouping:
    """What shortens the loops: a tap of an input channel, for all output channels at once."""
    return Grouping(TAPS, "taps of an input channel, for all outputs", numbered(conv.weights.shape[1:]), True)


def gathering_of(geometry: Geometry, weights: npt.NDArray[np.int64]) -> Gathering:
    """How the windows of a layer are read. weights: [output channels, taps]."""
    whole = Gathering(geometry)
    kept = np.flatnonzero((weights != 0).any(axis=0))
    if len(kept) == weights.shape[1] or len(kept) > MOST_TAPS:
        return whole
    # A layer without any weight still has its sums started by a product.
    sparse = SparseGathering(geometry, tuple(kept.tolist()) or (0,))
    return sparse if sparse.slots < whole.slots else whole


@dataclass(frozen=True)
class _Word:
    """Four bytes of which slots are made. even, odd: whether of bytes 0 and 2, and of 1 and 3."""

    offset: int
    tap: int
    even: bool
    odd: bool


@dataclass(frozen=True)
class SparseGathering(Gathering):
    """kept: the taps that are read, ascending; at least one."""

    kept: tuple[int, ...]

    @cached_property
    def _words(self) -> tuple[_Word, ...]:
        """Those that give a slot at least."""
        kept, found = set(self.kept), []
        for run in self.runs:
            for byte in range(0, run.bytes - 3, 4):
                tap = run.tap + byte
                even, odd = {tap, tap + 2} <= kept, {tap + 1, tap + 3} <= kept
                if even or odd:
                    found.append(_Word(run.offset + byte, tap, even, odd))
        return tuple(found)

    @property
    def words(self) -> int:
        """That are widened."""
        return len(self._words)

    @cached_property
    def _widened_pairs(self) -> tuple[tuple[int, int], ...]:
        """In the order of their slots."""
        found: list[tuple[int, int]] = []
        for word in self._words:
            found += [(word.tap, word.tap + 2)] if word.even else []
            found += [(word.tap + 1, word.tap + 3)] if word.odd else []
        return tuple(found)

    @cached_property
    def left_over(self) -> tuple[tuple[int, int], ...]:
        """(offset, tap) of the bytes that are read by themselves."""
        wanted = set(self.kept) - {tap for pair in self._widened_pairs for tap in pair}
        return tuple(
            (run.offset + byte, run.tap + byte)
            for run in self.runs
            for byte in range(run.bytes)
            if run.tap + byte in wanted
        )

    @property
    def slots(self) -> int:
        """Of a pixel."""
        return len(self._widened_pairs) + -(-len(self.left_over) // 2)

    @cached_property
    def pairs(self) -> npt.NDArray[np.int64]:
        """See `Gathering.pairs`."""
        rest = [tap for _, tap in self.left_over]
        rest += [-1] * (len(rest) % 2)
        return np.array([*self._widened_pairs, *zip(rest[::2], rest[1::2])], np.int64).reshape(-1, 2)

    def code(self) -> list[Part]:
        """See `Gathering.code`."""
        line = _Line()
        slot = 0
        for number, word in enumerate(self._words):
            first, second = _DATA[2 * number % 6], _DATA[2 * number % 6 + 1]
            line.load("ldr.w", first, word.offset, 4)
            if word.odd:
                line.items.append(instruction("sxtb16", second, Shifted(first, "ror", 8)))
            if word.even:
                line.items.append(instruction("sxtb16", first, first))
                line.store("str.w", first, SLOT_BYTES * slot)
                slot += 1
            if word.odd:
                line.store("str.w", second, SLOT_BYTES * slot)
                slot += 1
        for number, (offset, _) in enumerate(self.left_over):
            value = _DATA[number % len(_DATA)]
            line.load("ldrsb.w", value, offset, 1)
            line.store("strh.w", value, SLOT_BYTES * (slot + number // 2) + 2 * (number % 2))
        return [straight(line.items)]


class _Line:
    """Code in the making; r12 and r11 stand where offsets from r0 and r1 would not reach."""

    def __init__(self) -> None:
        self.items: list[Instruction] = []
        self._from = self._to = 0

    def load(self, name: str, register: Register, offset: int, size: int) -> None:
        """From the window."""
        if offset + size <= REACH:
            self._from = 0
        elif not (self._from and self._from <= offset and offset - self._from + size <= REACH):
            self.items += _moved(R12, offset, R0)
            self._from = offset
        base = R12 if self._from else R0
        self.items.append(instruction(name, register, Address(base, offset - self._from, region="input")))

    def store(self, name: str, register: Register, place: int) -> None:
        """Into a slot. Places ascend."""
        if place - self._to + SLOT_BYTES > REACH:
            self.items += _moved(R11, place, R1)
            self._to = place
        base = R11 if self._to else R1
        self.items.append(instruction(name, register, Address(base, place - self._to, region="slots")))


def _moved(register: Register, by: int, base: Register) -> Sequence[Instruction]:
    return [*constant(register, by), instruction("add.w", register, register, base)]
