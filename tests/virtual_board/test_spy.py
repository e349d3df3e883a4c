"""Spies: told about every call, may look and change, and cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.errors import ToolError
from approx_plugin.virtual_board.simulation import simulate
from approx_plugin.virtual_board.spy import Core, Spy

Build = Callable[..., Path]

PROGRAM = """
#include <stdint.h>
void board_exit(int status) { (void)status; for (;;) { } }
static volatile int32_t numbers[4] = {5, 6, 7, 8};
__attribute__((noipa)) int32_t inner(int32_t x) { return x * 3 + numbers[x & 3]; }
__attribute__((noipa)) int32_t outer(int32_t a, int32_t b) { return inner(a) + inner(b) + 1; }
__attribute__((noipa)) int32_t down(int32_t n) { return n ? down(n - 1) + 1 : 0; }
/* FPU on, as start-up code does. */
int main(void) {
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm volatile("dsb\\n isb");
    return outer(1, 2) + outer(3, 4) + down(3);
}
"""
# inner: 9, 13, 17, 17; outer: 23, 35; down: 3
RESULT = 61


class Log(Spy):
    """Keeps what it saw: arguments, results."""

    def __init__(self) -> None:
        self.entered: list[tuple[int, ...]] = []
        self.left: list[int] = []

    def enter(self, core: Core) -> None:
        self.entered.append((core.register("r0"), core.register("r1")))

    def leave(self, core: Core) -> None:
        self.left.append(core.register("r0"))


@pytest.mark.parametrize("name", ["nucleo-f446re", "nucleo-u575zi-q", "nucleo-f767zi"])
def test_every_call_is_told_and_no_figure_changes(name: str, build: Build) -> None:
    board = load_board(name)
    elf = build(board, c=PROGRAM)
    plain = simulate(elf, board, layers=("outer", "inner"))
    assert plain.exit_status == RESULT
    outer, inner, down = Log(), Log(), Log()
    spied = simulate(elf, board, layers=("outer", "inner"), spies={"inner": inner, "outer": outer, "down": down})
    assert spied == plain
    assert outer.entered == [(1, 2), (3, 4)]
    assert outer.left == [23, 35]
    assert [arguments[0] for arguments in inner.entered] == [1, 2, 3, 4]
    assert inner.left == [9, 13, 17, 17]
    assert (down.entered[0][0], down.left, len(down.entered)) == (3, [3], 1)


class Meddler(Spy):
    """Changes an argument and the result; and registers, which it gives back."""

    def enter(self, core: Core) -> None:
        core.set_register("r0", core.register("r0") + 4)
        self.kept = {name: core.register(name) for name in ("r4", "r11", "s16", "s31")}
        for name in self.kept:
            core.set_register(name, 0xDEADBEEF)
        assert all(core.register(name) == 0xDEADBEEF for name in self.kept)

    def leave(self, core: Core) -> None:
        for name, value in self.kept.items():
            assert core.register(name) == 0xDEADBEEF
            core.set_register(name, value)
        core.set_register("r0", core.register("r0") - 12 + 100)


def test_a_spy_may_change_what_it_sees(build: Build) -> None:
    board = load_board("nucleo-u575zi-q")
    elf = build(board, c=PROGRAM)
    assert simulate(elf, board, spies={"inner": Meddler()}).exit_status == RESULT + 4 * 100


class Reader(Spy):
    """Reads and writes where it is told to."""

    def __init__(self, address: int) -> None:
        self.address = address

    def enter(self, core: Core) -> None:
        core.store(self.address, b"\1\2\3\4")
        assert core.load(self.address, 4) == b"\1\2\3\4"

    def leave(self, core: Core) -> None:
        pass


def test_memory_is_there_or_it_is_said(build: Build) -> None:
    board = load_board("nucleo-u575zi-q")
    elf = build(board, c=PROGRAM)
    assert simulate(elf, board, spies={"down": Reader(board.ram.origin + 0x8000)}).exit_status == RESULT
    with pytest.raises(ToolError, match="no memory"):
        simulate(elf, board, spies={"down": Reader(0x9000_0000)})
    with pytest.raises(ToolError, match="has no function 'nobody'"):
        simulate(elf, board, spies={"nobody": Log()})
