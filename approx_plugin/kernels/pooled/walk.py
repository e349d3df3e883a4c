"""The loops: row by row of outputs, pixel by pixel, channels in words, what is left of them byte by byte.

r0 stands at the window's first value, r1 at the output. Where an offset does not reach a window's further rows, r2 to
r4 stand there. r5 to r9 and lr are free; r10 counts rows, r11 pixels, r12 words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address
from approx_plugin.kernels.machine.registers import LR, R0, R1, R2, R3, R4, R5, R10, R11, R12, Register
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.pooled.window import WORD, PoolWindow
from approx_plugin.kernels.rolled.frame import enter, get, leave, put
from approx_plugin.kernels.rolled.rows import PaddedRows

REACH = 4095
"""Of an offset."""

MOST_WORDS = 4
"""That are computed in one straight line."""

BASES = (R0, R2, R3, R4)
"""What stands at a window's rows where they are far."""

FRAME = 24
(INPUT, OUTPUT, SCRATCH, ROW, ROWS) = range(0, 20, 4)


@dataclass(frozen=True, eq=False)
class Walk(ABC):
    """fill: what stands in the padding. low, high: the activation's limits."""

    window: PoolWindow
    low: int
    high: int
    fill: int
    core: CoreTiming

    @abstractmethod
    def of_word(self, offset: int, name: str) -> Sequence[Part]:
        """Four channels, `offset` bytes on: from the input to the output. name: for labels."""

    @abstractmethod
    def of_byte(self, offset: int, name: str) -> Sequence[Part]:
        """One channel."""

    @property
    @abstractmethod
    def told(self) -> str:
        """What it does, for the head of the file."""

    def constants(self) -> Sequence[Item]:
        """What is loaded once."""
        return ()

    @property
    def is_far(self) -> bool:
        """Whether further rows have pointers of their own."""
        down, across = self.window.kernel
        return (down - 1) * self.window.pitch + across * self.window.channels + WORD * MOST_WORDS > REACH

    @property
    def obstacle(self) -> str | None:
        """Why there is no code for it."""
        down, across = self.window.kernel
        if self.is_far and (down > len(BASES) or across * self.window.channels + WORD * MOST_WORDS > REACH):
            return "its window spans more than an offset reaches"
        return None

    def address(self, row: int, column: int, offset: int) -> Address:
        """Of a value under the window."""
        base, at = (BASES[row], 0) if self.is_far else (R0, row * self.window.pitch)
        region = "rows" if self.window.is_copied else "input"
        return Address(base, at + column * self.window.channels + offset, region=region)

    @property
    def _bases(self) -> tuple[Register, ...]:
        return BASES[: self.window.kernel[0]] if self.is_far else BASES[:1]

    @property
    def scratch(self) -> int:
        """Bytes of copied rows."""
        return -(-self.window.kernel[0] * self.window.pitch // 16) * 16 if self.window.is_copied else 0

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`; scratch for padding only."""
        window = self.window
        start: list[Item] = [*enter(FRAME), put(R0, INPUT), put(R1, OUTPUT)]
        if window.is_copied:
            start += [put(R2, SCRATCH), *constant(R5, 0), put(R5, ROW)]
        start += [*constant(R5, window.out_height), put(R5, ROWS)]
        parts: list[Part] = [straight(start)]
        parts += self._padded.emptied(self.scratch) if window.is_copied else []
        row = [
            *(self._copied() if window.is_copied else [straight([get(R0, INPUT), get(R1, OUTPUT)])]),
            *self._pixels(),
        ]
        if window.out_height > 1:
            row.append(straight(self._next_row()))
            close = (get(R10, ROWS), instruction("subs", R10, 1), put(R10, ROWS))
            parts.append(Loop("outputs", window.out_height, tuple(row), close))
        else:
            parts += row
        parts.append(straight(leave(FRAME)))
        return Routine(name, tuple(parts), self.core)

    @property
    def _padded(self) -> PaddedRows:
        window = self.window
        down = window.kernel[0]
        inside = sum(
            0 <= row * window.stride[0] - window.padding.top + tap < window.height
            for row in range(window.out_height)
            for tap in range(down)
        )
        return PaddedRows(
            height=window.height,
            width=window.width * window.channels,
            rows=down,
            step=window.stride[0],
            above=window.padding.top,
            left=window.left_bytes,
            count=window.copied_bytes,
            pitch=window.pitch,
            inside=inside / (window.out_height * down),
            zero_point=self.fill,
            input=INPUT,
            row=ROW,
            buffer=SCRATCH,
        )

    def _copied(self) -> list[Part]:
        window = self.window
        items: list[Item] = [get(R0, SCRATCH), *add_constant(R0, window.first_byte, R5), get(R1, OUTPUT)]
        return [*self._padded.copied(), straight(items)]

    def _next_row(self) -> list[Item]:
        window = self.window
        if window.is_copied:
            return [get(R5, ROW), instruction("add", R5, 1), put(R5, ROW), put(R1, OUTPUT)]
        step = window.stride[0] * window.pitch
        return [get(R5, INPUT), *add_constant(R5, step, LR), put(R5, INPUT), put(R1, OUTPUT)]

    def _pixels(self) -> list[Part]:
        """A row of outputs."""
        window = self.window
        items: list[Item] = [Remark("A row of outputs."), *self.constants()]
        for row, base in enumerate(self._bases[1:], 1):
            items += [instruction("mov", base, R0), *add_constant(base, row * window.pitch, R5)]
        pixel = self._channels()
        if window.out_width == 1:
            return [straight(items), *pixel]
        items += constant(R11, window.out_width)
        return [straight(items), Loop("pixel", window.out_width, tuple(pixel), (instruction("subs", R11, 1),))]

    def _channels(self) -> list[Part]:
        """All channels of a window; pointers go on to the next one."""
        words, rest = divmod(self.window.channels, WORD)
        at_once = min(words, MOST_WORDS)
        turns, single = divmod(words, at_once) if at_once else (0, 0)
        parts: list[Part] = []
        walked = 0
        if turns > 1:
            moved = [instruction("add", base, WORD * at_once) for base in (*self._bases, R1)]
            body = [one for word in range(at_once) for one in self.of_word(WORD * word, f"turn_{word}")]
            close = (instruction("subs", R12, 1),)
            parts += [straight(constant(R12, turns)), Loop("words", turns, (*body, straight(moved)), close, align=8)]
            walked = turns * at_once
        else:
            single = words
        parts += [one for word in range(single) for one in self.of_word(WORD * word, f"word_{word}")]
        for channel in range(rest):
            parts += self.of_byte(WORD * single + channel, f"byte_{channel}")
        end = add_constant(R1, WORD * single + rest, R5)
        for base in self._bases:
            end += add_constant(base, self.window.step - WORD * walked, R5)
        return [*parts, straight(end)]

    def limited(self, register: Register, free: Register, *, whole: bool) -> list[Instruction]:
        """Within the activation's limits: four bytes of a word, or one value."""
        items: list[Instruction] = []
        for limit, is_low in ((self.low, True), (self.high, False)):
            if limit == (-128 if is_low else 127):
                continue
            if whole:
                items += constant(free, (limit & 0xFF) * 0x01010101)
                pair = (register, free) if is_low else (free, register)
                # GE where the first one is at least the second: the larger one is kept, or the smaller one.
                items += [instruction("ssub8", LR, *pair), instruction("sel", register, register, free)]
            else:
                items += [*constant(free, limit), instruction("cmp", register, free)]
                condition = "lt" if is_low else "gt"
                items += [instruction("it", condition), instruction(f"mov{condition}", register, free)]
        return items


def stored(register: Register, offset: int, *, whole: bool) -> Instruction:
    """To the output."""
    return instruction("str.w" if whole else "strb.w", register, Address(R1, offset, region="output"))
