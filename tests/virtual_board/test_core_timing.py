"""Snippets of known cost on each core, counted by hand from the public tables and measurements that cores/*.yaml names.

A snippet stands in a row of copies; the cost of one is the difference between 30 and 10 of them, divided by 20.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.cores.core import load_core
from approx_plugin.errors import BoardError
from approx_plugin.virtual_board.results import Simulation
from approx_plugin.virtual_board.simulation import simulate

FEW, MANY = 10, 30

M4 = (
    # Cortex-M4 TRM r0p1, table 3-1.
    ("add r0, r1, r2", 1),
    ("add.w r0, r1, r2, lsl #3", 1),
    ("smlad r0, r1, r2, r0", 1),
    ("smull r0, r1, r2, r3", 1),
    ("mla r0, r1, r2, r3", 1),
    ("movw r0, #1234\n movt r0, #5678", 2),
    # A load is two cycles, and one behind another load.
    ("ldr r0, [r4]\n add r1, r2, r3", 3),
    ("ldr r0, [r4]\n ldr r1, [r4, #4]\n add r2, r3, r3", 4),
    ("ldr r0, [r4]\n ldr r1, [r4, #4]\n ldr r2, [r5]\n add r2, r3, r3", 5),
    ("ldr r4, [r4]", 2),
    ("ldr.w r0, [r4], #0", 2),
    # No forwarding from a data-processing instruction into an address: one cycle.
    ("add r4, r4, #0\n ldr r0, [r4]", 4),
    ("add r0, r4, #0\n ldr r1, [r4]", 3),
    # Stores (measured): one cycle with an immediate offset, two with a register; a load behind one costs one more.
    ("str r0, [r4]", 1),
    ("str r0, [r4, r3]", 2),
    ("ldr r0, [r4]\n str r0, [r5]\n add r1, r2, r3", 3),
    ("str r0, [r4]\n ldr r1, [r5]\n add r2, r3, r3", 5),
    # Code memory (r10) and SRAM (r4) do not hide each other's second cycle (measured).
    ("ldr r0, [r10]\n ldr r1, [r10, #4]\n add r2, r3, r3", 4),
    ("ldr r0, [r10]\n ldr r1, [r4]\n add r2, r3, r3", 5),
    ("ldr r0, [r10]\n str r1, [r4]\n add r2, r3, r3", 4),
    # Pairs and multiples: 1 + words.
    ("ldrd r0, r1, [r4]", 3),
    ("strd r0, r1, [r4]", 3),
    ("ldm r4, {r0, r1, r2, r3}", 5),
    ("push {r0, r1, r2}\n pop {r0, r1, r2}", 8),
    ("ldr r0, [r4]\n ldm r5, {r1, r2}", 5),
    # Branches: 1 not taken, 1 + 2 taken, one more to a wide instruction that is not aligned.
    ("cmp.w r3, #1\n beq.w 1f\n 1:", 2),
    ("b.w 1f\n nop.w\n 1:", 3),
    (".balign 4\n b.w 1f\n nop.n\n 1: add.w r0, r0, r1\n nop.n", 6),
    ("bl return", 6),
    # IT folds into a narrow instruction before it, and costs a cycle behind a wide one.
    ("cmp.n r3, #1\n it eq\n moveq.n r0, r1", 2),
    ("cmp.w r3, #1\n it eq\n moveq.n r0, r1", 3),
    ("cmp.n r3, #1\n ite eq\n ldreq.n r0, [r4]\n movne.n r0, r1", 3),
    # Early termination of a division; r3 is 0, r6 is -1, r7 is 1.
    ("udiv r0, r3, r7", 2),
    ("udiv r0, r6, r7", 12),
    ("sdiv r0, r6, r6", 3),
    # Not aligned: one or two more bus transfers.
    ("ldr.w r0, [r4, #2]\n add r1, r2, r3", 4),
    ("ldr.w r0, [r4, #1]\n add r1, r2, r3", 5),
    ("ldrh.w r0, [r4, #1]\n add r1, r2, r3", 4),
)

M33 = (
    # Two arithmetic instructions never share a cycle, narrow or not.
    ("adds.n r0, r1\n adds.n r2, r1", 2),
    ("add.w r0, r1, r2", 1),
    # Result latency of two cycles: shifted operands, multiplications, extend-and-add, loads.
    ("add.w r0, r1, r0, lsl #1", 2),
    ("mul.w r0, r1, r2\n add r3, r0, r1", 3),
    ("sxtab16 r0, r1, r2\n add r3, r0, r1", 3),
    ("ldr r0, [r4]\n add r1, r0, r2", 3),
    ("ldr r0, [r4]\n ldr r1, [r5]\n add r2, r0, r3", 3),
    ("ldr r4, [r4]", 2),
    # Accumulation chains in one cycle, and takes a loaded value after one.
    ("smlad r0, r1, r2, r0", 1),
    ("ldr r0, [r4]\n smlad r1, r2, r3, r0", 2),
    # A store takes a loaded value after one cycle.
    ("ldr r0, [r4]\n str r0, [r5]", 2),
    ("muls.n r0, r1, r0", 2),
    ("ldrd r0, r1, [r4]", 2),
    ("ldm r4, {r0, r1, r2, r3}", 4),
    ("push {r0, r1, r2}", 3),
    # A narrow branch shares the cycle of a narrow instruction before it.
    ("adds.n r0, r1\n beq.n 1f\n 1:", 1),
    ("adds.w r0, r0, r1\n beq.n 1f\n 1:", 2),
    ("adds.n r0, r1\n beq.w 1f\n 1:", 2),
    ("adds.n r0, r1\n it eq\n moveq.n r2, r1", 2),
    # Taken: one cycle behind an instruction that sets no flags, two behind one that does.
    ("mov.n r8, r1\n b.n 1f\n nop.n\n 1:", 2),
    ("cmp.n r3, #0\n beq.n 1f\n nop.n\n 1:", 3),
    ("cmp.w r3, #0\n beq.n 1f\n nop.n\n 1:", 3),
)

M7 = (
    ("add.w r0, r1, r2\n add.w r3, r1, r2", 1),
    ("movw r0, #1234\n movt r0, #5678", 1),
    # One shifter and one bit-field unit.
    ("add.w r0, r1, r2, lsl #1\n add.w r3, r1, r2, lsl #1", 2),
    ("uxtb.w r0, r1\n uxtb.w r3, r2", 2),
    ("add.w r0, r1, r2, lsl #1\n eor.w r3, r1, r2", 1),
    # One multiplier, with a result a cycle later; accumulation chains.
    ("smlad r0, r1, r2, r0", 1),
    ("smlad r0, r1, r2, r0\n add.w r3, r1, r2", 1),
    ("mul.w r0, r1, r0", 2),
    # Two loads share a cycle if they hit different banks; never two stores.
    ("ldr.w r0, [r4]\n ldr.w r1, [r4, #4]", 1),
    ("ldr.w r0, [r4]\n ldr.w r1, [r4, #8]", 2),
    ("str.w r0, [r4]\n str.w r1, [r4, #4]", 2),
    ("ldr.w r0, [r4]\n str.w r1, [r4, #8]", 1),
    ("ldr.w r4, [r4]", 2),
    # A loaded word is there for the late ALU of the next cycle, a byte one cycle later.
    ("ldr.w r0, [r4, r0]\n eor.w r0, r0, r0", 3),
    ("ldrb.w r0, [r4, r0]\n eor.w r0, r0, r0", 4),
    ("ldm r4, {r0, r1, r2, r3}", 2),
    ("ldm r4, {r0, r1, r2}", 2),
    # A branch that is always taken is predicted after a while, and the predictor starts with "not taken" forward.
    ("cmp.w r3, #1\n beq.w 1f\n 1:", 1),
)


FUNCTION = """
    .balign 16
    .type {name}, %function
    .thumb_func
{name}:
    push {{r4-r11, lr}}
    ldr r4, =words
    add r5, r4, #16
    mov r8, r1
    mov r10, pc
    bic r10, #3
    mov.w r3, #0
    mov.w r6, #-1
    mov.w r7, #1
    mov.w r0, #0
    mov.w r1, #0
    sub sp, #1024
    .balign 8
    isb
{body}
    isb
    ldr.w r12, =words
    ldr r12, [r12, #64]
    mov sp, r12
    pop {{r4-r11, pc}}
    .pool
    .size {name}, . - {name}
"""
"""A snippet may change every register, sp too: what it needs afterwards lies behind `words`."""

CALL = """
    mov r12, sp
    sub r12, #36
    ldr r0, =words
    str r12, [r0, #64]
    bl {name}
    b 1f
    .pool
1:
"""

PROGRAM = """
    .syntax unified
    .thumb
    .text
{functions}
    .global main
    .type main, %function
    .thumb_func
main:
    push {{r4, lr}}
{main}
    pop {{r4, pc}}
    .thumb_func
return: bx lr
    .global board_exit
    .type board_exit, %function
    .thumb_func
board_exit: b .
    .data
    .balign 16
words:
    .rept 32
    .word words
    .endr
"""
"""Every word points to itself, so that a load through itself goes on for ever."""


def program(snippets: Sequence[str]) -> str:
    """Assembly with two functions a snippet, and a `main` that calls all of them."""
    functions, main = [], []
    for index, snippet in enumerate(snippets):
        for count in (FEW, MANY):
            name = f"snippet_{index}_{count}"
            functions.append(FUNCTION.format(name=name, body="\n".join([f"    {snippet}"] * count)))
            main.append(CALL.format(name=name))
    return PROGRAM.format(functions="".join(functions), main="".join(main))


@pytest.mark.parametrize(("core", "table"), [("cortex-m4", M4), ("cortex-m33", M33), ("cortex-m7", M7)])
def test_snippets_cost_what_was_counted_by_hand(
    core: str, table: Sequence[tuple[str, int]], board_of: Callable[[str], Board], build: Callable[..., Path]
) -> None:
    board = board_of(core)
    elf = build(board, assembly=program([snippet for snippet, _ in table]))
    names = [f"snippet_{index}_{count}" for index in range(len(table)) for count in (FEW, MANY)]
    cost = {layer.name: layer for layer in simulate(elf, board, layers=names).layers}
    assert all(layer.calls == 1 for layer in cost.values())
    wrong = []
    for index, (snippet, expected) in enumerate(table):
        few, many = (cost[f"snippet_{index}_{count}"].cost.ideal.cycles for count in (FEW, MANY))
        found = (many - few) / (MANY - FEW)
        if found != expected:
            wrong.append(f"{snippet!r}: {found} cycles, counted {expected}")
    assert not wrong, "\n".join(wrong)


def run(build: Callable[..., Path], board: Board, body: str) -> Simulation:
    elf = build(board, assembly=PROGRAM.format(functions="", main=body))
    return simulate(elf, board, layers=["main"])


def test_the_predictor_of_the_m7_learns_a_loop(board_of: Callable[[str], Board], build: Callable[..., Path]) -> None:
    board = board_of("cortex-m7")
    body = "    mov r0, #{turns}\n2:  subs.w r0, r0, #1\n    bne.w 2b"
    few, many = (run(build, board, body.format(turns=turns)).layers[0].cost.ideal for turns in (100, 200))
    # One cycle a turn, and the one wrong prediction at the end costs the same in both.
    assert many.cycles - few.cycles == 100
    assert many.stalls.branch == few.stalls.branch > 0


def test_the_predictor_of_the_m7_pays_for_an_alternating_branch(
    board_of: Callable[[str], Board], build: Callable[..., Path]
) -> None:
    board = board_of("cortex-m7")
    body = "    mov r0, #100\n2:  tst.w r0, #1\n    beq.w 3f\n    nop.w\n3:  subs.w r0, r0, #1\n    bne.w 2b"
    stalls = run(build, board, body).layers[0].cost.ideal.stalls
    # A two-bit counter is wrong on at least half of an alternation; each time costs 6 to 8 cycles.
    assert 50 * 6 <= stalls.branch <= 101 * 8


def test_stalls_are_named_by_their_cause(board_of: Callable[[str], Board], build: Callable[..., Path]) -> None:
    board = board_of("cortex-m33")
    loaded = run(build, board, "    ldr r4, =words\n    ldr.w r0, [r4]\n    add.w r1, r0, r0\n    b 4f\n    .pool\n4:")
    computed = run(build, board, "    mul.w r0, r1, r2\n    add.w r1, r0, r0")
    plain = run(build, board, "    mul.w r0, r1, r2\n    add.w r1, r2, r2")
    base = plain.layers[0].cost.ideal.stalls
    assert computed.layers[0].cost.ideal.stalls.dependency - base.dependency == 1
    assert computed.layers[0].cost.ideal.stalls.load_use == base.load_use
    # The literal's address is waited for, then the word behind it.
    assert loaded.layers[0].cost.ideal.stalls.load_use - base.load_use == 2


def test_every_row_of_every_core_has_a_source() -> None:
    for core in ("cortex-m4", "cortex-m33", "cortex-m7"):
        table = load_core(core)
        assert all(table.references.values())
        assert all(kind.reference for kind in table.kinds.values())


def test_unknown_core() -> None:
    with pytest.raises(BoardError, match=r"no timing for the core 'cortex-m85'") as caught:
        load_core("cortex-m85")
    assert "cortex-m33" in caught.value.hint
