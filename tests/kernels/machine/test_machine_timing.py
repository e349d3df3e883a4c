"""Cycles computed from instruction values, against the virtual board's pipeline step by step."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_blocks import any_instruction, assemble, conditional, is_degenerate, split
from machine_pipeline import NativePipeline

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Registers
from approx_plugin.kernels.machine.registers import CORE, LR, PC, R4
from approx_plugin.kernels.machine.timed import timed
from approx_plugin.kernels.machine.timing import Pipeline, Place

CORES = ("cortex-m4", "cortex-m33", "cortex-m7")
BRANCHES = (
    instruction("b.w", ".+8"),
    instruction("b.n", ".+8"),
    instruction("beq.n", ".+8"),
    instruction("bne.w", ".+8"),
    instruction("bl", ".+8"),
    instruction("bx", LR),
    instruction("blx", CORE[3]),
    instruction("pop", Registers((R4, PC))),
)


def line(random: Random) -> list[Instruction]:
    """Instructions of every kind, branches among them."""
    found: list[Instruction] = []
    while len(found) < 120:
        chance = random.random()
        if chance < 0.1:
            found.append(random.choice(BRANCHES))
        elif chance < 0.15:
            found += conditional(random)
        else:
            found.append(any_instruction(random))
    return found


@pytest.mark.parametrize("name", CORES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_instruction_issues_when_it_does_on_the_virtual_board(native: ctypes.CDLL, name: str, seed: int) -> None:
    random, core = Random(seed), load_core(name)
    block = [one for one in line(random) if not is_degenerate(one)]
    with tempfile.TemporaryDirectory() as folder:
        parts = split(assemble([one.text for one in block], Path(folder)))
    theirs, ours = NativePipeline(native, core), Pipeline(core)
    address = random.choice((0x0800_0000, 0x0800_0002))
    for one, code in zip(block, parts):
        after = address + len(code)
        conditional = one.form.kind == "branch" and bool(one.condition)
        taken = one.branches and (not conditional or random.random() < 0.5)
        following = random.choice((0x0800_0100, 0x0800_0202, after + 2)) if taken else None
        following = None if following == after else following
        in_it = bool(one.condition) and not one.branches
        skipped = in_it and random.random() < 0.5
        # Close together, so that banks, blocks of memory and alignment matter.
        access = random.choice((0x0800_0000, 0x2000_0000)) + random.choice(
            (random.randrange(32), 4 * random.randrange(8))
        )
        place = Place(address, following)
        ours.step(timed(one, core), access, place, skipped=skipped, in_it=in_it)
        goes_on = after if following is None else following
        end = theirs.step(code, address, goes_on, access, skipped, in_it)
        assert ours.end == end, f"{one.text} at {address:#x}"
        # The next instruction stands where the program went on.
        address = goes_on
