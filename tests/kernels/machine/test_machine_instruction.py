"""Instructions as values: the assembler's sizes, the decoder's registers and kinds, and what is refused."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_blocks import any_instruction, assemble, split

from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import POST, PRE, Address, Half, Pointer, Registers, Shifted
from approx_plugin.kernels.machine.registers import (
    CARRY,
    CORE,
    FLAGS,
    GE,
    LR,
    PC,
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R8,
    R9,
    SINGLES,
    SP,
    virtual,
)  # fmt: skip
from approx_plugin.virtual_board.operation import LOAD, NO_INDEX, SETS_FLAGS, STORE, Operation, decode


def mask(registers: tuple) -> int:
    return sum(1 << register.number for register in registers)


def expected(one: Instruction) -> dict[str, Any]:
    """What the decoder has to say of it."""
    groups, access = one.groups, one.access
    flags = [FLAGS] if one.sets_flags else []
    reads = [FLAGS] if one.form.greater_equal == "source" or one.name in ("adc", "sbc") else []
    found = {role: mask(groups.get(role, ())) for role in ("early", "accumulate", "address", "data", "base")}
    found["source"] = mask((*groups.get("source", ()), *reads))
    found["result"] = mask((*(r for r in groups.get("result", ()) if r not in groups.get("base", ())), *flags))
    transfers = access.pieces if access and one.kind.split("_")[-1] in ("multiple", "pair") else 0
    return {"kind": one.kind, "size": one.size, "transfers": transfers, **found}


def differences(one: Instruction, decoded: Operation) -> list[str]:
    # Where a register is needed in two stages, the decoder may miss one: machine_blocks.is_degenerate.
    twice = ~(decoded.early | decoded.accumulate)
    wrong = [
        f"{one.text}: {key} is {getattr(decoded, key)}, not {value}"
        for key, value in expected(one).items()
        if (getattr(decoded, key) != value if key != "source" else (decoded.source ^ value) & twice)
    ]
    access = one.access
    if (
        bool(decoded.flags & (LOAD | STORE)) != (access is not None)
        or bool(decoded.flags & SETS_FLAGS) != one.sets_flags
    ):
        wrong.append(f"{one.text}: flags {decoded.flags:#x}")
    if access:
        index = access.index_register.number if access.index_register else NO_INDEX
        ours = (access.base.number, index, access.shift, access.displacement, access.size, access.pieces, access.stores)
        theirs = (
            decoded.base_register, decoded.index_register, decoded.index_shift, decoded.displacement,
            decoded.access_size, decoded.access_count, bool(decoded.flags & STORE),
        )  # fmt: skip
        if ours != theirs:
            wrong.append(f"{one.text}: accesses {theirs}, not {ours}")
    return wrong


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_sizes_and_registers_are_the_assemblers(seed: int) -> None:
    random = Random(seed)
    block = [any_instruction(random) for _ in range(150)]
    with tempfile.TemporaryDirectory() as folder:
        parts = split(assemble([one.text for one in block], Path(folder)))
    sizes = [f"{one.text}: {one.size}, not {len(part)}" for one, part in zip(block, parts) if one.size != len(part)]
    assert not sizes, sizes[:3]
    wrong = [difference for one, part in zip(block, parts) for difference in differences(one, decode(part))]
    assert not wrong, "\n".join(wrong)


V = virtual(0, "sum")

WRITTEN = {
    ("smlad", R6, R2, R1, R6): "smlad r6, r2, r1, r6",
    ("add", R4, R3, Shifted(R6, "asr", 31)): "add r4, r3, r6, asr #31",
    ("adds", R1, 4): "adds r1, #4",
    ("mov", R1, 0x12000000): "mov r1, #0x12000000",
    ("movw", R1, Half("table", "lower16")): "movw r1, #:lower16:table",
    ("movlt.w", R5, 0): "movlt.w r5, #0",
    ("subs.w", R5, R5, 1): "subs.w r5, r5, #1",
    ("cmp", R8, R9): "cmp r8, r9",
    ("ldr", R1, Address(R2, R3)): "ldr r1, [r2, r3]",
    ("ldrsb", R1, Address(R2, Shifted(R3, "lsl", 2))): "ldrsb r1, [r2, r3, lsl #2]",
    ("str", R1, Address(R2, -8, PRE)): "str r1, [r2, #-8]!",
    ("ldrd", R1, R2, Address(R3, 8, POST)): "ldrd r1, r2, [r3], #8",
    ("vldmia", Pointer(R0, True), Registers(SINGLES[4:8])): "vldmia r0!, {s4-s7}",
    ("push", Registers((*CORE[4:9], CORE[10], LR))): "push {r4-r8, r10, lr}",
    ("ssat", R1, 8, Shifted(R1, "asr", 5)): "ssat r1, #8, r1, asr #5",
    ("sxtb16", R1, Shifted(R2, "ror", 8)): "sxtb16 r1, r2, ror #8",
    ("vmov", R1, SINGLES[31]): "vmov r1, s31",
    ("itte", "ge"): "itte ge",
    ("bne.n", ".Lloop"): "bne.n .Lloop",
    ("smlad", V, R2, R1, V): "smlad sum, r2, r1, sum",
}


def test_how_instructions_are_written() -> None:
    assert {operands: instruction(*operands).text for operands in WRITTEN} == WRITTEN


def test_what_is_read_and_written_beyond_what_costs_time() -> None:
    assert instruction("adds", R1, 4).defs == {R1, FLAGS, CARRY}
    assert instruction("movlt.w", R5, 0).uses == {R5, FLAGS, CARRY}
    assert instruction("moveq.w", R5, 0).uses == {R5, FLAGS}
    assert instruction("it", "lt").uses == instruction("blt", "x").uses == {FLAGS, CARRY}
    assert instruction("it", "ne").uses == instruction("beq", "x").uses == {FLAGS}
    assert instruction("adcs", R1, R2).uses == {R1, R2, CARRY}
    # C and V stay what they were, or V alone.
    assert instruction("movs", R1, 4).defs == {R1, FLAGS}
    assert instruction("orrs", R1, R1, R2).defs == {R1, FLAGS}
    assert instruction("ands", R1, R1, 0x12000000).defs == instruction("lsls", R1, R1, 3).defs == {R1, FLAGS, CARRY}
    assert instruction("lsls", R1, R1, 3).uses == {R1, CARRY}
    assert instruction("usub8", R1, R2, R3).defs == {R1, GE}
    assert instruction("sel", R1, R2, R3).uses == {R2, R3, GE}
    assert instruction("ldr", R1, Address(R2, 4, POST)).defs == {R1, R2}
    assert instruction("pop", Registers((R4, PC))).defs == {R4, PC, SP}
    assert instruction("pop", Registers((R4, PC))).branches
    assert not instruction("pop", Registers((R4, R5))).branches
    assert instruction("bl", "helper").defs == {LR}


def test_a_value_can_be_renamed_and_noted() -> None:
    one = instruction("ldr", V, Address(virtual(1), Shifted(V, "lsl", 1)))
    assert one.renamed({V: R1, virtual(1): R8}).text == "ldr r1, [r8, r1, lsl #1]"
    assert one.renamed({V: R1, virtual(1): R8}).size == 4
    assert instruction("str", V, Address(V, 124)).renamed({V: R1}).size == 2
    assert instruction("adds", R1, 4).noted("on").comment == "on"
    assert instruction("adds", R1, 4).noted("on").text == "adds r1, #4"


REFUSED = {
    ("fadd", R1, R2): "there is no instruction 'fadd'",
    ("smlads", R1, R2, R3, R4): "there is no instruction 'smlads'",
    ("cmp", R1, -5): "cmp r1, #-5: -0x5 is no modified immediate",
    ("mov", R1, 0x1FF): "mov r1, #511: 0x1ff is no modified immediate",
    ("movw", R1, 70000): "70000 is no half of a word",
    ("addw", R1, R1, 4096): "4096 is not within 0 and 4095",
    ("add", R1): "takes 3 operands",
    ("smlad", R1, R2, R3, 5): "5 is no core register",
    ("ldr", R1, Address(R2, 4096)): "the offset 4096 is out of reach",
    ("ldr", R1, Address(R2, 256, POST)): "the offset 256 is out of reach",
    ("ldrd", R1, R2, Address(R3, 6)): "the offset 6 is out of reach",
    ("strd", R1, R2, Address(R3, R4)): "an index register is neither for pairs nor for write-back",
    ("ldr", R1, Address(R2, Shifted(R3, "lsl", 4))): "an index is shifted left by 0 to 3",
    ("ldr", R1, Address(R1, 4, POST)): "writes back to a register that it loads or stores",
    ("ldmia", Pointer(R1), Registers((R2,))): "a single register needs LDR or STR",
    ("ldmia", Pointer(R1), Registers((R3, R2))): "{r3, r2} does not ascend",
    ("ldmia", Pointer(R1, True), Registers((R1, R2))): "cannot write back to this base",
    ("ldmia", Pointer(SP, True), Registers((R1, R2))): "use PUSH and POP for the stack",
    ("vldmia", Pointer(R1), Registers((SINGLES[1], SINGLES[3]))): "are not neighbouring single registers",
    ("push", Registers((R9,))): "a single high register needs STR or LDR",
    ("ssat", R1, 33, R2): "33 is not within 1 and 32",
    ("ssat", R1, 8, Shifted(R2, "lsr", 1)): "cannot be shifted by 'lsr #1'",
    ("sxtb16", R1, Shifted(R2, "ror", 4)): "cannot be shifted by 'ror #4'",
    ("ubfx", R1, R2, 20, 13): "takes bits that the register does not have",
    ("lsl", R1, R2, 32): "32 is no amount between 0 and 31",
    ("vmov", R1, R2): "moves between a core and a single register",
    ("smull", R1, R1, R2, R3): "writes one register twice",
    ("muls", R1, R2, R3): "sets the flags in its 16-bit encoding only",
    ("movs.n", R9, 1): "has no 16-bit encoding",
    ("mov.q", R9, 1): "'.q' is no width",
    ("orr", R1, Shifted(R2, "lsl", 3)): "needs all operands written where one is shifted",
    ("movslt", R1, 1): "an instruction in an IT block that sets the flags is not supported",
    ("b", R1): "is no label",
    ("bx", SINGLES[0]): "is no core register",
}


@pytest.mark.parametrize("operands", REFUSED, ids=lambda operands: operands[0])
def test_what_an_instruction_does_not_take(operands: tuple) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[operands])):
        instruction(*operands)
