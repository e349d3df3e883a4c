"""Instruction text, size and the assembler's opinion of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import conv_graph

from approx_plugin.kernels.kernel import price
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.unpacked.assembly import Phase, group_code, groups
from approx_plugin.kernels.unpacked.phases import cut
from approx_plugin.kernels.unpacked.plan import plans
from approx_plugin.kernels.unpacked.thumb import Code, is_modified_immediate
from approx_plugin.operators.conv2d import Conv2D


def expand(encoding: int) -> int:
    """ThumbExpandImm of the 12-bit encoding (ARMv7-M ARM, A5.3.2), the definition turned the other way round."""
    byte = encoding & 0xFF
    if encoding >> 10 == 0:
        kind = encoding >> 8 & 3
        return (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101)[kind]
    value, rotation = 0x80 | encoding & 0x7F, encoding >> 7
    return (value >> rotation | value << (32 - rotation)) & 0xFFFFFFFF


ENCODABLE = frozenset(expand(encoding) for encoding in range(4096))


def test_every_encodable_immediate_is_known() -> None:
    assert all(is_modified_immediate(value) for value in ENCODABLE)


@given(st.integers(0, 2**32 - 1) | st.integers(0, 2**16 - 1) | st.sampled_from(sorted(ENCODABLE)).map(lambda v: v ^ 1))
def test_nothing_else_is_taken_for_one(value: int) -> None:
    assert is_modified_immediate(value) == (value in ENCODABLE)


@given(st.integers(-(2**31), 2**32 - 1), st.sampled_from([1, 9]))
def test_a_constant_arrives(value: int, register: int) -> None:
    code = Code()
    code.constant(register, value)
    assert len(code.lines) <= 2
    held = 0
    for line in code.lines:
        name, operand = re.fullmatch(r"\t(\w+) \w+, #(\S+)", line).groups()  # type: ignore[union-attr]
        number = int(operand, 0)
        held = {"movt": held & 0xFFFF | number << 16, "mvn": ~number & 0xFFFFFFFF}.get(name, number)
    assert held == value & 0xFFFFFFFF


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("density", [1.0, 0.4])
def test_the_counted_size_is_the_assembled_size(density: float, tmp_path: Path) -> None:
    graph = conv_graph(np.random.default_rng(3), size=(9, 10), channels=(6, 6), kernel=(3, 3), density=density)
    conv = graph.operators[0]
    assert isinstance(conv, Conv2D)
    platform = Platform("cortex-m4", True, "assembly")
    p = min(plans(conv, "assembly"), key=lambda found: price(found, platform).cycles)
    parts = groups(p.slots, p.constants, p.block)
    codes = [
        group_code(f"f{n}", p.layout, p.slots, Phase(tuple(run), first=n != 1, last=n != 2), p.block, part, p.constants)
        for n, part in enumerate(parts)
        for run in cut(p.order, part, p.block, 1)
    ]
    source = tmp_path / "groups.s"
    source.write_text("\t.syntax unified\n\t.thumb\n" + "\n".join(code.text for code in codes))
    target = source.with_suffix(".o")
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-c", source, "-o", target], check=True)
    symbols = subprocess.run(["arm-none-eabi-nm", "-S", target], check=True, capture_output=True, text=True).stdout
    sizes = {line.split()[3]: int(line.split()[1], 16) for line in symbols.splitlines() if len(line.split()) == 4}
    for number, code in enumerate(codes):
        assert sizes[f"f{number}"] <= code.size <= sizes[f"f{number}"] + 8
