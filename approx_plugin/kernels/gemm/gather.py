"""From bytes of the input to slots: pairs of taps as 16-bit halves of a word, four pixels side by side.

Four neighbouring bytes k to k + 3 become the slots (k, k + 2) and (k + 1, k + 3), which SXTB16 makes of a word at once.
What is left over at the end of a run of neighbouring bytes goes into slots byte by byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.gemm.geometry import Geometry
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
from approx_plugin.kernels.machine.registers import R0, R1, R4, R5, R6, R7, R8, R9, R10, R11, R12, Register
from approx_plugin.kernels.machine.routine import Loop, Part, straight

SLOT_BYTES = 16
"""A word for each of four pixels."""

STRAIGHT_WORDS = 20
"""Up to so many words a pixel is gathered without a loop: about 400 bytes of code."""

UNROLLED = 4
"""Words in a turn of the loop otherwise."""

REACH = 4095
"""Of an offset."""


@dataclass(frozen=True)
class Run:
    """Neighbouring bytes under a window. offset: of the first one from the window's first byte; tap: its number."""

    offset: int
    tap: int
    bytes: int


@dataclass(frozen=True)
class Gathering:
    """How a window is read."""

    geometry: Geometry

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """In the order of the taps."""
        geometry = self.geometry
        (tall, wide), channels = geometry.kernel, geometry.channels
        joined = geometry.dilation[1] == 1
        found = []
        for row in range(tall):
            start = row * geometry.dilation[0] * geometry.row_bytes
            if joined:
                found.append(Run(start, row * wide * channels, wide * channels))
                continue
            for column in range(wide):
                offset = start + column * geometry.dilation[1] * channels
                found.append(Run(offset, (row * wide + column) * channels, channels))
        return tuple(found)

    @property
    def words(self) -> int:
        """Whole words of all runs."""
        return sum(run.bytes // 4 for run in self.runs)

    @cached_property
    def left_over(self) -> tuple[tuple[int, int], ...]:
        """(offset, tap) of the bytes that no word holds."""
        return tuple(
            (run.offset + byte, run.tap + byte)
            for run in self.runs
            for byte in range(run.bytes - run.bytes % 4, run.bytes)
        )

    @property
    def slots(self) -> int:
        """Of a pixel."""
        return 2 * self.words + -(-len(self.left_over) // 2)

    @cached_property
    def pairs(self) -> npt.NDArray[np.int64]:
        """int64 [slots, 2]: the taps of each slot, low half first; -1 for none."""
        found: list[tuple[int, int]] = []
        for run in self.runs:
            for byte in range(0, run.bytes - 3, 4):
                tap = run.tap + byte
                found += [(tap, tap + 2), (tap + 1, tap + 3)]
        rest = [tap for _, tap in self.left_over]
        rest += [-1] * (len(rest) % 2)
        found += list(zip(rest[::2], rest[1::2]))
        return np.array(found, np.int64).reshape(-1, 2)

    def code(self) -> list[Part]:
        """One pixel: r0 points to the window, r1 to the pixel's word of the first slot. r4 to r12 are overwritten."""
        parts: list[Part] = []
        if self.words <= STRAIGHT_WORDS:
            slot = 0
            items: list[Instruction] = []
            for run in self.runs:
                base, at = _reached(run.offset, run.bytes, items)
                for word in range(run.bytes // 4):
                    items += _widened(base, at + 4 * word, R1, SLOT_BYTES * slot, slot // 2)
                    slot += 2
            parts.append(straight(items, self._rest(slot)))
            return parts
        slot = 0
        for number, run in enumerate(self.runs):
            words = run.bytes // 4
            parts += _looped(f"run_{number}", run.offset, SLOT_BYTES * slot, words)
            slot += 2 * words
        parts.append(straight(self._rest(slot)))
        return parts

    def _rest(self, slot: int) -> list[Instruction]:
        """The bytes that are left over."""
        items: list[Instruction] = []
        for number, (offset, _) in enumerate(self.left_over):
            base, at = _reached(offset, 1, items)
            place = SLOT_BYTES * (slot + number // 2) + 2 * (number % 2)
            value = _DATA[number % len(_DATA)]
            target: Register = R1
            if place > REACH:
                items += [*constant(R11, place), instruction("add.w", R11, R11, R1)]
                target, place = R11, 0
            items.append(instruction("ldrsb.w", value, Address(base, at, region="input")))
            items.append(instruction("strh.w", value, Address(target, place, region="slots")))
        return items


_DATA = (R4, R5, R6, R7, R8, R9)


def _reached(offset: int, size: int, items: list[Instruction]) -> tuple[Register, int]:
    """A register and an offset from it for bytes at `offset` from r0; what it takes goes to `items`."""
    if offset + size <= REACH:
        return R0, offset
    items += [*constant(R12, offset), instruction("add.w", R12, R12, R0)]
    return R12, 0


def _widened(source: Register, offset: int, target: Register, place: int, number: int) -> list[Instruction]:
    """Four bytes become two slots."""
    even, odd = _DATA[2 * number % 6], _DATA[2 * number % 6 + 1]
    return [
        instruction("ldr.w", even, Address(source, offset, region="input")),
        instruction("sxtb16", odd, Shifted(even, "ror", 8)),
        instruction("sxtb16", even, even),
        instruction("str.w", even, Address(target, place, region="slots")),
        instruction("str.w", odd, Address(target, place + SLOT_BYTES, region="slots")),
    ]


def _looped(name: str, offset: int, place: int, words: int) -> list[Part]:
    """A run of words in a loop: r10 reads, r11 writes, r12 counts."""
    parts: list[Part] = []
    if not words:
        return parts
    start = [instruction("mov", R10, R0), *add_constant(R10, offset, R12)]
    start += [instruction("mov", R11, R1), *add_constant(R11, place, R12)]
    turns, rest = divmod(words, UNROLLED)
    body = [one for word in range(UNROLLED) for one in _moved(word)]
    if turns > 1:
        advance = [
            instruction("add.w", R10, R10, 4 * UNROLLED),
            instruction("add.w", R11, R11, 2 * SLOT_BYTES * UNROLLED),
        ]
        parts.append(straight(start, constant(R12, turns)))
        parts.append(Loop(name, turns, (straight(body, advance),), (instruction("subs", R12, 1),)))
        start = []
    elif turns:
        rest += UNROLLED
    parts.append(straight(start, [one for word in range(rest) for one in _moved(word)]))
    return parts


def _moved(word: int) -> Sequence[Instruction]:
    return _widened(R10, 4 * word, R11, 2 * SLOT_BYTES * word, word)
