"""Whole programs: console, cycle counter, layers, stack, ends, failures; QEMU beside it; planted slow-downs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.errors import BoardError, CapacityError, ToolError
from approx_plugin.virtual_board.results import Simulation
from approx_plugin.virtual_board.simulation import simulate
from approx_plugin.virtual_board.timing import load_timing

Build = Callable[..., Path]

PROGRAM = """
#include <stdint.h>
#define WORD(address) (*(volatile uint32_t *)(address))
static void put(char c) {{ WORD({console:#x}) = (uint32_t)c; }}
void board_exit(int status) {{ (void)status; for (;;) {{ }} }}
static void number(uint32_t n) {{
    char digits[10];
    int i = 0;
    do {{ digits[i++] = (char)('0' + n % 10); n /= 10; }} while (n);
    while (i) put(digits[--i]);
    put('\\n');
}}
/* 4096 bytes that are read from flash, over and over. */
static const uint8_t table[4096] = {{1, 2, 3}};
static volatile uint32_t in_ram = 7;
__attribute__((noinline)) uint32_t reads_flash(uint32_t n) {{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += ((const volatile uint8_t *)table)[(i * 68) & 4095];
    return sum;
}}
__attribute__((noinline)) uint32_t straight(uint32_t x) {{
#define STEP __asm volatile("movw %0, #1234\\n movt %0, #1\\n" : "+r"(x));
#define STEPS STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP
    STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS
    return x;
}}
__attribute__((noinline)) uint32_t deep(uint32_t n) {{
    volatile uint8_t room[64];
    room[n & 63] = 1;
    return n ? deep(n - 1) + room[0] : 1;
}}
__attribute__((noinline)) uint32_t outer(uint32_t n) {{ return reads_flash(n) + straight(n); }}
int main(void) {{
    if (in_ram != 7) return 1;
    WORD(0xE0001004) = 0;
    uint32_t begin = WORD(0xE0001004);
    uint32_t sum = outer(100);
    uint32_t cycles = WORD(0xE0001004) - begin;
    number(cycles);
    number(sum + deep(10) + deep(10));
    return 42;
}}
"""
LAYERS = ("reads_flash", "straight", "outer")


@pytest.fixture
def program(build: Build) -> Callable[[Board], Path]:
    """The program for a board."""

    def make(board: Board) -> Path:
        assert board.console
        return build(board, c=PROGRAM.format(console=board.console.write_address), name=board.id)

    return make


@pytest.fixture
def l4(program: Callable[[Board], Path]) -> tuple[Path, Board]:
    """The program for the Cortex-M4 with the slowest flash."""
    board = load_board("nucleo-l4r5zi")
    return program(board), board


def by_name(simulation: Simulation) -> dict[str, int]:
    return {layer.name: layer.cost.board.cycles for layer in simulation.layers}


@pytest.mark.parametrize("name", known_boards())
def test_every_board_runs_a_program(name: str, program: Callable[[Board], Path]) -> None:
    board = load_board(name)
    elf = program(board)
    runs = [simulate(elf, board, layers=LAYERS) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    found = runs[0]
    assert (found.ended, found.exit_status, found.core, found.clock_hz) == ("symbol", 42, board.core, board.clock_hz)
    counted, _ = found.console.splitlines()
    outer = found.layers[2]
    assert [layer.calls for layer in found.layers] == [1, 1, 1]
    # What the firmware read from its own counter is what the model says, but for the call and the reads around it.
    assert 0 <= int(counted) - outer.cost.board.cycles < 60
    parts = by_name(found)
    assert parts["reads_flash"] + parts["straight"] < parts["outer"]
    for cost in (found.total, *(layer.cost for layer in found.layers)):
        assert cost.ideal.cycles <= cost.board.cycles
        assert cost.ideal.stalls.fetch == 0
        assert cost.board.cycles > cost.board.stalls.total
    # deep() ten times over keeps at least its 64 bytes each.
    assert 11 * 64 < found.stack_bytes < 11 * 64 + 1024
    assert sum(profile.instructions for profile in found.profile) == found.total.instructions
    assert sum(profile.cycles for profile in found.profile) == found.total.board.cycles


@pytest.mark.parametrize("core", ["m4", "m33", "m7"])
def test_nothing_waits_on_an_ideal_board(core: str, program: Callable[[Board], Path]) -> None:
    board = load_board(f"ideal-cortex-{core}")
    found = simulate(program(board), board, layers=LAYERS)
    for cost in (found.total, *(layer.cost for layer in found.layers)):
        assert cost.board == cost.ideal
        assert cost.fetch_misses == cost.data_misses == 0


def test_the_same_console_on_all_cores(program: Callable[[Board], Path]) -> None:
    sums = set()
    for name in ("nucleo-f446re", "nucleo-u575zi-q", "nucleo-h743zi2"):
        board = load_board(name)
        sums.add(simulate(program(board), board).console.splitlines()[1])
    assert len(sums) == 1


def test_one_more_wait_state_shows_in_fetches_and_in_flash_data(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    timing = load_timing(board)
    base = simulate(elf, board, timing, layers=LAYERS)
    flash = timing.memories[0]
    one_more = {"wait_states": flash.wait_states + 1, "beat_cycles": flash.beat_cycles + 1}
    slow = simulate(elf, board, timing.with_memory("FLASH", **one_more), layers=LAYERS)
    straight, straight_slow = base.layers[1].cost, slow.layers[1].cost
    # 512 wide instructions are 256 reads of 8 bytes; every one arrives a cycle later.
    assert 250 <= straight_slow.board.stalls.fetch - straight.board.stalls.fetch <= 270
    assert straight_slow.board.stalls.data == straight.board.stalls.data
    reads, reads_slow = base.layers[0].cost, slow.layers[0].cost
    # 100 reads, 68 bytes apart, of a table that does not fit the data cache: every one waits a cycle longer.
    assert reads_slow.data_misses == reads.data_misses >= 100
    assert 100 <= reads_slow.board.stalls.data - reads.board.stalls.data <= 110
    assert slow.total.ideal == base.total.ideal


def test_a_dropped_instruction_cache_shows_in_a_loop(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    timing = load_timing(board)
    base = simulate(elf, board, timing, layers=LAYERS).layers[0].cost
    dropped = simulate(elf, board, timing.without_cache("instruction"), layers=LAYERS).layers[0].cost
    # The loop runs from the cache; without it every turn waits for flash behind its branch.
    assert base.board.stalls.fetch < 60
    assert dropped.board.stalls.fetch >= 100 * 5
    assert dropped.ideal == base.ideal


def test_a_dropped_data_cache_shows_where_data_is_read_again(build: Build) -> None:
    board = load_board("nucleo-f446re")
    assert board.console
    twice = PROGRAM.format(console=board.console.write_address).replace("(i * 68) & 4095", "i * 16 & 63")
    elf = build(board, c=twice)
    timing = load_timing(board)
    with_cache = simulate(elf, board, timing, layers=LAYERS).layers[0].cost
    without = simulate(elf, board, timing.without_cache("data"), layers=LAYERS).layers[0].cost
    assert with_cache.data_misses <= 6
    assert without.data_misses >= 100


def test_the_wider_flash_of_one_bank_is_faster(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    single = load_board("nucleo-l4r5zi-single-bank")
    two, one = (simulate(elf, either, layers=LAYERS) for either in (board, single))
    straight = two.layers[1].cost.board.cycles, one.layers[1].cost.board.cycles
    # Two wide instructions in six cycles against four in six.
    assert 1.9 < straight[0] / straight[1] < 2.1
    assert (two.board_id, one.board_id) == ("nucleo-l4r5zi", "nucleo-l4r5zi-single-bank")
    assert one.total.ideal == two.total.ideal


def test_a_symbol_ends_a_run_and_a_limit_does(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    assert simulate(elf, board, until="outer").exit_status == 100
    assert simulate(elf, board, until="outer").ended == "symbol"
    # Without such a function, board_exit's endless loop ends the run.
    assert simulate(elf, board, until="no_such_function").ended == "loop"
    limited = simulate(elf, board, limit=500)
    assert (limited.ended, limited.total.instructions) == ("limit", 500)


def test_an_inlined_layer_is_said_to_be_missing(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    with pytest.raises(ToolError, match="no function 'number_of_things'"):
        simulate(elf, board, layers=("number_of_things",))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("ldr r0, =0x70000000\n ldr r0, [r0]", "failed at 0x08[0-9a-f]{6} in main"),
        ("udf #0", "failed at 0x08[0-9a-f]{6} in main"),
        ("mcr p0, #0, r0, c0, c0", "failed at 0x08[0-9a-f]{6} in main\n.*no timing for 'mcr p0"),
        ("svc 0", "SVC"),
        ("bkpt 1", "BKPT"),
        ("mov r0, #0x77\n bkpt 0xab", "semihosting call 0x77"),
        ("ldr r0, =0x70000001\n bx r0", "failed at 0x70000000"),
        ("ldr r0, =0x20000801\n bx r0", "failed at|took"),
    ],
)
def test_a_firmware_that_fails(body: str, message: str, build: Build) -> None:
    board = load_board("nucleo-f446re")
    source = f"""
        .syntax unified
        .thumb
        .global main
        .type main, %function
        .thumb_func
    main: {body}
        bx lr
        .pool
        .size main, . - main
        .global board_exit
        .thumb_func
    board_exit: b .
    """
    with pytest.raises(ToolError, match=message):
        simulate(build(board, assembly=source), board)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33", "cortex-m7"])
def test_loads_of_an_it_block_leave_nothing_behind(core: str, board_of: Callable[[str], Board], build: Build) -> None:
    # With unicorn's memory hooks, instructions behind such a block are skipped (2.1.4): this program would count wrong.
    source = """
        .syntax unified
        .thumb
        .global main
        .thumb_func
    main:
        push {r4, lr}
        mov r4, #0
        ldr r2, =words
        ldr r3, =0xe0001004
        cmp r4, #0
        ite eq
        ldreq r1, [r2]
        movne r1, #9
        add r4, r4, #1
        b 1f
    1:  add r4, r4, #1
        add r4, r4, #1
        cmp r4, #3
        ittt eq
        ldreq r1, [r3]
        streq r1, [r2]
        addeq r4, r4, #1
        b 2f
    2:  add r4, r4, #1
        add r4, r4, #1
        bl returns
        add r4, r4, #1
        add r4, r4, #1
        mov r0, r4
        pop {r4, pc}
        .pool
        .thumb_func
    returns:
        push {r5, lr}
        cmp r4, #6
        it eq
        popeq {r5, pc}
        mov r4, #100
        pop {r5, pc}
        .global board_exit
        .type board_exit, %function
        .thumb_func
    board_exit: b .
        .bss
    words: .space 8
    """
    board = board_of(core)
    assert simulate(build(board, assembly=source), board).exit_status == 8


def test_a_firmware_that_does_not_fit(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    small = replace(board, memories=(Memory("FLASH", "flash", 0x08000000, 256), board.ram))
    with pytest.raises(CapacityError, match="lies in no memory of the board"):
        simulate(elf, small)


def test_a_board_without_timing_or_console(l4: tuple[Path, Board]) -> None:
    elf, board = l4
    with pytest.raises(BoardError, match="has no timing"):
        simulate(elf, replace(board, timing=None))
    with pytest.raises(BoardError, match="no console"):
        simulate(elf, replace(board, console=None))
    with pytest.raises(BoardError, match="no timing for the core 'cortex-m85'"):
        simulate(elf, replace(board, core="cortex-m85"))


@pytest.mark.parametrize("package", ["unicorn", "capstone"])
def test_a_package_that_is_missing(package: str, l4: tuple[Path, Board], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("machine", "operation"):
        monkeypatch.delitem(sys.modules, f"approx_plugin.virtual_board.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ToolError, match=f"needs the Python package '{package}'") as caught:
        simulate(*l4)
    assert "approx-plugin[virtual-board]" in caught.value.hint


# Instructions that QEMU has executed, by its plugin interface (qemu-plugin.h, version 1), of which Debian packages no
# header: the few declarations that are needed.
COUNTER = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct qemu_plugin_tb;
struct qemu_plugin_insn;
int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*callback)(uint64_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *where, uint64_t add);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(uint64_t, void *), void *data);
static uint64_t count;
static void translated(uint64_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
        qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(tb, i), 0, &count, 1);
}
static void finished(uint64_t id, void *data) {
    (void)id; (void)data;
    fprintf(stderr, "instructions %llu\\n", (unsigned long long)count);
}
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    (void)info; (void)argc; (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
"""

SEMIHOSTED = """
#include <stdint.h>
static int semihosting(int operation, const void *argument) {
    register int r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
static volatile int32_t seed = -12345;
static uint8_t bytes[256];
void board_exit(int status) {
    uint32_t arguments[2] = {0x20026, (uint32_t)status};
    for (;;) semihosting(0x20, arguments);
}
int main(void) {
    char text[16];
    uint32_t hash = 2166136261u;
    int32_t x = seed;
    /* Divisions, conditional execution, tables, 64-bit products, DSP instructions. */
    for (int i = 1; i < 3000; i++) {
        x = x * 1103515245 + 12345;
        bytes[i & 255] = (uint8_t)(x >> 16);
        int32_t y = x / i + x % (i + 3);
        y = y > 1000 ? 1000 : y < -1000 ? -1000 : y;
        if ((x & 7) == 3) y += bytes[(uint32_t)x >> 24];
        int32_t z = (int32_t)(((int64_t)x * y) >> 31);
        __asm volatile("smlad %0, %1, %2, %0" : "+r"(z) : "r"(x), "r"(y));
        switch (x & 15) {
        case 0: z += 3; break; case 1: z ^= 77; break; case 2: z -= 9; break; case 3: z *= 3; break;
        case 4: z |= 1; break; case 5: z &= ~2; break; case 6: z += y; break; default: z ^= x; break;
        }
        hash = (hash ^ (uint32_t)z) * 16777619u;
    }
    for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[hash >> (28 - 4 * i) & 15];
    text[8] = '\\n';
    text[9] = 0;
    semihosting(4, text);
    return 5;
}
"""


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "nucleo-u575zi-q", "nucleo-h7a3zi-q"])
def test_qemu_agrees_on_output_and_instruction_count(name: str, build: Build, tmp_path: Path) -> None:
    qemu, compiler = shutil.which("qemu-system-arm"), shutil.which("cc")
    if not qemu or not compiler:
        pytest.skip("needs qemu-system-arm and cc")
    board = load_board(name)
    assert board.emulator
    plugin = tmp_path / "counter.so"
    (tmp_path / "counter.c").write_text(COUNTER)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(plugin), str(tmp_path / "counter.c")], check=True, timeout=60
    )
    memories = (board.emulator.code, board.emulator.data)
    elf = build(board, c=SEMIHOSTED, memories=memories)
    command = [
        *(qemu, "-M", board.emulator.machine, "-display", "none", "-monitor", "none", "-serial", "none"),
        *("-chardev", "stdio,id=console", "-semihosting-config", "enable=on,target=native,chardev=console"),
        *("-kernel", str(elf), "-plugin", str(plugin)),
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "-plugin" in outcome.stderr:
        pytest.skip("this QEMU takes no plugins")
    found = simulate(elf, board, until="", memories=memories)
    assert (found.ended, found.exit_status) == ("exit", outcome.returncode) == ("exit", 5)
    assert found.console == outcome.stdout
    assert outcome.stderr == f"instructions {found.total.instructions}\n"
