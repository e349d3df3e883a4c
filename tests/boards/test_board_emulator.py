"""Core/main.c with a small network on QEMU's three machines: exactly the lines that others parse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_firmware import LAYERS, Vectors, build, qemu

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board

MACHINES = {"nucleo-u575zi-q": "mps2-an505", "nucleo-l4r5zi": "mps2-an386", "nucleo-f767zi": "mps2-an500"}
CORES = {"nucleo-u575zi-q": "cortex-m33", "nucleo-l4r5zi": "cortex-m4", "nucleo-f767zi": "cortex-m7"}


@pytest.fixture(params=MACHINES)
def board(request: pytest.FixtureRequest) -> Board:
    board = load_board(request.param)
    assert board.emulator and board.emulator.machine == MACHINES[request.param]
    return board


def expected_lines(
    board: Board, verdicts: list[str], passed: int, stack: str, observed: Sequence[int] = (0, 1, 2)
) -> list[str]:
    missing = "n/a (no cycle counter on this machine)"
    return [
        f'approx: network "fake" on QEMU-{CORES[board.id]}, 3 layers, {len(verdicts)} vectors',
        *(f"approx: layer {index} {LAYERS[index]} cycles n/a" for index in observed),
        *(f"approx: vector {index} {verdict}" for index, verdict in enumerate(verdicts)),
        f'Results for "fake", {len(verdicts)} inferences @n/a (complexity: 1234 MACC)',
        f"duration     : {missing}",
        f"CPU cycles   : {missing}",
        f"CPU Workload : {missing}",
        f"cycles/MACC  : {missing}",
        stack,
        f"approx: {'PASS' if passed == len(verdicts) else 'FAIL'} {passed}/{len(verdicts)}",
    ]


def test_all_right(board: Board, tmp_path: Path) -> None:
    status, lines = qemu(board, build(board, tmp_path, vectors=Vectors(12), emulator=True))
    assert status == 0
    assert lines == expected_lines(board, ["ok"] * 12, 12, lines[-2])
    assert 100 < int(lines[-2].removeprefix("used stack   : ").removesuffix(" bytes")) < 1000


def test_mismatches(board: Board, tmp_path: Path) -> None:
    """The first wrong layer is named, and a wrong output after right layers is found."""
    vectors = Vectors(4)
    right = [list(checksums) for checksums in vectors.checksums]
    vectors.checksums[0][1] ^= 0x80000000
    vectors.checksums[2][0] ^= 1
    vectors.checksums[2][2] ^= 1
    vectors.outputs[3][9] ^= 1
    status, lines = qemu(board, build(board, tmp_path, vectors=vectors, emulator=True))
    assert status == 1
    verdicts = [
        f"MISMATCH layer 1 mirror_1 crc {right[0][1]:#010x} expected {vectors.checksums[0][1]:#010x}",
        "ok",
        f"MISMATCH layer 0 halve_0 crc {right[2][0]:#010x} expected {vectors.checksums[2][0]:#010x}",
        "MISMATCH output",
    ]
    assert lines == expected_lines(board, verdicts, 1, lines[-2])


def test_layer_fails(board: Board, tmp_path: Path) -> None:
    elf = build(board, tmp_path, vectors=Vectors(2), emulator=True, defines=["FAILING_LAYER=1"])
    status, lines = qemu(board, elf)
    assert status == 1
    assert lines == expected_lines(board, ["FAILED layer 1 mirror_1"] * 2, 0, lines[-2], observed=[0])


@pytest.mark.parametrize("fused", [0, 1])
def test_a_step_of_two_layers_is_observed_once(board: Board, fused: int, tmp_path: Path) -> None:
    """The layer inside the step is neither printed nor compared; what follows from it is."""
    vectors = Vectors(3)
    vectors.checksums[0][fused] ^= 1
    vectors.checksums[1][fused + 1] ^= 1
    elf = build(board, tmp_path, vectors=vectors, emulator=True, defines=[f"FUSED_LAYER={fused}"])
    status, lines = qemu(board, elf)
    assert status == 1
    wrong = vectors.checksums[1][fused + 1]
    verdicts = [
        "ok",
        f"MISMATCH layer {fused + 1} {LAYERS[fused + 1]} crc {wrong ^ 1:#010x} expected {wrong:#010x}",
        "ok",
    ]
    observed = [layer for layer in range(3) if layer != fused]
    assert lines == expected_lines(board, verdicts, 2, lines[-2], observed)


def test_silent_observer_is_no_pass(board: Board, tmp_path: Path) -> None:
    elf = build(board, tmp_path, vectors=Vectors(1), emulator=True, defines=["OBSERVED_LAYERS=2"])
    status, lines = qemu(board, elf)
    assert status == 1
    assert lines == expected_lines(board, ["MISMATCH layers seen 2"], 0, lines[-2], observed=[0, 1])


def test_an_observer_that_sees_too_much_is_no_pass(board: Board, tmp_path: Path) -> None:
    elf = build(board, tmp_path, vectors=Vectors(1), emulator=True, defines=["FUSED_LAYER=7"])
    status, lines = qemu(board, elf)
    assert status == 1
    assert lines == expected_lines(board, ["MISMATCH layers seen 3"], 0, lines[-2])


def test_small_scratch(board: Board, tmp_path: Path) -> None:
    elf = build(board, tmp_path, vectors=Vectors(2), emulator=True, defines=["SMALL_SCRATCH_LAYER=2"])
    assert qemu(board, elf) == (
        1,
        [
            f'approx: network "fake" on QEMU-{CORES[board.id]}, 3 layers, 2 vectors',
            "approx: SCRATCH too small for layer 2 sum_2",
            "approx: FAIL 0/2",
        ],
    )


def test_no_vectors_prove_nothing(board: Board, tmp_path: Path) -> None:
    status, lines = qemu(board, build(board, tmp_path, vectors=Vectors(0), emulator=True))
    assert (status, lines[-1]) == (1, "approx: FAIL 0/0")


def test_large_images(board: Board, tmp_path: Path) -> None:
    """3 MB of code, 5 MB of constants and 6 MB of activations."""
    code = tmp_path / "code.s"
    code.write_text(
        ".syntax unified\n.thumb\n.text\n.global large_code\n.type large_code, %function\n.thumb_func\nlarge_code:\n"
        "  .fill 1500000, 2, 0x3001 /* adds r0, #1 */\n  bx lr\n.size large_code, . - large_code\n"
    )
    constants = tmp_path / "constants.c"
    constants.write_text(
        "#include <stdint.h>\nextern uint32_t large_code(uint32_t value);\nvoid large(void);\n"
        "const uint32_t table[1250000] = {[0] = 3u, [1249999] = 4u};\nvolatile uint32_t last = 1249999u;\n"
        "void large(void)\n{\n    if (large_code(table[0]) != 1500003u || table[last] != 4u) {\n"
        '        __asm volatile("udf #0");\n    }\n}\n'
    )
    elf = build(
        board,
        tmp_path,
        vectors=Vectors(1),
        emulator=True,
        defines=["APPROX_NETWORK_ACTIVATIONS_SIZE=6000000u", "EXTRA_CODE=large"],
        extra=[code, constants],
    )
    status, lines = qemu(board, elf)
    assert (status, lines[-1]) == (0, "approx: PASS 1/1")


def test_fault_ends_the_emulator(board: Board, tmp_path: Path) -> None:
    user = tmp_path / "fault.c"
    user.write_text('void fault(void);\nvoid fault(void)\n{\n    __asm volatile("udf #0");\n}\n')
    elf = build(board, tmp_path, vectors=Vectors(1), emulator=True, defines=["EXTRA_CODE=fault"], extra=[user])
    status, lines = qemu(board, elf)
    assert status == 3
    assert lines[-1] == "approx: FAULT"


def test_floating_point_and_printf_work(board: Board, tmp_path: Path) -> None:
    """The FPU is on before main, and newlib's printf reaches the console."""
    user = tmp_path / "user.c"
    user.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\nvoid chat(void);\nvolatile float third = 3.0f;\n"
        "static volatile int constructed;\n__attribute__((constructor)) static void construct(void)\n"
        "{\n    constructed = 7;\n}\n"
        "void chat(void)\n{\n    char *text = malloc(100);\n    third = 1.0f / third;\n"
        '    snprintf(text, 100, "%d %d", (int)(third * 3000.0f), constructed);\n'
        '    printf("said %s\\n", text);\n    fflush(stdout);\n    free(text);\n}\n'
    )
    elf = build(board, tmp_path, vectors=Vectors(1), emulator=True, defines=["EXTRA_CODE=chat"], extra=[user])
    status, lines = qemu(board, elf)
    assert status == 0
    assert "said 1000 7" in lines
