"""Functions as text: what the assemblers make of them, their size, their looks, and what a debugger is told."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_assemblers import clang, code_sections, frame_rules, function_sizes, gnu
from machine_blocks import ANYTHING, any_address, assemble, draw
from machine_run import CODE, Core

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Address, Registers
from approx_plugin.kernels.machine.registers import CORE, LR, PC, R0, R1, R2, R3, R4, R5, SP
from approx_plugin.kernels.machine.text import (
    Align,
    Item,
    Label,
    Remark,
    counted_loop,
    function,
    head,
    layout,
    plain,
    size_of,
    straight_lines,
)
from approx_plugin.kernels.machine.unwinding import directives

PLAIN = tuple(name for name in ANYTHING if name not in ("push", "pop"))
"""What may stand anywhere in a function: the frame stays where it is."""


def any_function(random: Random, count: int, name: str = "") -> list[Item]:
    """Instructions with branches between them, near and far."""
    places = sorted(random.sample(range(count), 4))
    labels = [f".L{place}{name}" for place in places]
    items: list[Item] = []
    for number in range(count):
        items += [Label(label) for label, place in zip(labels, places) if place == number]
        chance = random.random()
        if chance < 0.08:
            items.append(instruction(random.choice(("b", "beq", "blt", "b.w")), random.choice(labels)))
        elif chance < 0.1:
            items.append(Align(random.choice((4, 8, 16))))
        else:
            items.append(draw(random, CORE[:13], any_address, PLAIN))
    return items


def as_asked(item: Item) -> str:
    """The item for an assembler that decides by itself."""
    if isinstance(item, Align):
        return f".p2align {item.bytes.bit_length() - 1}"
    return f"{item.name}:" if isinstance(item, Label) else item.text


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([8, 60, 130, 700]), aligned=st.booleans())
def test_widths_and_places_are_those_that_gnu_as_chooses(seed: int, count: int, aligned: bool) -> None:
    items = [item for item in any_function(Random(seed), count) if aligned or not isinstance(item, Align)]
    done = layout(items)
    with tempfile.TemporaryDirectory() as folder:
        asked, closed = (assemble([as_asked(item) for item in form], Path(folder)) for form in (items, done))
    assert size_of(done) == len(closed)
    # With alignments GNU as may decide otherwise, and fills up with other NOPs.
    assert aligned or closed == asked


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_aligned_begins_at_a_multiple(seed: int) -> None:
    random = Random(seed)
    steps = [random.choice((4, 8, 16)) for _ in range(6)]
    items: list[Item] = []
    for number, step in enumerate(steps):
        items += [*any_function(random, 5, f"_{number}"), Align(step), Label(f".Lat_{number}")]
    position = 0
    places: list[int] = []
    for item in layout(items):
        if isinstance(item, Label) and item.name.startswith(".Lat"):
            places.append(position)
        position += size_of([item])
    assert [place % step for place, step in zip(places, steps)] == [0] * 6


def test_labels_have_to_be_there_once() -> None:
    with pytest.raises(ValueError, match="a label stands twice among x, x"):
        layout([Label("x"), Label("x")])
    with pytest.raises(ValueError, match="beq x: there is no such label"):
        layout([instruction("beq", "x")])
    outside = layout([instruction("b", "elsewhere"), instruction("bl", "helper")])
    assert [item.text for item in outside] == ["b.w elsewhere", "bl helper"]  # type: ignore[union-attr]


def example() -> list[Item]:
    """A function with everything: loops, an aligned start, a way out in the middle, a frame that moves once more."""
    body = [instruction("ldr", R3, Address(R0, 4, "post")), instruction("add", R4, R4, R3)]
    return [
        instruction("push", Registers((R4, R5, LR))),
        instruction("sub", SP, 16),
        instruction("str", R1, Address(SP, 4)),
        Remark("Sums up."),
        instruction("movs", R4, 0),
        instruction("movs", R2, 3),
        Align(8),
        *counted_loop(".Lexample", R2, body),
        instruction("cmp", R4, 0),
        instruction("bne", ".Lgo_on"),
        instruction("add", SP, 16),
        instruction("pop", Registers((R4, R5, PC))),
        Label(".Lgo_on"),
        instruction("push", Registers((R0, R1))),
        instruction("str", R4, Address(SP, 0)).noted("the sum"),
        instruction("pop", Registers((R0, R1))),
        instruction("add", SP, 16),
        instruction("pop", Registers((R4, R5, PC))),
    ]


GOLDEN = """\
@ What it is.
@
@ Who made it.
\t.syntax unified
\t.thumb
\t.cfi_sections .debug_frame

\t.section .text.example, "ax", %progbits
\t.p2align 4
\t.global example
\t.type example, %function
example:
\t.cfi_startproc
\tpush {r4, r5, lr}
\t.cfi_def_cfa_offset 12
\t.cfi_offset r4, -12
\t.cfi_offset r5, -8
\t.cfi_offset lr, -4
\tsub sp, #16
\t.cfi_def_cfa_offset 28
\tstr r1, [sp, #4]
\t@ Sums up.
\tmovs r4, #0
\tmovs r2, #3
\tnop.w
\tnop.n
.Lexample:
\tldr r3, [r0], #4
\tadd r4, r4, r3
\tsubs r2, #1
\tbne.n .Lexample
\tcmp r4, #0
\tbne.n .Lgo_on
\t.cfi_remember_state
\tadd sp, #16
\t.cfi_def_cfa_offset 12
\tpop {r4, r5, pc}
\t.cfi_restore_state
.Lgo_on:
\tpush {r0, r1}
\t.cfi_def_cfa_offset 36
\tstr r4, [sp, #0]                @ the sum
\tpop {r0, r1}
\t.cfi_def_cfa_offset 28
\tadd sp, #16
\t.cfi_def_cfa_offset 12
\tpop {r4, r5, pc}
\t.cfi_endproc
\t.size example, . - example
"""


def test_a_function_reads_like_this() -> None:
    assert "\n".join([*head(["What it is.", "", "Who made it."]), *function("example", layout(example()))]) == GOLDEN


def test_both_assemblers_make_the_same_of_it(tmp_path: Path) -> None:
    size = size_of(layout(example()))
    for core in ("cortex-m4", "cortex-m33", "cortex-m7"):
        one = gnu(GOLDEN, tmp_path, core)
        assert function_sizes(one) == {"example": size}
        other = clang(GOLDEN, tmp_path, core)
        assert code_sections(one) == code_sections(other)
        assert function_sizes(other) == {"example": size}


def rules_at(rows: list[dict], pc: int) -> dict:
    return [row for row in rows if row["pc"] <= pc][-1]


@pytest.mark.parametrize("sums_to", [0, 6])
def test_a_debugger_finds_the_caller_at_every_instruction(sums_to: int, tmp_path: Path) -> None:
    elf = gnu(GOLDEN, tmp_path, "cortex-m4")
    code, (rows,) = code_sections(elf)[".text.example"], frame_rules(elf)
    core = Core(7)
    core.machine.mem_write(core.get("r0"), (b"\0" * 4 if sums_to == 0 else b"\2\0\0\0") * 3)
    core.set("lr", CODE + 0x8000 | 1)
    entry = {name: core.get(name) for name in ("r4", "r5", "lr", "sp")}
    core.machine.mem_write(CODE, code)
    visited: list[int] = []

    def check(machine: object, address: int, size: int, data: object) -> None:
        visited.append(address - CODE)
        rule = rules_at(rows, address - CODE)
        frame = core.get("sp") + rule["cfa"].offset
        assert frame == entry["sp"]
        for number, name in ((4, "r4"), (5, "r5"), (14, "lr")):
            if number in rule:
                saved = core.machine.mem_read(frame + rule[number].arg, 4)
                assert int.from_bytes(saved, "little") == entry[name]
            else:
                assert core.get(name) == entry[name]

    import unicorn

    core.machine.hook_add(unicorn.UC_HOOK_CODE, check)
    core.machine.emu_start(CODE | 1, CODE + 0x8000)
    assert len(visited) > 20 and core.get("sp") == entry["sp"]


def test_a_frame_that_only_running_would_show_is_refused() -> None:
    with pytest.raises(ValueError, match="where the frame begins cannot be told"):
        directives([instruction("sub", SP, SP, R2)])


def test_comments_fit_the_page_and_survive_a_preprocessor(tmp_path: Path) -> None:
    text = 'the user\'s "layer" \\ of ' + "many words " * 30
    lines = [*head([text]), *function("f", layout([Remark(text), instruction("bx", LR)]))]
    assert max(len(line.expandtabs(8)) for line in lines) <= 100
    assert plain("a  'b'\n/*c*/\\") == "a 'b' / *c* //"
    gnu("\n".join(lines) + "\n", tmp_path, "cortex-m4")


def test_straight_lines_end_where_execution_may_go_elsewhere() -> None:
    runs = straight_lines(example())
    texts = [[item.text if isinstance(item, Instruction) else type(item).__name__ for item in run] for run in runs]
    assert [run[0] for run in texts] == [
        "push {r4, r5, lr}", "Align", "Label", "ldr r3, [r0], #4", "cmp r4, #0", "add sp, #16", "Label",
        "push {r0, r1}",
    ]  # fmt: skip
    assert [run[-1] for run in texts if len(run) > 1] == [
        "movs r2, #3", "bne .Lexample", "bne .Lgo_on", "pop {r4, r5, pc}", "pop {r4, r5, pc}",
    ]  # fmt: skip
