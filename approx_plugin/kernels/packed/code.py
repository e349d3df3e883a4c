"""The function: inputs are widened once for each row, then group by group of outputs multiplied with the table.

Registers while products are added up: the sums of the pairs' first outputs (256 A + B), then those of the second ones;
a word of inputs; weights; r12 reads inputs, lr the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.cores.core import CoreTiming
from approx_plugin.kernels.machine.idioms import add_constant, constant
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address, Half, Shifted
from approx_plugin.kernels.machine.registers import (
    LR,
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
    R11,
    R12,
    Register,
)
from approx_plugin.kernels.machine.routine import Loop, Part, Routine, straight
from approx_plugin.kernels.machine.text import Item, Remark
from approx_plugin.kernels.packed.groups import Groups
from approx_plugin.kernels.rolled.frame import counted, enter, get, leave, put
from approx_plugin.kernels.rolled.pairs import Numbers
from approx_plugin.kernels.rolled.products import multiplied, taken_apart
from approx_plugin.kernels.rolled.requantise import output_code

(INPUT, OUTPUT, SCRATCH, ROWS, GROUPS, OUT, TABLE, COUNT) = range(0, 32, 4)
FRAME = 32

MOST_PAIRS = 4
"""Of a group: with their sums in eight registers."""

UNROLLED = 4
"""Words of inputs in a turn."""

READER, STREAM = R12, LR


@dataclass(frozen=True, eq=False)
class Code:
    """What decides the function. rows: vectors; table: its symbol."""

    groups: Groups
    numbers: Numbers
    rows: int
    core: CoreTiming
    table: str

    @property
    def scratch(self) -> int:
        """Bytes: the widened inputs of a row."""
        return 4 * self.groups.words

    @property
    def _first(self) -> tuple[Register, ...]:
        return (R0, R1, R2, R3)[: self.groups.pairs]

    @property
    def _second(self) -> tuple[Register, ...]:
        return (R4, R5, R6, R7)[: self.groups.pairs]

    def routine(self, name: str) -> Routine:
        """The function `void name(const int8_t *input, int8_t *output, void *scratch)`."""
        items: list[Item] = [*enter(FRAME)]
        items += [put(R0, INPUT), put(R1, OUTPUT), put(R2, SCRATCH), *constant(R0, self.rows), put(R0, ROWS)]
        body = [*self._widened(), *self._all_groups()]
        if self.rows > 1:
            step: list[Item] = [get(R0, OUTPUT), *add_constant(R0, self.groups.outputs, R1), put(R0, OUTPUT)]
            body.append(straight(step))
            body = [Loop("row", self.rows, tuple(body), counted(ROWS, R0))]
        return Routine(name, (straight(items), *body, straight(leave(FRAME))), self.core)

    def _widened(self) -> list[Part]:
        """r0 reads, r1 writes."""
        items: list[Item] = [Remark("Inputs of a row as pairs of halfwords."), get(R0, INPUT), get(R1, SCRATCH)]
        words, rest = divmod(self.groups.inputs, 4)
        turns, single = divmod(words, 2)
        parts: list[Part] = []
        if turns > 1:
            parts.append(straight(items, constant(R2, turns)))
            body = [
                *_wide(0, R4, R5),
                *_wide(4, R6, R7),
                instruction("add.w", R0, R0, 8),
                instruction("add.w", R1, R1, 16),
            ]
            parts.append(Loop("widen", turns, (straight(body),), (instruction("subs", R2, 1),)))
            items = []
        else:
            single = words
        for word in range(single):
            items += _wide(4 * word, R4, R5)
        if rest:
            # Halves for which there is no input are multiplied by 0, whatever stands there: zeros, for the eye.
            items += [
                *constant(R4, 0),
                *(instruction("str.w", R4, Address(R1, 8 * single + 4 * n, region="inputs")) for n in range(2)),
            ]
        for byte in range(rest):
            items.append(instruction("ldrsb.w", R4, Address(R0, 4 * single + byte)))
            items.append(
                instruction("strh.w", R4, Address(R1, 8 * single + 4 * (byte % 2) + 2 * (byte // 2), region="inputs"))
            )
        items += [*add_constant(R0, 4 * single + rest, R4), put(R0, INPUT)]
        return [*parts, straight(items)]

    def _all_groups(self) -> list[Part]:
        groups = self.groups
        count = len(groups.starts)
        items: list[Item] = [
            Remark("Group by group of outputs."),
            instruction("movw", STREAM, Half(self.table, "lower16")),
            instruction("movt", STREAM, Half(self.table, "upper16")),
        ]
        items += [get(R0, OUTPUT), put(R0, OUT), *constant(R0, count), put(R0, GROUPS)]
        body = [*self._products(), straight(self._outputs())]
        if count == 1:
            return [straight(items), *body]
        step, last = groups.step, groups.starts[-1] - groups.starts[-2]
        moved: list[Item] = [get(R0, OUT), *add_constant(R0, step, R1)]
        if last != step:
            moved += [get(R1, GROUPS), instruction("cmp", R1, 2), instruction("it", "eq")]
            moved += [instruction("subeq.w", R0, R0, step - last)]
        body.append(straight([*moved, put(R0, OUT)]))
        return [straight(items), Loop("group", count, tuple(body), counted(GROUPS, R0))]

    def _products(self) -> list[Part]:
        words = self.groups.words
        start: list[Item] = [get(READER, SCRATCH)]
        sums = (*self._first, *self._second)
        unrolled = UNROLLED if words % UNROLLED == 0 else 2
        turns = words // unrolled
        if turns == 1:
            return [straight(start, self._turn(unrolled, starts=True))]
        start += [instruction("mov.w", register, 0) for register in sums]
        start += [*constant(R8, turns), put(R8, COUNT)]
        loop = Loop("words", turns, (straight(self._turn(unrolled, starts=False)),), counted(COUNT, R8), align=8)
        return [straight(start), loop]

    def _turn(self, words: int, *, starts: bool) -> list[Instruction]:
        """Some words of inputs, with a word of weights for each pair."""
        items: list[Instruction] = []
        pairs = self.groups.pairs
        for word in range(words):
            pixel = (R8, R9)[word % 2]
            items.append(instruction("ldr.w", pixel, Address(READER, 4 * word, region="inputs")))
            for pair, (first, second) in enumerate(zip(self._first, self._second)):
                weight = (R10, R11)[pair % 2]
                at = 4 * (word * pairs + pair)
                items.append(instruction("ldr.w", weight, Address(STREAM, at, region="table")))
                items.append(multiplied(first, pixel, weight, starts and word == 0))
                items.append(instruction("sxtb16", weight, weight))
                items.append(multiplied(second, pixel, weight, starts and word == 0))
        items.append(instruction("add.w", READER, READER, 4 * words))
        items.append(instruction("add.w", STREAM, STREAM, 4 * words * pairs))
        return items

    def _outputs(self) -> list[Item]:
        """Pair by pair: its constants from the table, and two outputs."""
        made, shift = self.numbers.requantisation, self.numbers.shift
        items: list[Item] = [Remark("Outputs of the group."), get(READER, OUT)]

        def take(register: Register) -> Instruction:
            return instruction("ldr", register, Address(STREAM, 4, POST, "table"))

        for offset, a, b in zip(self.groups.offsets, self._first, self._second):
            items += [take(R8), take(R9), *taken_apart(a, b, R8, R9, shift)]
            # Both multipliers, both addends, both signs, both exponents stand side by side.
            count = 2 + (made.signs is not None) + (made.exponent is None)
            outputs = ((a, 0), (b, 1)) if self.groups.outputs > 1 else ((a, 0),)
            for total, number in outputs:
                at = 4 * number
                items.append(instruction("ldr.w", R8, Address(STREAM, at, region="table")))
                items.append(instruction("ldr.w", R9, Address(STREAM, at + 8, region="table")))
                sign = temporary = own = None
                if made.signs is not None:
                    sign, temporary = R10, R11
                    items.append(instruction("ldr.w", R10, Address(STREAM, at + 16, region="table")))
                if made.exponent is None:
                    own = READER
                    where = at + 8 * (count - 1)
                    items.append(instruction("ldr.w", READER, Address(STREAM, where, region="table")))
                items += output_code(total, R8, R9, made, sign, temporary, own)
                if own is not None:
                    items.append(get(READER, OUT))
                items.append(instruction("strb.w", total, Address(READER, offset + number, region="output")))
            items.append(instruction("add.w", STREAM, STREAM, 8 * count))
        return items


def _wide(offset: int, even: Register, odd: Register) -> list[Instruction]:
    """Four inputs as two words."""
    return [
        instruction("ldr.w", even, Address(R0, offset, region="input")),
        instruction("sxtb16", odd, Shifted(even, "ror", 8)),
        instruction("sxtb16", even, even),
        instruction("str.w", even, Address(R1, 2 * offset, region="inputs")),
        instruction("str.w", odd, Address(R1, 2 * offset + 4, region="inputs")),
    ]
