"""Nested loops as one description: the text, how often a line runs, what it costs, what a cache misses."""

from __future__ import annotations

import pytest

from approx_plugin.boards.timing import Cache
from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.registers import LR, R0, R1, R2, R3, R4
from approx_plugin.kernels.machine.routine import Loop, Routine, Sometimes, straight
from approx_plugin.kernels.machine.text import Label, Remark
from approx_plugin.kernels.machine.timing import cycles, turn_cycles

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")

ADD = instruction("add", R0, R0, R1)
SUBTRACT = instruction("subs", R2, R2, 1)
COUNT = instruction("subs", R3, R3, 1)


def nested(core: str) -> Routine:
    """10 rows of 7 turns, and something that every other row does besides."""
    return Routine(
        "f",
        (
            straight(instruction("movs", R3, 10)),
            Loop(
                "row",
                10,
                (
                    straight(Remark("A row."), instruction("movs", R2, 7)),
                    Loop("turn", 7, (straight(ADD, ADD),), (SUBTRACT,)),
                    straight(instruction("tst", R3, 1)),
                    Sometimes("odd", "eq", 0.5, (straight(instruction("add", R4, R4, R0)),)),
                ),
                (COUNT,),
            ),
            straight(instruction("bx", LR)),
        ),
        load_core(core),
        scheduled=False,
    )


@pytest.mark.parametrize("core", CORES)
def test_lines_run_as_often_as_their_loops_say(core: str) -> None:
    lines = {line.items[-1]: line.times for line in nested(core).lines if isinstance(line.items[-1], Instruction)}
    names = {item.text: times for item, times in lines.items() if isinstance(item, Instruction)}
    assert names["bne .Lf_turn"] == 70
    assert names["beq .Lf_odd"] == 10
    assert names["add r4, r4, r0"] == 5
    assert names["bne .Lf_row"] == 10
    assert names["bx lr"] == 1


@pytest.mark.parametrize("core", CORES)
def test_cycles_are_those_of_the_turns(core: str) -> None:
    routine, timing = nested(core), load_core(core)
    turn = (ADD, ADD, SUBTRACT, instruction("bne", ".Lf_turn"))
    rest = routine.cycles - 70 * turn_cycles(turn, timing)
    assert 10 * cycles((instruction("movs", R2, 7),), timing) < rest < 10 * 30


def test_text_has_every_label_once() -> None:
    items = nested("cortex-m4").items
    assert [item.name for item in items if isinstance(item, Label)] == [".Lf_row", ".Lf_turn", ".Lf_odd"]
    assert "\tbne.n .Lf_turn" in nested("cortex-m4").text


def test_a_cache_that_holds_the_loop_is_filled_once() -> None:
    routine = nested("cortex-m4")
    assert routine.missed(None) == 0
    assert routine.missed(Cache(1024, 16, 4)) <= routine.size + 16
    small = routine.missed(Cache(16, 8, 1))
    # The inner loop stays for its turns and is fetched anew for each row.
    assert 10 * 16 < small < 10 * (routine.size + 16)


def test_a_loop_that_is_just_too_large_loses_only_what_overflows() -> None:
    body = straight(*[instruction("add.w", R0, R0, R1)] * 16)
    cache = Cache(64, 8, 4)
    loop = Loop("turn", 100, (body,), (COUNT,))
    missed = Routine("f", (loop,), load_core("cortex-m4")).missed(cache)
    # 72 bytes on 8 lines of 2 sets with 4 ways: one line too many, and with it a set's five are lost turn after turn.
    assert 9 * 8 <= missed <= (9 + 99 * 5) * 8
    twice = Loop("turn", 100, (body, body), (COUNT,))
    assert Routine("f", (twice,), load_core("cortex-m4")).missed(cache) > 100 * 64
