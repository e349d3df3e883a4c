"""The mean: halfwords are added up, two channels a word, and multiplied with a fraction of two to the 30th.

A factor that is a little larger than the quotient rounds halves away from zero on both sides of it, as the definition
does: it was compared with that for every sum there can be.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Shifted
from approx_plugin.kernels.machine.registers import LR, R0, R2, R3, R4, R5, R6, R7, R8, R9, Register
from approx_plugin.kernels.machine.routine import Loop, Part, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.pooled.walk import REACH, Walk, stored

MOST_TAPS = 256
"""Of -128 each, the sum of which is still an int16."""

SHIFT = 30
"""Of the factor. SMLAW takes 16 of them away, ASR the rest."""

AT_ONCE = 8
"""Values that are added up in one straight line, where there are more than `UNROLLED`."""

UNROLLED = 16

MOST_CHANNELS = 4000
"""An offset has to reach a channel's output."""

FACTOR, HALF = R3, R4


@functools.lru_cache(maxsize=64)
def factor_of(taps: int) -> int:
    """The factor for windows of so many values; 0 where it is not exact."""
    if not 0 < taps <= MOST_TAPS:
        return 0
    factor = (1 << SHIFT) // taps + 1
    sums = np.arange(-128 * taps, 127 * taps + 1, dtype=np.int64)
    wanted = np.sign(sums) * ((np.abs(sums) + taps // 2) // taps)
    made = ((sums * factor >> 16) + (1 << (SHIFT - 17))) >> (SHIFT - 16)
    return factor if (made == wanted).all() else 0


@dataclass(frozen=True, eq=False)
class Average(Walk):
    """Walks with sums. r2 goes along a window's values where they are added up in loops; r9 and lr count."""

    factor: int

    is_far: ClassVar[bool] = False

    @property
    def obstacle(self) -> str | None:
        """See `Walk.obstacle`."""
        if self.window.is_copied:
            return "values in the padding do not count"
        if not self.factor:
            return "its windows are too large"
        if self.window.channels > MOST_CHANNELS:
            return "it has too many channels"
        return None

    @property
    def told(self) -> str:
        """See `Walk.told`."""
        return (
            f"SXTAB16 adds values up, two channels in a word. r3 holds 2**{SHIFT} divided by {self.window.taps}, with "
            "which SMLAW multiplies sums, r4 the half that rounds."
        )

    def constants(self) -> list[Item]:
        """See `Walk.constants`."""
        return [*constant(FACTOR, self.factor), *constant(HALF, 1 << (SHIFT - 17))]

    def of_word(self, offset: int, name: str) -> list[Part]:
        """See `Walk.of_word`."""

        def added(address: Address, value: Register) -> list[Instruction]:
            return [
                instruction("ldr.w", value, address),
                instruction("sxtab16", R5, R5, value),
                instruction("sxtab16", R6, R6, Shifted(value, "ror", 8)),
            ]

        clear = [instruction("mov.w", R5, 0), instruction("mov.w", R6, 0)]
        means = [
            instruction("smlawb", R7, FACTOR, R5, HALF),
            instruction("smlawb", R8, FACTOR, R6, HALF),
            instruction("smlawt", R5, FACTOR, R5, HALF),
            instruction("smlawt", R6, FACTOR, R6, HALF),
        ]
        for channel, mean in enumerate((R7, R8, R5, R6)):
            means += self._stored(mean, offset + channel)
        return [straight(clear), *self._sums(offset, name, added), straight(means)]

    def of_byte(self, offset: int, name: str) -> list[Part]:
        """See `Walk.of_byte`."""

        def added(address: Address, value: Register) -> list[Instruction]:
            return [instruction("ldrsb.w", value, address), instruction("add.w", R5, R5, value)]

        mean = [instruction("smlawb", R5, FACTOR, R5, HALF), *self._stored(R5, offset)]
        return [straight([instruction("mov.w", R5, 0)]), *self._sums(offset, name, added), straight(mean)]

    def _stored(self, mean: Register, offset: int) -> list[Instruction]:
        items = [instruction("asr", mean, mean, SHIFT - 16), *self.limited(mean, R9, whole=False)]
        return [*items, stored(mean, offset, whole=False)]

    def _sums(self, offset: int, name: str, added: Callable[[Address, Register], list[Instruction]]) -> list[Part]:
        """All values under the window, one after the other."""
        window = self.window
        down, across = window.kernel
        values = (R7, R8)
        if window.taps <= UNROLLED and (down - 1) * window.pitch + across * window.channels + offset <= REACH:
            places = [(row, column) for row in range(down) for column in range(across)]
            taps = [added(self.address(*place, offset), values[n % 2]) for n, place in enumerate(places)]
            return [straight([one for tap in taps for one in tap])]

        def chunk(count: int) -> list[Instruction]:
            addresses = [Address(R2, number * window.channels, region="input") for number in range(count)]
            taps = [added(address, values[number % 2]) for number, address in enumerate(addresses)]
            return [one for tap in taps for one in tap] + add_constant(R2, count * window.channels, R8)

        at_once = max(1, min(AT_ONCE, REACH // window.channels))
        turns, rest = divmod(across, at_once)
        row: list[Part] = []
        if turns:
            row += [straight(constant(LR, turns))]
            row += [Loop(f"{name}_taps", turns, (straight(chunk(at_once)),), (instruction("subs", LR, 1),))]
        if rest:
            row.append(straight(chunk(rest)))
        start: list[Item] = [Remark("All values under the window."), instruction("mov", R2, R0)]
        start += add_constant(R2, offset, R8)
        if down == 1:
            return [straight(start), *row]
        row.append(straight(add_constant(R2, window.pitch - across * window.channels, R8)))
        loop = Loop(f"{name}_rows", down, tuple(row), (instruction("subs", R9, 1),))
        return [straight(start, constant(R9, down)), loop]
