"""Decoding: kinds and register sets of instructions, written down by hand, and the patterns that share them."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from approx_plugin.errors import ToolError
from approx_plugin.virtual_board.operation import Operation, decode

EXPECTED = """
adds r0, r1, r2                | add source=r1,r2 result=r0,F
add.w r0, r1, r2, lsl #2       | shift source=r1 early=r2 result=r0
orr.w r0, r1, r1, asr #31      | shift source=r1 early=r1 result=r0
mov r0, #0x1fc00               | shift result=r0
mov r0, #0xff00ff              | add result=r0
movt r3, #1234                 | add source=r3 result=r3
lsls.w r0, r1, r2              | add source=r1,r2 result=r0,F
mov sp, r7                     | add source=r7 result=sp
cmp r0, #1                     | logic source=r0 result=F
adc r0, r1, r2                 | logic source=r1,r2,F result=r0
tst r0, r1                     | logic source=r0,r1 result=F
ssat r0, #8, r1, asr #2        | dsp source=r1 result=r0
sel r0, r1, r2                 | dsp source=r1,r2,F result=r0
sadd16 r0, r1, r2              | dsp source=r1,r2 result=r0
pkhbt r0, r1, r2, lsl #16      | bitfield source=r1,r2 result=r0
bfi r0, r1, #2, #3             | bitfield source=r0,r1 result=r0
sxtb16 r0, r1, ror #8          | bitfield source=r1 result=r0
sxtab16 r0, r1, r2             | extend_add early=r2 accumulate=r1 result=r0
mul r0, r1, r2                 | multiply source=r1,r2 result=r0
muls r0, r1, r0                | multiply_flags source=r0,r1 result=r0,F
smull r0, r1, r2, r3           | multiply source=r2,r3 result=r0,r1
smmulr r0, r1, r2              | multiply source=r1,r2 result=r0
smlad r0, r1, r2, r3           | accumulate source=r1,r2 accumulate=r3 result=r0
smlad r0, r1, r0, r0           | accumulate source=r0,r1 accumulate=r0 result=r0
mls r0, r1, r2, r3             | accumulate source=r1,r2 accumulate=r3 result=r0
movs r0, #1                    | add result=r0,F
movs r0, r1                    | add source=r1 result=r0,F
ands r0, r1                    | logic source=r0,r1 result=r0,F
adcs r0, r1                    | logic source=r0,r1,F result=r0,F
smlald r0, r1, r2, r3          | accumulate source=r2,r3 accumulate=r0,r1 result=r0,r1
sdiv r0, r1, r2                | divide source=r1,r2 result=r0
ldr r0, [r1, r2, lsl #2]       | load address=r1,r2 result=r0
ldr r0, [r1], #4               | load address=r1 result=r0 base=r1
ldrsh r0, [r1, #2]             | load_narrow address=r1 result=r0
ldrd r0, r1, [r2], #8          | load_pair address=r2 result=r0,r1 base=r2 transfers=2
strd r0, r1, [r2]              | store_pair address=r2 data=r0,r1 transfers=2
str r0, [r0]                   | store address=r0 data=r0
strb r0, [r1, r2]              | store_register address=r1,r2 data=r0
strh r0, [r1], #2              | store address=r1 data=r0 base=r1
ldm r0!, {r1-r4}               | load_multiple address=r0 result=r1,r2,r3,r4 base=r0 transfers=4
ldmia.w r0, {r0, r1}           | load_multiple address=r0 result=r0,r1 transfers=2
stmdb r6!, {r1, r2}            | store_multiple address=r6 data=r1,r2 base=r6 transfers=2
push {r4, lr}                  | store_multiple address=sp data=r4,lr base=sp transfers=2
pop {r4, pc}                   | load_multiple address=sp result=r4 base=sp transfers=2
vpush {d8}                     | store_multiple address=sp data=s16,s17 base=sp transfers=2
vldmia r0!, {s0-s3}            | load_multiple address=r0 result=s0,s1,s2,s3 base=r0 transfers=4
vldr s0, [r0, #4]              | load address=r0 result=s0
vstr s0, [r0]                  | store address=r0 data=s0
vmov s0, r1                    | float_move source=r1 result=s0
vmov.f32 s3, #1.0              | float_move result=s3
vmov.f64 d1, #-2.5             | float_move result=s2,s3
vmov.f64 d1, d2                | float_move source=s4,s5 result=s2,s3
vmov.32 d0[1], r3              | float_move source=r3,s0,s1 result=s0,s1
vmov d0, r1, r2                | float_move source=r1,r2 result=s0,s1
vmov r1, r2, s4, s5            | float_move source=s4,s5 result=r1,r2
vadd.f64 d0, d1, d2            | float source=s2,s3,s4,s5 result=s0,s1
vcvt.f64.s32 d0, s4            | float source=s4 result=s0,s1
vcvt.s32.f64 s1, d2            | float source=s4,s5 result=s1
vrintz.f64 d0, d1              | float source=s2,s3 result=s0,s1
vselgt.f64 d0, d1, d2          | float source=F,s2,s3,s4,s5 result=s0,s1
vfma.f64 d0, d1, d2            | float_accumulate source=s0,s1,s2,s3,s4,s5 result=s0,s1
vsqrt.f64 d0, d1               | float_divide source=s2,s3 result=s0,s1
vldr d0, [r0, #8]              | load address=r0 result=s0,s1
vldmia r0!, {d0, d1}           | load_multiple address=r0 result=s0,s1,s2,s3 base=r0 transfers=4
vmrs apsr_nzcv, fpscr          | float_move result=F
vfma.f32 s0, s1, s2            | float_accumulate source=s0,s1,s2 result=s0
vdiv.f32 s0, s1, s2            | float_divide source=s1,s2 result=s0
bx lr                          | branch_register source=lr
blx r3                         | branch_register source=r3 result=lr
tbb [pc, r0]                   | table_branch source=r0
cbz r0, .+8                    | branch source=r0
beq .+8                        | branch source=F
nop                            | nop
dbg #0                         | nop
dsb                            | barrier
msr primask, r0                | system source=r0
"""
FIELDS = ("source", "early", "accumulate", "address", "data", "result", "base")
REGISTERS = {**{f"r{n}": n for n in range(13)}, "sp": 13, "lr": 14, "pc": 15, "F": 16}
REGISTERS.update({f"s{n}": 17 + n for n in range(32)})


def words(operation: Operation) -> str:
    """The form of EXPECTED."""
    names = {bit: name for name, bit in REGISTERS.items()}
    parts = [operation.kind]
    for field in FIELDS:
        mask = getattr(operation, field)
        if mask:
            parts.append(f"{field}=" + ",".join(names[bit] for bit in sorted(names) if mask >> bit & 1))
    if operation.transfers:
        parts.append(f"transfers={operation.transfers}")
    return " ".join(parts)


def test_instructions(arm_gcc: str, tmp_path: Path) -> None:
    table = [line.split("|") for line in EXPECTED.strip().splitlines()]
    source = tmp_path / "all.s"
    lines = [f" .space 16 - (. - start) % 16\n {text}\n" for text, _ in table]
    source.write_text(" .syntax unified\n .thumb\n .text\nstart:\n" + "".join(lines) + " .balign 16\n")
    output = tmp_path / "all.o"
    subprocess.run(
        [arm_gcc, "-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard", "-c", str(source), "-o", str(output)],
        check=True,
        timeout=60,
    )
    binary = tmp_path / "all.bin"
    copy = arm_gcc.removesuffix("gcc") + "objcopy"
    subprocess.run([copy, "-O", "binary", "-j", ".text", str(output), str(binary)], check=True, timeout=60)
    content = binary.read_bytes()
    wrong = []
    for index, (text, expected) in enumerate(table):
        code = content[16 * (index + 1) : 16 * (index + 1) + 4]
        size = 4 if code[1] >> 3 >= 0x1D else 2
        found = words(decode(code[:size]))
        if found != expected.strip():
            wrong.append(f"{text.strip()}: {found}, not {expected.strip()}")
    assert not wrong, "\n".join(wrong)


def test_what_is_no_instruction() -> None:
    with pytest.raises(ToolError, match="is no Thumb instruction"):
        decode(b"\xff\xff\xff\xff")


def size_of(first: int) -> int:
    return 4 if first >> 11 >= 0x1D else 2


@settings(max_examples=1500, deadline=None)
@given(first=st.integers(0, 0xFFFF), second=st.integers(0, 0xFFFF))
@example(first=0xF640, second=0xF000)  # BL and B.W over a distance that looks like MOVW or MOVT without bit 15
@example(first=0xF2C7, second=0xD123)
@example(first=0xF24F, second=0xBFFF)
@example(first=0xF2CF, second=0x9000)
@example(first=0xF240, second=0x8000)  # BLS.W
def test_equal_patterns_are_equal_operations(library: ctypes.CDLL, first: int, second: int) -> None:
    size = size_of(first)
    pattern = library.trace_pattern(first, second, size)
    halves = (pattern >> 16, pattern & 0xFFFF) if size == 4 else (pattern,)
    plain = b"".join(half.to_bytes(2, "little") for half in halves)
    code = (first.to_bytes(2, "little") + second.to_bytes(2, "little"))[:size]
    try:
        expected = decode(code)
    except ToolError:
        assume(False)
    # Displacements are taken from the instruction itself: test_addresses.py.
    assert replace(decode(plain), displacement=0) == replace(expected, displacement=0)


@pytest.mark.parametrize(
    ("one", "other", "size"),
    [
        ((0xF240, 0x0000), (0xF64F, 0x70FF), 4),  # MOVW r0, #0 and #0xffff
        ((0xF8D1, 0x0004), (0xF8D1, 0x0FFC), 4),  # LDR.W r0, [r1, #4] and #4092
        ((0xF000, 0xF800), (0xF7FF, 0xFFFE), 4),  # BL
        ((0xF000, 0xF800), (0xF640, 0xF000), 4),  # BL over a long distance
        ((0xF000, 0xB800), (0xF2C7, 0x9123), 4),  # B.W
        ((0xD001, 0), (0xD0FE, 0), 2),  # BEQ
        ((0x4801, 0), (0x48FF, 0), 2),  # LDR r0, literal
    ],
)
def test_offsets_and_constants_share_a_pattern(
    library: ctypes.CDLL, one: tuple[int, int], other: tuple[int, int], size: int
) -> None:
    assert library.trace_pattern(*one, size) == library.trace_pattern(*other, size)
