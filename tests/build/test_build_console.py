from __future__ import annotations

import numpy as np
import pytest

from approx_plugin.build.console import LayerLine, Mismatch, joined, parse_console
from approx_plugin.build.emulator import verify
from approx_plugin.errors import VerificationError
from approx_plugin.reference.vectors import TestVectors

BOARD = """\
approx: network "digits_cnn" on NUCLEO-U575ZI-Q, 2 layers, 3 vectors
approx: layer 0 conv2d_0 cycles 12345
approx: layer 1 fully_connected_1 cycles 678
approx: vector 0 ok
approx: vector 1 MISMATCH layer 1 fully_connected_1 crc 0x1234abcd expected 0x9876fedc
approx: vector 2 MISMATCH output
Results for "digits_cnn", 3 inferences @160MHz/160MHz (complexity: 23680 MACC)
duration     : 62.976 ms (average)
CPU cycles   : 10579924 (average)
CPU Workload : 6% (duty cycle = 1s)
cycles/MACC  : 12.09 (average for all layers)
approx: FAIL 1/3
"""
EMULATOR = """\
approx: network "digits_cnn" on QEMU-cortex-m33, 2 layers, 2 vectors
approx: layer 0 conv2d_0 cycles n/a
approx: layer 1 fully_connected_1 cycles n/a
approx: vector 0 ok
approx: vector 1 ok
Results for "digits_cnn", 2 inferences @0MHz/0MHz (complexity: 23680 MACC)
duration     : n/a (no cycle counter on this machine)
CPU cycles   : n/a (no cycle counter on this machine)
CPU Workload : n/a (no cycle counter on this machine)
cycles/MACC  : n/a (no cycle counter on this machine)
approx: PASS 2/2
"""


def vectors(count: int) -> TestVectors:
    return TestVectors(
        np.zeros((count, 4), np.int8), np.zeros((count, 2), np.int8), np.zeros((count, 2), dtype=np.uint32)
    )


def test_lines_of_a_board() -> None:
    result = parse_console(BOARD.replace("\n", "\r\n"))
    assert (result.network, result.machine) == ("digits_cnn", "NUCLEO-U575ZI-Q")
    assert (result.passed, result.vectors, result.agreed) == (1, 3, (0,))
    assert result.layers == (LayerLine(0, "conv2d_0", 12345), LayerLine(1, "fully_connected_1", 678))
    assert result.mismatches == (
        Mismatch(1, 1, "MISMATCH layer 1 fully_connected_1 crc 0x1234abcd expected 0x9876fedc"),
        Mismatch(2, None, "MISMATCH output"),
    )
    assert dict(result.performance)["CPU cycles"] == "10579924 (average)"
    assert len(result.performance) == 4


def test_lines_without_a_cycle_counter() -> None:
    result = parse_console(EMULATOR)
    assert [layer.cycles for layer in result.layers] == [None, None]
    verify(result, vectors(2))


def test_layers_inside_a_step_have_no_line() -> None:
    lines = EMULATOR.replace("2 layers", "5 layers").replace("layer 0 conv2d_0", "layer 2 add_2")
    result = parse_console(lines.replace("layer 1 fully_connected_1", "layer 4 softmax_4"))
    assert result.layers == (LayerLine(2, "add_2", None), LayerLine(4, "softmax_4", None))
    verify(result, vectors(2))
    one_step = parse_console(EMULATOR.replace("approx: layer 0 conv2d_0 cycles n/a\n", ""))
    assert one_step.layers == (LayerLine(1, "fully_connected_1", None),)
    verify(one_step, vectors(2))


def test_verify_lists_the_mismatches() -> None:
    with pytest.raises(VerificationError) as caught:
        verify(parse_console(BOARD), vectors(3))
    message = str(caught.value)
    assert "1 of 3 vectors; the first wrong layer is 1" in message
    assert "vector 1: MISMATCH layer 1 fully_connected_1 crc 0x1234abcd expected 0x9876fedc" in message
    assert "vector 2: MISMATCH output" in message


def test_a_firmware_that_gives_up() -> None:
    scratch = "approx: SCRATCH too small for layer 3 conv2d_3\napprox: FAIL 0/2\n"
    with pytest.raises(VerificationError, match="0 of 2") as caught:
        verify(parse_console(scratch), vectors(2))
    assert "SCRATCH too small for layer 3 conv2d_3" in str(caught.value)
    failed = parse_console("approx: vector 0 FAILED layer 4 softmax_4\napprox: vector 1 MISMATCH layers seen 3\n")
    assert failed.mismatches == (
        Mismatch(0, 4, "FAILED layer 4 softmax_4"),
        Mismatch(1, None, "MISMATCH layers seen 3"),
    )


@pytest.mark.parametrize(
    "text",
    [
        EMULATOR.replace("PASS 2/2", "PASS 1/1"),
        EMULATOR.replace("approx: vector 1 ok\n", ""),
        EMULATOR.replace("vector 1 ok", "vector 0 ok"),
        EMULATOR.replace("approx: PASS 2/2", ""),
        EMULATOR + "approx: FAULT\n",
        "",
    ],
)
def test_a_pass_must_cover_every_vector(text: str) -> None:
    with pytest.raises(VerificationError):
        verify(parse_console(text), vectors(2))


def test_parts_are_numbered_through() -> None:
    result = joined(parse_console(EMULATOR), parse_console(BOARD), 2)
    assert (result.passed, result.vectors, result.agreed) == (3, 5, (0, 1, 2))
    assert [m.vector for m in result.mismatches] == [3, 4]
