"""Scheduling keeps what a block computes, never costs cycles, and finds what it is there for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_blocks import assemble, executable_block
from machine_run import Core

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.dependence import dependences, units_of
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, Address
from approx_plugin.kernels.machine.registers import R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, SP, Register
from approx_plugin.kernels.machine.scheduling import schedule, schedule_items
from approx_plugin.kernels.machine.text import Item, Label, Remark
from approx_plugin.kernels.machine.timing import cycles

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")


@pytest.mark.parametrize("name", CORES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_scheduled_block_computes_the_same(name: str, seed: int) -> None:
    block = executable_block(Random(seed))
    core = load_core(name)
    found = schedule(block, core)
    assert sorted(map(repr, found)) == sorted(map(repr, block))
    assert cycles(found, core) <= cycles(block, core)
    with tempfile.TemporaryDirectory() as folder:
        before, after = (assemble([one.text for one in code], Path(folder)) for code in (block, found))
    assert Core(seed).run(before) == Core(seed).run(after)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_order_that_the_graph_allows_computes_the_same(seed: int) -> None:
    random = Random(seed)
    block = executable_block(random)
    units = units_of(block)
    after = dependences(units)
    order: list[int] = []
    while len(order) < len(units):
        ready = [n for n in range(len(units)) if n not in order and set(after[n]) <= set(order)]
        order.append(random.choice(ready))
    shuffled = [one for number in order for one in units[number]]
    with tempfile.TemporaryDirectory() as folder:
        first, second = (assemble([one.text for one in code], Path(folder)) for code in (block, shuffled))
    assert Core(seed).run(first) == Core(seed).run(second)


def load(register: Register, offset: int) -> Instruction:
    return instruction("ldr", register, Address(R0, offset, region="input"))


def test_a_dual_issue_core_computes_while_it_loads() -> None:
    core = load_core("cortex-m7")
    block = [load(R2, 0), load(R3, 8), load(R4, 16), load(R5, 24)]
    block += [instruction("smlad", total, word, R1, total) for total, word in ((R6, R2), (R7, R3), (R8, R4), (R9, R5))]
    block += [instruction("smlad", R10, R1, R1, R10) for _ in range(4)]
    assert cycles(block, core) == 11
    # Eight multiplications, the last one of which depends on nothing but them.
    assert cycles(schedule(block, core), core) <= 9


def test_a_load_is_brought_forward_from_its_use() -> None:
    core = load_core("cortex-m33")
    block = [
        load(R2, 0),
        instruction("add", R3, R2, R4),
        instruction("eor", R5, R5, R6),
        instruction("eor", R7, R7, R6),
    ]
    assert (cycles(block, core), cycles(schedule(block, core), core)) == (5, 4)


def edges(*block: Instruction) -> set[tuple[int, int]]:
    found = dependences(units_of(block))
    return {(earlier, number) for number, after in enumerate(found) for earlier in after}


STORE, LOAD = "str", "ldr"


def moved(name: str, base: Register, offset: int, region: str = "", mode: str = "offset") -> Instruction:
    return instruction(name, R5 if name == STORE else R6, Address(base, offset, mode, region))


def test_memory_that_cannot_be_told_apart_keeps_its_order() -> None:
    assert edges(moved(STORE, R0, 0), moved(LOAD, R1, 8)) == {(0, 1)}
    assert edges(moved(LOAD, R0, 0), moved(STORE, R1, 8)) == {(0, 1)}
    # The same base, beside each other; the same pointer further on; different regions.
    assert edges(moved(STORE, R0, 0), moved(LOAD, R0, 4)) == set()
    assert edges(moved(STORE, R0, 0), moved(LOAD, R0, 2)) == {(0, 1)}
    step = instruction("adds", R0, 4)
    assert edges(moved(STORE, R0, 4), step, moved(LOAD, R0, 0)) == {(0, 1), (0, 2), (1, 2)}
    assert edges(moved(STORE, R0, 0), step, moved(LOAD, R0, 0)) == {(0, 1), (1, 2)}
    assert edges(moved(STORE, R0, 0, mode=POST), moved(LOAD, R0, 0)) == {(0, 1)}
    assert edges(moved(STORE, R0, 0, "output"), moved(LOAD, R1, 0, "input")) == set()
    assert edges(moved(STORE, R0, 0, "output"), moved(LOAD, R1, 0)) == {(0, 1)}
    assert edges(instruction("str", R5, Address(R0, R2)), moved(LOAD, R0, 0)) == {(0, 1)}
    assert edges(moved(LOAD, R0, 0), instruction("ldr", R7, Address(R1, 0))) == set()


def test_flags_that_nobody_reads_order_nothing() -> None:
    movs = [instruction("movs", register, 1) for register in (R2, R3, R4)]
    count, branch = instruction("subs", R5, 1), instruction("bne", "loop")
    # The flags of `count` are those that the branch reads: no other ones in between.
    assert edges(*movs, count, branch) == {(0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)}
    assert edges(count, instruction("beq", "end")) == {(0, 1)}
    # What stands after the block may read the last ones.
    assert edges(movs[0], movs[1]) == {(0, 1)}


def test_an_it_block_stays_together_and_a_branch_stays_last() -> None:
    block = [
        instruction("cmp", R2, 3),
        instruction("it", "lt"),
        instruction("movlt.w", R2, 0),
        load(R3, 4),
        instruction("subs", R4, 1),
        instruction("bne", "again"),
    ]
    assert [len(unit) for unit in units_of(block)] == [1, 2, 1, 1, 1]
    for name in CORES:
        found = schedule(block, load_core(name))
        place = found.index(block[1])
        assert found[place + 1] == block[2] and found[-1] == block[-1]
    with pytest.raises(ValueError, match="a straight line ends with a branch"):
        schedule([block[-1], block[0]], load_core("cortex-m4"))


def test_remarks_go_along_as_comments() -> None:
    core = load_core("cortex-m7")
    word, product = load(R2, 0), instruction("smlad", R4, R2, R1, R4)
    items: list[Item] = [
        Label("start"),
        Remark("Words."),
        word,
        load(R3, 8),
        Remark("Products."),
        product,
        instruction("smlad", R5, R3, R1, R5),
        instruction("smlad", R6, R1, R1, R6),
        instruction("str", R7, Address(SP, 4, region="frame")),
    ]
    found = schedule_items(items, core)
    assert found[0] == Label("start")
    code = [one for one in found if isinstance(one, Instruction)]
    assert len(code) == len(found) - 1
    assert {one.comment: one.text for one in code if one.comment} == {"Words.": word.text, "Products.": product.text}
    unchanged: list[Item] = [Remark("One."), load(R2, 0)]
    assert schedule_items(unchanged, core) == unchanged
