"""Where loads and stores go, by every addressing mode: an access to words that a plain load has brought into a cache of
4-byte lines is no miss, and any other address is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import Cache
from approx_plugin.virtual_board.simulation import simulate
from approx_plugin.virtual_board.timing import load_timing

# r4: words, r5: words + 68, r6: words + 64, r7: words + 72, r3: 16. The words at +64 and +68 are in the cache, and so
# are two words of code memory at `table`.
MODES = (
    "ldr r0, [r4, #64]",
    "ldr.w r0, [r4, #64]",
    "ldr r0, [r5, #-4]",
    "ldr r0, [r6], #4",
    "ldr r0, [r6], #-4",
    "ldr r0, [r4, #64]!",
    "ldr r0, [r7, #-8]!",
    "ldr r0, [r4, r3, lsl #2]",
    "ldrsb r0, [r6, r8]",
    "ldrb r0, [r4, #67]",
    "ldrb.w r0, [r5, #-1]",
    "ldrh r0, [r4, #66]",
    "ldrsh.w r0, [r4, #70]",
    "ldrd r0, r1, [r4, #64]",
    "ldrd r0, r1, [r7, #-8]",
    "ldrd r0, r1, [r6], #8",
    "ldm r6, {r0, r1}",
    "ldmdb r7, {r0, r1}",
    "ldmdb r7!, {r0, r1}",
    "vldr s0, [r4, #64]",
    "vldr d0, [r7, #-8]",
    "vldmia r6, {s0, s1}",
    "vldmdb r7!, {s0, s1}",
    "ldrex r0, [r4, #64]",
    "mov r9, sp\n mov sp, r6\n pop {r0, r1}\n mov sp, r9",
    "mov r9, sp\n mov sp, r6\n ldr r0, [sp, #4]\n mov sp, r9",
    # A store brings its line into the cache: loading it behind the store is no miss, loading the word beside it is one.
    "str r0, [r4, #64]",
    "str r0, [r6, #-64]\n ldr r0, [r4]",
    "strd r0, r1, [r4, #8]\n ldr r0, [r4, #8]\n ldr r0, [r4, #12]",
    "stm r4, {r0, r1}\n ldr r0, [r4]\n ldr r0, [r4, #4]",
    "stmdb r6, {r0, r1}\n ldr r0, [r4, #56]\n ldr r0, [r4, #60]",
    "mov r9, sp\n mov sp, r6\n push {r0, r1}\n mov sp, r9\n ldr r0, [r4, #56]\n ldr r0, [r4, #60]",
    "mov r9, sp\n mov sp, r6\n vpush {d0}\n mov sp, r9\n ldr r0, [r4, #56]\n ldr r0, [r4, #60]",
    "strb r0, [r4, r3]\n ldr r0, [r4, #16]",
    "strh r0, [r4, #10]\n ldr r0, [r4, #8]",
    "vstr d0, [r4, #16]\n ldr r0, [r4, #16]\n ldr r0, [r4, #20]",
    # In an IT block, executed and skipped.
    "cmp r3, #16\n ite eq\n ldreq r0, [r4, #64]\n ldrne r0, [r4, #32]",
    # Literals, forward and backward, and a jump table.
    "ldr.n r0, table",
    "ldr.w r0, table",
    "ldr.w r0, behind",
    "ldrd r0, r1, table",
    "vldr s0, table",
    "mov r9, #0\n tbb [r10, r9]",  # offset 0 leads behind the instruction itself
)
WRONG = ("ldr r0, [r4, #60]", "ldr r0, [r4, #68]\n ldr r0, [r4, #72]", "str r0, [r4, #8]\n ldr r0, [r4, #12]")


def program(modes: tuple[str, ...]) -> str:
    lines = ["    .syntax unified\n    .thumb\n    .text"]
    for index, mode in enumerate(modes):
        for kind, body in (("without", ""), ("with", mode)):
            name = f"{kind}_{index}"
            own = body.replace("table", f"table_{name}").replace("behind", f"behind_{name}")
            lines.append(f"""
    .balign 8
behind_{name}: .word 0
    .type {name}, %function
    .thumb_func
{name}:
    push {{r4-r11, lr}}
    movw r4, #:lower16:words
    movt r4, #:upper16:words
    add r5, r4, #68
    add r6, r4, #64
    add r7, r4, #72
    mov r3, #16
    mov r8, #3
    ldr r0, [r6]
    ldr r0, [r5]
    adr.w r10, table_{name}
    ldr r0, [r10]
    ldr r0, [r10, #4]
    adr.w r9, behind_{name}
    ldr r0, [r9]
    mov r0, #0
    mov r1, #0
    .balign 4
    {own}
    pop {{r4-r11, pc}}
    .balign 8
table_{name}: .word 0, 0
    .size {name}, . - {name}""")
    calls = "\n".join(f"    bl without_{index}\n    bl with_{index}" for index in range(len(modes)))
    lines.append(f"""
    .global main
    .thumb_func
main:
    push {{r4, lr}}
{calls}
    pop {{r4, pc}}
    .global board_exit
    .thumb_func
board_exit: b .
    .bss
    .balign 16
words: .space 256""")
    return "\n".join(lines) + "\n"


def misses(build: Callable[..., Path], board: Board, modes: tuple[str, ...]) -> list[int]:
    """Misses of each mode beyond those of the same function without it."""
    timing = load_timing(board)
    # Enough lines for what a function touches between its warm-up and the mode, few enough to forget earlier functions.
    cache = Cache(128, 4, 32)
    memories = tuple(
        replace(memory, wait_states=7, read_bytes=4, fetch_cache=None, data_cache="d", port=None)
        for memory in timing.memories
    )
    timing = replace(timing, caches={"d": cache}, memories=memories)
    modes = ("nop", *modes)  # the first function finds another cache than the others do
    names = [f"{kind}_{index}" for index in range(len(modes)) for kind in ("without", "with")]
    found = simulate(build(board, assembly=program(modes)), board, timing, layers=names)
    counts = {layer.name: layer.cost.data_misses for layer in found.layers}
    return [counts[f"with_{index}"] - counts[f"without_{index}"] for index in range(1, len(modes))]


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33"])
def test_every_addressing_mode_reaches_its_words(
    core: str, board_of: Callable[[str], Board], build: Callable[..., Path]
) -> None:
    found = misses(build, board_of(core), MODES)
    assert not {mode: extra for mode, extra in zip(MODES, found) if extra}


def test_a_wrong_address_would_be_seen(board_of: Callable[[str], Board], build: Callable[..., Path]) -> None:
    assert misses(build, board_of("cortex-m4"), WRONG) == [1, 1, 1]
