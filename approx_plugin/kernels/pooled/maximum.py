"""The largest value: bytes are compared four at a time by SSUB8, whose flags choose in SEL."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.machine.instruction import instruction
from approx_plugin.kernels.machine.registers import LR, R5, R6, R7, R8, R9
from approx_plugin.kernels.machine.routine import Part, straight
from approx_plugin.kernels.machine.text import Item
from approx_plugin.kernels.pooled.walk import Walk, stored


@dataclass(frozen=True, eq=False)
class Maximum(Walk):
    """Walks with comparisons."""

    def _taps(self) -> list[tuple[int, int]]:
        down, across = self.window.kernel
        return [(row, column) for row in range(down) for column in range(across)]

    @property
    def told(self) -> str:
        """See `Walk.told`."""
        return "SSUB8 compares bytes; SEL takes the larger ones."

    def of_word(self, offset: int, name: str) -> list[Part]:
        """See `Walk.of_word`. Loads of the next values go before the comparisons: three registers take turns."""
        first, *others = self._taps()
        items: list[Item] = [instruction("ldr.w", R5, self.address(*first, offset))]
        for number, tap in enumerate(others):
            value = (R6, R7, R8)[number % 3]
            items.append(instruction("ldr.w", value, self.address(*tap, offset)))
            items += [instruction("ssub8", LR, value, R5), instruction("sel", R5, value, R5)]
        return [straight(items, self.limited(R5, R9, whole=True), [stored(R5, offset, whole=True)])]

    def of_byte(self, offset: int, name: str) -> list[Part]:
        """See `Walk.of_byte`."""
        first, *others = self._taps()
        items: list[Item] = [instruction("ldrsb.w", R5, self.address(*first, offset))]
        for tap in others:
            items += [instruction("ldrsb.w", R6, self.address(*tap, offset)), instruction("cmp", R6, R5)]
            items += [instruction("it", "gt"), instruction("movgt", R5, R6)]
        return [straight(items, self.limited(R5, R9, whole=False), [stored(R5, offset, whole=False)])]
