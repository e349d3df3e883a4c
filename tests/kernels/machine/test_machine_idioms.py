"""Short sequences: what they leave in a register, by an interpreter of their few instructions, and what they take."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_blocks import assemble

from approx_plugin.kernels.machine.encoding import is_modified_immediate
from approx_plugin.kernels.machine.idioms import (
    add_constant,
    compare,
    constant,
    constant_code,
    limit,
    load_words,
    store_words,
)
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.operands import Pointer
from approx_plugin.kernels.machine.registers import GENERAL, R1, R3, R5, R9, Register

VALUES = st.integers(-(2**31), 2**32 - 1) | st.integers(-300, 300) | st.integers(-5000, 5000)


def run(code: list[Instruction], registers: dict[Register, int]) -> dict[Register, int]:
    for one in code:
        target, *operands = one.full_operands
        assert isinstance(target, Register)
        values: list[Any] = [registers[o] if isinstance(o, Register) else o for o in operands]
        name = one.name.removesuffix("w")
        if name in ("add", "sub"):
            made = values[0] + values[1] * (1 if name == "add" else -1)
        elif name == "movt":
            made = registers[target] & 0xFFFF | values[0] << 16
        else:
            made = {"mov": values[0], "mvn": ~values[0]}[name]
        registers[target] = made & 0xFFFFFFFF
    return registers


@given(VALUES, st.sampled_from(GENERAL))
def test_a_constant_arrives(value: int, register: Register) -> None:
    code = constant(register, value)
    assert run(code, {register: 0xDEADBEEF})[register] == value & 0xFFFFFFFF
    counted = constant_code(np.array(value, np.int64), register.is_low)
    assert (int(counted.instructions), int(counted.bytes)) == (len(code), sum(one.size for one in code))


@given(VALUES, VALUES.filter(lambda value: -(2**31) <= value < 2**31), st.sampled_from(GENERAL))
def test_a_register_is_moved(value: int, by: int, register: Register) -> None:
    temporary = R3 if register != R3 else R5
    registers = {register: value & 0xFFFFFFFF, temporary: 1}
    code = add_constant(register, by, temporary)
    assert len(code) <= 3
    assert run(code, registers)[register] == (value + by) & 0xFFFFFFFF


@settings(max_examples=20, deadline=None)
@given(st.integers(-128, 127), st.sampled_from(["lt", "gt"]), st.sampled_from(GENERAL))
def test_a_limit_is_what_gnu_as_makes_of_its_plain_form(value: int, condition: str, register: Register) -> None:
    # A strict assembler takes no negative immediate here; GNU as makes CMN and MVN of them.
    plain = [f"cmp.w {register.name}, #{value}", f"it {condition}", f"mov{condition}.w {register.name}, #{value}"]
    code = limit(register, value, condition)
    with tempfile.TemporaryDirectory() as folder:
        expected = assemble(plain, Path(folder))
        assert assemble([one.text for one in code], Path(folder)) == expected
    assert sum(one.size for one in code) == len(expected)


@pytest.mark.parametrize("back", [True, False])
def test_a_single_word_is_no_multiple(back: bool) -> None:
    pointer = Pointer(R1, back, "sums")
    assert load_words(pointer, [R9]).text == ("ldr.w r9, [r1], #4" if back else "ldr.w r9, [r1, #0]")
    assert store_words(pointer, [R9]).text == ("str.w r9, [r1], #4" if back else "str.w r9, [r1, #0]")
    assert load_words(pointer, GENERAL[6:14]).text == f"ldmia.w r1{'!' * back}, {{r6-r12, lr}}"
    assert store_words(pointer, GENERAL[6:14]).access.region == "sums"  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [*range(-256, 257), -1020, 1020])
def test_comparisons_are_ones_that_every_assembler_takes(value: int) -> None:
    """GNU as makes CMN of a CMP with a negative number, others refuse it: the number has to be one of the encoding."""
    one = compare(R5, value)
    number = one.full_operands[-1]
    assert isinstance(number, int) and number >= 0 and is_modified_immediate(number)
    assert (number if one.name == "cmp" else -number) % (1 << 32) == value % (1 << 32)
