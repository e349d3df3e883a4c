"""Rows of a map, copied with the padding around them: windows then lie side by side, whatever the border."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address
from approx_plugin.kernels.machine.registers import R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, Register
from approx_plugin.kernels.machine.routine import Loop, Part, Sometimes, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.rolled.frame import get


@dataclass(frozen=True)
class PaddedRows:
    """What is copied at a time. All but counts of rows are bytes.

    height: rows of the map; width: of one of them. rows: that are copied; step: rows of the map from one of the units
    that `row` counts to the next; above: rows of padding. left: where a row begins in the buffer; count: of a row that
    are copied; pitch: from one row of the buffer to the next. inside: of the copied rows, the share that the map has.
    zero_point: of the map. input, row, buffer: places in the frame of the map's address, the first unit, the buffer's
    address.
    """

    height: int
    width: int
    rows: int
    step: int
    above: int
    left: int
    count: int
    pitch: int
    inside: float
    zero_point: int
    input: int
    row: int
    buffer: int

    def emptied(self, size: int) -> list[Part]:
        """The whole buffer becomes zero points: what is copied later leaves the columns beside it alone."""
        start: list[Item] = [Remark("Zero points into the row buffer."), get(R1, self.buffer)]
        return [straight(start, constant(R4, self._fill)), *filled(R4, R1, size, "padding", R3)]

    def copied(self) -> list[Part]:
        """r0 reads, r1 writes, r8 is the row's number, r9 the height, r10 counts rows, r11 holds zero points."""
        start: list[Item] = [Remark("Rows of the input into the row buffer.")]
        start += [get(R8, self.row), get(R0, self.input), get(R1, self.buffer), *constant(R2, self.step)]
        start += [instruction("mul", R8, R8, R2), *add_constant(R8, -self.above, R2)]
        start += [*constant(R2, self.width), instruction("mla", R0, R8, R2, R0)]
        start += [*add_constant(R1, self.left, R2), *constant(R9, self.height)]
        start += [*constant(R10, self.rows), *constant(R11, self._fill)]
        copy = (*copied(R0, R1, self.count, "copy", R3), straight(add_constant(R0, self.width - self.count, R2)))
        fill = (*filled(R11, R1, self.count, "fill", R3), straight(add_constant(R0, self.width, R2)))
        body: list[Part] = [
            straight([instruction("cmp", R8, R9)]),
            Sometimes("outside", "hs", self.inside, copy),
            straight([instruction("cmp", R8, R9)]),
            Sometimes("inside", "lo", 1.0 - self.inside, fill),
            straight(add_constant(R1, self.pitch - self.count, R2), [instruction("add", R8, 1)]),
        ]
        return [straight(start), Loop("row", self.rows, tuple(body), (instruction("subs", R10, 1),))]

    @property
    def _fill(self) -> int:
        return (self.zero_point & 0xFF) * 0x01010101


def copied(source: Register, target: Register, count: int, name: str, counter: Register) -> list[Part]:
    """`count` bytes from one place to another; both registers move on. r4 to r7 are overwritten.

    Words may lie anywhere: single loads and stores take unaligned addresses, which multiples do not.
    """
    parts: list[Part] = []
    data = (R4, R5, R6, R7)

    def words(number: int) -> list[Instruction]:
        loads = [instruction("ldr", r, Address(source, 4, POST, "input")) for r in data[:number]]
        return loads + [instruction("str", r, Address(target, 4, POST, "rows")) for r in data[:number]]

    turns, rest = divmod(count, 16)
    if turns:
        parts.append(straight(constant(counter, turns)))
        parts.append(Loop(name, turns, (straight(words(4)),), (instruction("subs", counter, 1),)))
    items = words(rest // 4)
    for _ in range(rest % 4):
        items.append(instruction("ldrsb", R4, Address(source, 1, POST, "input")))
        items.append(instruction("strb", R4, Address(target, 1, POST, "rows")))
    if items:
        parts.append(straight(items))
    return parts


def filled(value: Register, target: Register, count: int, name: str, counter: Register) -> list[Part]:
    """`count` bytes become the bytes of a register; the target moves on."""
    parts: list[Part] = []
    turns, rest = divmod(count, 16)
    word = instruction("str", value, Address(target, 4, POST, "rows"))
    if turns:
        parts.append(straight(constant(counter, turns)))
        parts.append(Loop(name, turns, (straight([word] * 4),), (instruction("subs", counter, 1),)))
    items = [word] * (rest // 4) + [instruction("strb", value, Address(target, 1, POST, "rows"))] * (rest % 4)
    if items:
        parts.append(straight(items))
    return parts
