"""Tables of constants as assembly data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.machine.text import remark
from approx_plugin.kernels.needs import FLASH, RAM

WORDS_A_LINE = 8
ALIGNMENT = 32
"""Of a table: a line of any cache."""

SECTIONS = {FLASH: ('.section .rodata.{name}, "a", %progbits'), RAM: '.section .data.{name}, "aw", %progbits'}


@dataclass(frozen=True, eq=False)
class Table:
    """name: the symbol. words: uint32 [n], or int64 of which the lower 32 bits count. legend: what stands where.

    memory: FLASH, or RAM: then the start-up code copies it there, and it takes its bytes in both.
    """

    name: str
    words: npt.NDArray[np.uint32]
    legend: Sequence[str]
    memory: str = FLASH

    @property
    def size(self) -> int:
        """Bytes."""
        return 4 * len(self.words)

    @property
    def text(self) -> str:
        """For an assembler; ends with an empty line."""
        lines = [line for paragraph in self.legend for line in remark(paragraph)]
        lines += [
            f"\t{SECTIONS[self.memory].format(name=self.name)}",
            f"\t.p2align {ALIGNMENT.bit_length() - 1}",
            f"\t.type {self.name}, %object",
            f"{self.name}:",
        ]
        values = [f"{word:#010x}" for word in self.words.astype(np.uint32).tolist()]
        for first in range(0, len(values), WORDS_A_LINE):
            lines.append("\t.word " + ", ".join(values[first : first + WORDS_A_LINE]))
        return "\n".join([*lines, f"\t.size {self.name}, . - {self.name}", "", ""])


def words_of(values: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Integers of either sign as 32-bit words, modulo 2**32."""
    return (np.asarray(values, np.int64).reshape(-1) & 0xFFFFFFFF).astype(np.uint32)


def pairs_of(low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Words of two halfwords each: int16 values low and high, of equal shapes."""
    lower, upper = np.asarray(low, np.int64).reshape(-1), np.asarray(high, np.int64).reshape(-1)
    return words_of((lower & 0xFFFF) | (upper & 0xFFFF) << 16)
