"""Faults that are planted in a kernel: the harness has to see every one of them, where it is and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from toy_kernels import Fault, Faulty

from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.kernels.TEMPLATE import Loop
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import Stand, Subject, Verdict, examine
from approx_plugin.laboratory.operators import activation, pool
from approx_plugin.operators.geometry import SAME, Window
from approx_plugin.operators.max_pool2d import MaxPool2D

BOARD = load_board("nucleo-l4r5zi")
POOL = pool(MaxPool2D, activation(0, (5, 4, 3), 0.02, -7), Window.resolve(SAME, (5, 4), (3, 2), (2, 1)), (-128, 127))
EVERY_INPUT = 4


def verdict(kernels: Sequence[Kernel], folder: Path) -> Verdict:
    """Each kernel computes the same layer."""
    platform = unpriced(BOARD, "assembly")
    subjects = [
        Subject(number, Drawn((POOL,), kernel, kernel.plans((POOL,), platform)[0].variant))
        for number, kernel in enumerate(kernels)
    ]
    return examine(subjects, Stand(BOARD, platform, None, folder, 1), 3)


SEEN = {
    "writes a byte too many": (Fault("", after="output[{outputs}] = 1;"), "the 64 bytes after the output", 4),
    "writes a byte too early": (Fault("", after="output[-1] = 1;"), "the 64 bytes before the output", 4),
    "leaves a byte out": (
        Fault("", before="const int8_t old = output[{outputs} - 1];", after="output[{outputs} - 1] = old;"),
        "output[35] is",
        4,
    ),
    "changes its input": (Fault("", after="((int8_t *)input)[7] ^= 1;"), "input 1 changed, first at index 7", 4),
    "writes before its input": (Fault("", after="((int8_t *)input)[-64] ^= 1;"), "the 64 bytes before input 1", 4),
    "writes beyond its scratch": (Fault("", after="scratch[16] ^= 1;", scratch=16), "after the scratch in RAM", 4),
    "spoils r7": (Fault("", assembly="movs r7, #1"), "r7 is not what it was: 0x00000001", 4),
    "spoils r11": (Fault("", assembly="mov r11, sp"), "r11 is not what it was", 4),
    "spoils s16": (Fault("", assembly="vmov s16, r0"), "s16 is not what it was", 4),
    "spoils s31": (Fault("", assembly="vmov s31, r0"), "s31 is not what it was", 4),
    "loses its stack": (Fault("", assembly="sub sp, #8"), "sp is not what it was", 4),
    "takes what scratch happens to hold": (
        Fault("", after="output[2] = (int8_t)(output[2] ^ (scratch[5] | 1));", scratch=16),
        "output[2] is",
        4,
    ),
    "is wrong for one extreme input": (
        Fault("", after="output[9] ^= (int8_t)(input[0] == 127 && input[1] == 127 && input[2] == 127);"),
        "output[9] is 126, not 127 (1 of 36 bytes differ); input: all 127",
        1,
    ),
    "plans too little scratch": (
        Fault("", asks=17, scratch=16),
        "the library asks for more scratch than the plan has",
        1,
    ),
    "has a status": (Fault("", assembly="mvn r0, #1", can_fail=True), "its status is -2, not 0", 4),
}
"""Name -> the fault, what is said, and how often."""


@pytest.fixture(scope="module")
def seen(objects: Path) -> Verdict:
    """All of them at once, between two kernels without a fault."""
    planted = [Faulty(replace(fault, name=name)) for name, (fault, _, _) in SEEN.items()]
    return verdict([Loop(), *planted, Loop()], objects / "faults")


@pytest.mark.parametrize("name", SEEN)
def test_a_planted_fault_is_seen(name: str, seen: Verdict) -> None:
    _, what, times = SEEN[name]
    number = [*SEEN].index(name) + 1
    found = [fault for fault in seen.faults if fault.number == number]
    assert [what in fault.what for fault in found] == [True] * times, [*map(str, found)]
    text = str(found[0])
    for part in ("template", name, "MAX_POOL_2D", "5x4x3 -> 3x4x3", "cortex-m4, assembly, seed 3", f"layer {number}"):
        assert part in text


def test_whoever_does_nothing_wrong_is_not_blamed(seen: Verdict) -> None:
    assert {fault.number for fault in seen.faults} == {*range(1, len(SEEN) + 1)}
    assert [measured.subject.number for measured in seen.measured] == [*range(len(SEEN) + 2)]
    first, last = seen.measured[0].figures, seen.measured[-1].figures
    assert first.instructions == last.instructions > 36 * 6
    assert first.ideal_cycles <= first.cycles


def test_kernels_that_do_not_come_back_are_told_and_the_others_run(objects: Path) -> None:
    lost = (
        Fault("reads where there is nothing", after="(void)*(volatile int32_t *)0x90000000u;"),
        Fault("stands still", after="for (;;) {{ }}"),
        Fault("never ends", after="while (*(volatile const int8_t *)input == input[0]) {{ }}"),
        Fault("returns to somewhere else", assembly="movw lr, #0x1235"),
    )
    found = verdict(
        [Loop(), *map(Faulty, lost), Faulty(Fault("writes too much", after="output[-3] ^= 1;"))], objects / "lost"
    )
    assert [measured.subject.number for measured in found.measured] == [0, 5]
    assert [fault.number for fault in found.faults[:4]] == [1, 2, 3, 4]
    assert "0x90000000" in found.faults[0].what or "failed at" in found.faults[0].what
    for fault in found.faults[1:3]:
        assert "does not come to its end" in fault.what
    assert {fault.number for fault in found.faults[4:]} == {5}
