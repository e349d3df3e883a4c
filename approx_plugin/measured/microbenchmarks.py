"""Short runs of instructions, each with the cycles that public sources give for it where no memory lets the core wait.

On a board the self-test measures them; on the virtual board tests hold the core models against `cycles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from approx_plugin.provenance import block_comment

M4, M33, M7 = "cortex-m4", "cortex-m33", "cortex-m7"

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        M4: "Arm Cortex-M4 TRM r0p1 (DDI 0439), 3.3; jnk0le/random, pipeline cycle test, STM32F407 (measurements)",
        M33: "jnk0le/random, pipeline cycle test, Cortex-M33 r1p0, RP2350 (public measurements)",
        M7: "jnk0le/random, pipeline cycle test, Cortex-M7, STM32H743 (public measurements)",
    }
)
"""Where `cycles` come from, by core."""

FEW, MANY = 10, 30
"""Copies: both runs fit in the smallest instruction cache."""

STREAM_FEW, STREAM_MANY = 2560, 5120
"""Copies of 8 bytes: both runs are larger than any cache."""

TURNS_FEW, TURNS_MANY = 200, 1000


@dataclass(frozen=True)
class Microbenchmark:
    """A snippet of assembly that stands in a row of copies, or in a loop (`turns`; r9 counts).

    cycles: core -> of one copy or turn with memories that never let it wait; a core without an entry: not published.

    The snippet may use every register but sp, lr and r9. It finds 0 in r0 to r3 and r12, the address of 64 words in r4
    and r11, each holding that address, that and 16 in r5, -1 in r6, 1 in r7, and in r8 and r10 the address of 64
    Kbytes in flash.
    """

    name: str
    snippet: str
    cycles: Mapping[str, float]
    few: int = FEW
    many: int = MANY
    turns: bool = False


def _row(name: str, snippet: str, m4: float | None, m33: float | None, m7: float | None) -> Microbenchmark:
    return Microbenchmark(name, snippet, _known(m4, m33, m7))


def _stream(name: str, snippet: str, m4: float | None, m33: float | None, m7: float | None) -> Microbenchmark:
    return Microbenchmark(name, snippet, _known(m4, m33, m7), STREAM_FEW, STREAM_MANY)


def _loop(name: str, snippet: str, m4: float | None, m33: float | None, m7: float | None) -> Microbenchmark:
    return Microbenchmark(name, snippet, _known(m4, m33, m7), TURNS_FEW, TURNS_MANY, turns=True)


def _known(m4: float | None, m33: float | None, m7: float | None) -> Mapping[str, float]:
    found = {M4: m4, M33: m33, M7: m7}
    return MappingProxyType({core: cycles for core, cycles in found.items() if cycles is not None})


ODD_HALFWORDS = "\n".join([".balign 4\n nop.n", *["add.w r0, r1, r2"] * 7, "nop.n"])
"""32 bytes a copy: few enough of them for a cache of 1 Kbyte."""

MICROBENCHMARKS = (
    # Arithmetic.
    _row("constants", "movw r0, #1234\n movt r0, #5678", 2, 2, 1),
    _row("additions", "add.w r0, r1, r2\n add.w r12, r1, r2", 2, 2, 1),
    _row("shifted_chain", "add.w r0, r1, r0, lsl #1", 1, 2, None),
    _row("multiply_chain", "mul.w r0, r1, r0", 1, 2, 2),
    _row("smlad_chain", "smlad r0, r1, r2, r0", 1, 1, 1),
    _row("smlad_two_sums", "smlad r0, r1, r2, r0\n smlad r12, r1, r2, r12", 2, 2, 2),
    _row("sxtb16_chain", "sxtb16 r0, r0", 1, None, None),
    _row("sxtb16_pair_smlad", "sxtb16 r0, r1\n sxtb16 r12, r1, ror #8\n smlad r2, r0, r12, r2", 3, None, None),
    # Loads and stores.
    _row("load_use", "ldr.w r0, [r4]\n add.w r1, r0, r2", 3, 3, None),
    _row("loads_of_a_run", "ldr.w r0, [r4]\n ldr.w r1, [r4, #4]\n ldr.w r2, [r4, #8]\n add.w r12, r3, r3", 5, 4, None),
    _row("load_through_itself", "ldr.w r11, [r11]", 2, 2, 2),
    _row("post_indexed_one_base", "ldr.w r0, [r4], #0", 2, None, None),
    _row("post_indexed_two_bases", "ldr.w r0, [r4], #0\n ldr.w r1, [r5], #0", 2, None, None),
    _row("load_sxtb16_smlad", "ldr.w r0, [r4]\n sxtb16 r1, r0\n smlad r2, r1, r7, r2", 4, None, None),
    _row("load_pair", "ldrd r0, r1, [r4]", 3, 2, None),
    _row("load_four", "ldm.w r4, {r0, r1, r2, r3}", 5, 4, 2),
    _row("store_word", "str.w r0, [r5]", 1, None, 1),
    _row("load_not_aligned", "ldr.w r0, [r4, #2]\n add.w r1, r2, r3", 4, None, None),
    # Branches by kind and by the alignment of their target.
    _row("branch_not_taken", "cmp.w r7, #0\n beq.w 1f\n1:", 2, None, 1),
    _row("branch_taken_aligned", ".balign 4\n b.w 1f\n nop.w\n1:", 3, None, None),
    _row("branch_taken_narrow_target", ".balign 4\n b.w 1f\n nop.n\n1: mov.n r0, r1\n nop.w", None, None, None),
    _row("branch_taken_wide_target", ".balign 4\n b.w 1f\n nop.n\n1: add.w r0, r0, r1\n nop.n", 6, None, None),
    _row("branch_and_return", "bl microbenchmark_return", 6, None, None),
    _row("load_to_pc", ".balign 4\n ldr.w pc, 2f\n2: .word 1f + 1\n1:", None, None, None),
    _row("it_narrow", "cmp.n r3, #1\n it eq\n moveq.n r0, r1", 2, None, None),
    # Wide instructions at odd halfwords: what the core fetches in words.
    Microbenchmark("wide_at_odd_halfwords", ODD_HALFWORDS, _known(None, None, None), 5, 15),
    # What streams from flash: code, literals in it, a table beside it.
    _stream("straight_wide", "movw r0, #1234\n movt r0, #5678", 2, 2, 1),
    _stream("straight_narrow", "adds.n r0, r1\n adds.n r2, r1\n adds.n r0, r1\n adds.n r2, r1", 4, 4, None),
    _stream("straight_literals", "ldr.n r0, 2f\n b.n 1f\n .balign 4\n2: .word 5\n1:", None, None, None),
    _loop("table_words", "ldr.w r0, [r10], #4", None, None, None),
    _loop("table_bytes", "ldrb.w r0, [r10], #1", None, None, None),
    _loop("table_two_streams", "ldr.w r0, [r10], #4\n ldr.w r1, [r8, #2048]\n add.w r8, r8, #4", None, None, None),
)
"""All of them; names are unique, and what the console calls them."""

HEAD = """
    .syntax unified
    .thumb
    .text

    .balign 4
    .type microbenchmark_return, %function
    .thumb_func
microbenchmark_return:
    bx lr
    .size microbenchmark_return, . - microbenchmark_return
"""

FUNCTION = """
    .balign 32
    .type {name}, %function
    .thumb_func
{name}:
    push {{r4-r11, lr}}
    mov r4, r0
    mov r11, r0
    add r5, r0, #16
    movw r10, #:lower16:microbenchmark_table
    movt r10, #:upper16:microbenchmark_table
    mov r8, r10
    mov.w r9, #{turns}
    mov.w r6, #-1
    mov.w r7, #1
    mov.w r0, #0
    mov.w r1, #0
    mov.w r2, #0
    mov.w r3, #0
    mov.w r12, #0
    isb
    .balign 32
{body}
    isb
    pop {{r4-r11, pc}}
    .size {name}, . - {name}
"""

TABLE = """
    .section .rodata
    .balign 32
    .type microbenchmark_table, %object
microbenchmark_table:
    .rept 16384
    .word 0
    .endr
    .size microbenchmark_table, . - microbenchmark_table

    .balign 4
    .global microbenchmarks
    .type microbenchmarks, %object
microbenchmarks:
{entries}
    .size microbenchmarks, . - microbenchmarks

    .global microbenchmark_count
    .type microbenchmark_count, %object
microbenchmark_count:
    .word {count}
    .size microbenchmark_count, . - microbenchmark_count
"""


def assembly(benchmarks: tuple[Microbenchmark, ...] = MICROBENCHMARKS) -> str:
    """microbenchmarks.S: two functions for each, and the table that microbenchmarks.h declares."""
    functions, entries, names = [], [], []
    for index, one in enumerate(benchmarks):
        for count, word in ((one.few, "few"), (one.many, "many")):
            functions.append(_function(f"microbenchmark_{index}_{word}", one, count))
        pointers = f"microbenchmark_{index}_few, microbenchmark_{index}_many"
        entries.append(f"    .word microbenchmark_{index}_name, {pointers}, {one.few}, {one.many}")
        names.append(f'microbenchmark_{index}_name: .asciz "{one.name}"')
    note = block_comment("the self-test's microbenchmarks")
    table = TABLE.format(entries="\n".join(entries), count=len(benchmarks))
    return "\n".join([note, HEAD, *functions, table, *names, ""])


def _function(name: str, benchmark: Microbenchmark, count: int) -> str:
    if benchmark.turns:
        lines, turns = ["9:", benchmark.snippet, "subs.w r9, r9, #1", "bne.w 9b"], count
    else:
        lines, turns = [f".rept {count}", benchmark.snippet, ".endr"], 0
    body = "\n".join(line.strip() for text in lines for line in text.split("\n"))
    return FUNCTION.format(name=name, turns=turns, body=body)
