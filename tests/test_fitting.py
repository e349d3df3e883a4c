"""What is linked has to fit: test vectors give way, then kernels are chosen again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_project import MODEL, exact, write_spec

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.build.overflow import OverflowedError, overflowed
from approx_plugin.kernels.capacity import FLASH_RESERVE, LAYER_RESERVE
from approx_plugin.model.graph import State
from approx_plugin.pipeline import linked
from approx_plugin.pipeline.generate import generate
from approx_plugin.request import Request
from approx_plugin.spec.order import Order
from approx_plugin.suitability import unsuited
from approx_plugin.tflite.reader import read_graph
from approx_plugin.vectors import bytes_of_one, fitting, give_way, reserved

GRAPH = read_graph(MODEL)
ONE = bytes_of_one(GRAPH)


def sized(flash: int) -> Board:
    board = load_board("nucleo-u575zi-q")
    ram = next(memory for memory in board.memories if memory.kind == "ram")
    return replace(board, memories=(Memory("FLASH", "flash", 0x0800_0000, flash), ram))


def test_one_vector_has_room_of_its_own_unless_it_is_large() -> None:
    assert reserved(GRAPH, sized(8 * ONE), 4) == ONE
    assert reserved(GRAPH, sized(8 * ONE - 1), 4) == 0
    assert reserved(GRAPH, sized(1 << 20), 0) == 0


def test_vectors_take_what_is_left() -> None:
    class Program:
        graph, flash_bytes = GRAPH, 5000

    program: Any = Program()
    fixed = FLASH_RESERVE + len(GRAPH.operators) * LAYER_RESERVE + 5000
    for count in range(4):
        assert fitting(program, sized(fixed + count * ONE), 3) == count
        assert fitting(program, sized(fixed + count * ONE), 3, taken=1) == max(0, count - 1)
    assert fitting(program, sized(1 << 20), 3) == 3 and fitting(program, sized(1000), 3) == 0


def test_vectors_give_way_first() -> None:
    board = sized(1 << 20)
    assert give_way(GRAPH, board, 4, ONE) == (3, 0)
    assert give_way(GRAPH, board, 4, ONE + 1) == (2, 0)
    # The last one stays.
    assert give_way(GRAPH, board, 4, 3 * ONE + 7) == (1, 7)
    assert give_way(GRAPH, sized(7 * ONE), 4, 4 * ONE + 7) == (0, 7)


def test_what_the_linker_says() -> None:
    output = "ld: net.elf section `.text' will not fit\nld: region `FLASH' overflowed by 14204 bytes\n"
    error = overflowed(output + "ld: region 'RAM' overflowed by 8 bytes", "net.elf")
    assert error is not None and error.regions == {"FLASH": 14204, "RAM": 8}
    assert "FLASH by 14,204 bytes, RAM by 8 bytes" in error.what and "test_vectors: 0" in error.hint
    assert overflowed("undefined reference to `main'", "net.elf") is None


def spec_of(folder: Path) -> Path:
    path = write_spec(folder, exact())
    text = path.read_text(encoding="utf-8")
    assert "directory: out" in text
    path.write_text(text.replace("directory: out", "directory: out\n  test_vectors: 3"), encoding="utf-8")
    return path


@pytest.mark.parametrize(("short", "vectors"), [(ONE, 2), (2 * ONE + 4000, 1)])
def test_an_overflow_is_corrected(short: int, vectors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A linker that complains once."""
    sizes: list[int] = []

    def build(files: Mapping[str, bytes], *_: Any) -> None:
        sizes.append(sum(map(len, files.values())))
        if len(sizes) == 1:
            raise OverflowedError({"FLASH": short}, "net.elf")

    monkeypatch.setattr(linked, "_build", build)
    said: list[str] = []
    made = generate(Order.of(Request(spec=spec_of(tmp_path))), said.append)
    assert len(sizes) == 2 and any("choosing again" in line for line in said)
    text = (made.directory / "Core/Src/test_vectors.c").read_text(encoding="utf-8")
    assert f"test_vector_count = {vectors}u" in text
    one = Order.of(Request(spec=spec_of(tmp_path))).board.flash.length
    left_out = max(0, short - 2 * ONE)
    assert made.report.flash_budget == one - FLASH_RESERVE - 6 * LAYER_RESERVE - ONE - left_out


def test_an_overflow_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[int] = []

    def build(*_: Any) -> None:
        links.append(1)
        raise OverflowedError({"FLASH": 100}, "net.elf")

    monkeypatch.setattr(linked, "_build", build)
    with pytest.raises(OverflowedError, match="does not fit the board"):
        generate(Order.of(Request(spec=spec_of(tmp_path))), lambda _: None)
    assert 1 < len(links) < 10 and not (tmp_path / "out").exists()


def test_what_does_not_suit_the_network(tmp_path: Path) -> None:
    spec = Order.of(Request(spec=write_spec(tmp_path, exact()))).spec
    assert list(unsuited(spec, GRAPH)) == []
    searched = replace(spec, method=replace(spec.method, name="significance"))
    assert list(unsuited(searched, GRAPH)) == []
    (source, result) = (GRAPH.operators[0].inputs[0].index, GRAPH.operators[0].output.index)
    remembering = replace(GRAPH, states=(State("memory", source, result, np.zeros((8, 8, 1), np.int8)),))
    assert list(unsuited(spec, remembering)) == []
    (error,) = unsuited(searched, remembering)
    assert "remembers" in error.what and "1 states" in error.why and "method: none" in error.hint
