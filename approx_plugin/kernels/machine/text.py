"""Functions as text: labels, comments, loops, alignment, widths of branches, unwinding information.

A function is a sequence of items; `layout` closes what depends on their places, and everything else works on its
result: the text, the size, the straight lines that can be scheduled or timed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.registers import Register
from approx_plugin.kernels.machine.unwinding import directives

WIDTH, TAB = 100, 8
"""Columns of a line of text, and of a tabulator."""

COMMENT_COLUMN = 40
"""Where a comment after an instruction begins."""

ALIGNMENT = 16
"""Of a function: a line of flash."""

NARROW_REACH = {True: (-256, 254), False: (-2048, 2046)}
"""Of B with and without a condition in 16 bits, from the instruction's address + 4 (ARMv7-M ARM, A7.7.12)."""


@dataclass(frozen=True)
class Label:
    """A place to branch to."""

    name: str


@dataclass(frozen=True)
class Remark:
    """A comment on a line of its own, about what follows."""

    text: str


@dataclass(frozen=True)
class Align:
    """What follows begins at a multiple of `bytes`, at most `ALIGNMENT`: the start of a hot loop."""

    bytes: int


Item = Union[Instruction, Label, Remark, Align]


def counted_loop(label: str, counter: Register, body: Iterable[Item]) -> list[Item]:
    """`body` as often as the counter says, which ends at 0."""
    return [Label(label), *body, instruction("subs", counter, 1), instruction("bne", label)]


def layout(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items with the widths of branches decided and written out, and NOPs for alignment.

    Without alignments the widths are those that GNU as chooses; padding between a branch and its label may leave it
    wide where a cleverer search would not.

    Raises ValueError for a label that stands twice, and for a conditional branch to one that does not stand here.
    """
    placed = list(items)
    labels = [item.name for item in placed if isinstance(item, Label)]
    if len(set(labels)) < len(labels):
        raise ValueError(f"a label stands twice among {', '.join(labels)}")
    for item in placed:
        if isinstance(item, Instruction) and item.name == "b" and item.condition and item.operands[0] not in labels:
            raise ValueError(f"{item.text}: there is no such label")
    # Branches start narrow and grow: each round sees at least one more that is too short.
    widths = {
        number: "" if item.operands[0] in labels else ".w"
        for number, item in enumerate(placed)
        if isinstance(item, Instruction) and item.name == "b" and not item.width
    }
    while True:
        done = _closed(placed, widths)
        grown = [number for number, width in widths.items() if not width and not _reaches(placed, done, number)]
        if not grown:
            return tuple(item for group in done for item in group)
        widths.update(dict.fromkeys(grown, ".w"))


def _closed(items: Sequence[Item], widths: dict[int, str]) -> list[list[Item]]:
    """Every item as what becomes of it; branches that are not wide are narrow."""
    done: list[list[Item]] = []
    position = 0
    for number, item in enumerate(items):
        group: list[Item] = [item]
        if isinstance(item, Align):
            padding = -position % item.bytes
            group = [*[instruction("nop.w")] * (padding // 4), *[instruction("nop.n")] * (padding % 4 // 2)]
        elif isinstance(item, Instruction) and number in widths:
            group = [instruction(f"{item.name}{item.condition}{widths[number] or '.n'}", *item.operands)]
        done.append(group)
        position += size_of(group)
    return done


def _reaches(items: Sequence[Item], done: Sequence[Sequence[Item]], number: int) -> bool:
    """Whether a narrow branch gets to its label."""
    branch = items[number]
    assert isinstance(branch, Instruction)
    target = next(i for i, item in enumerate(items) if isinstance(item, Label) and item.name == branch.operands[0])
    first, last = sorted((number, target))
    way = sum(size_of(group) for group in done[first:last])
    low, high = NARROW_REACH[bool(branch.condition)]
    return low <= (way if target > number else -way) - 4 <= high


def size_of(items: Iterable[Item]) -> int:
    """Bytes of code; before `layout`, open branches count as wide ones and alignments not at all."""
    return sum(item.size for item in items if isinstance(item, Instruction))


def straight_lines(items: Iterable[Item]) -> list[list[Item]]:
    """The items in runs: a label or an alignment by itself, or what is executed from its first to its last instruction.

    A run ends with a branch at the latest; remarks belong to what stands after them.
    """
    runs: list[list[Item]] = [[]]
    for item in items:
        if isinstance(item, (Label, Align)):
            runs += [[item], []]
            continue
        runs[-1].append(item)
        if isinstance(item, Instruction) and item.branches:
            runs.append([])
    return [run for run in runs if run]


def plain(text: str) -> str:
    """Text for a comment on one line: without what a C preprocessor, which STM32CubeIDE runs over assembly, acts on."""
    return " ".join(text.replace("\\", "/").replace("/*", "/ *").replace("*/", "* /").split())


def folded(text: str, room: int) -> list[str]:
    """A paragraph as lines of at most `room` columns, each indented as the paragraph is; one empty line for none."""
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(plain(text), room, initial_indent=indent, subsequent_indent=indent) or [""]


def remark(text: str, indent: str = "\t") -> list[str]:
    """Lines of a comment."""
    room = WIDTH - TAB * indent.count("\t") - 2
    return [f"{indent}@ {line}".rstrip() for line in folded(text, room)]


def head(legend: Iterable[str]) -> list[str]:
    """The first lines of a file. legend: its comment, a string for each paragraph; "" for an empty line."""
    comment = [line for text in legend for line in remark(text, "")]
    # Unwinding information is for debuggers: .debug_frame is not loaded, .ARM.exidx would take flash.
    return [*comment, "\t.syntax unified", "\t.thumb", "\t.cfi_sections .debug_frame", ""]


def function(name: str, items: Sequence[Item]) -> list[str]:
    """The lines of a global function in a section of its own. items: from `layout`."""
    lines = [
        f'\t.section .text.{name}, "ax", %progbits',
        f"\t.p2align {ALIGNMENT.bit_length() - 1}",
        f"\t.global {name}",
        f"\t.type {name}, %function",
        f"{name}:",
        "\t.cfi_startproc",
    ]
    for item, unwinding in zip(items, directives(items)):
        lines += [*_item_lines(item), *(f"\t{directive}" for directive in unwinding)]
    return [*lines, "\t.cfi_endproc", f"\t.size {name}, . - {name}", ""]


def _item_lines(item: Item) -> list[str]:
    if isinstance(item, Label):
        return [f"{item.name}:"]
    if isinstance(item, Remark):
        return remark(item.text)
    assert isinstance(item, Instruction), "alignment is what layout makes of it"
    if not item.comment:
        return [f"\t{item.text}"]
    return [f"\t{item.text:<{COMMENT_COLUMN - TAB - 1}} @ {plain(item.comment)}"]
