"""The `timing` section of board.yaml: what the boards say, and what is no timing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.errors import BoardError, ErrorGroup, Location
from approx_plugin.virtual_board.section import load_timing
from approx_plugin.virtual_board.timing import Cache


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str], Board]:
    """edited(timing) -> a board whose board.yaml has this text as its timing section."""

    def make(section: str) -> Board:
        original = load_board("nucleo-f446re")
        text = (original.folder / "board.yaml").read_text(encoding="utf-8")
        (tmp_path / "board.yaml").write_text(text[: text.index("\ntiming:")] + "\ntiming:\n" + section)
        values: Any = yaml.safe_load((tmp_path / "board.yaml").read_text())["timing"]
        return replace(original, folder=tmp_path, timing=values)

    return make


@pytest.mark.parametrize("name", known_boards())
def test_every_number_of_every_board_has_a_source(name: str) -> None:
    board = load_board(name)
    timing = load_timing(board)
    flash = next(memory for memory in timing.memories if memory.name == "FLASH")
    assert (flash.origin, flash.length) == (board.flash.origin, board.flash.length)
    assert (flash.wait_states > 0) == (not name.startswith("ideal-"))
    for memory in timing.memories:
        used = {key for key in (memory.fetch_cache, memory.data_cache) if key}
        assert used <= set(timing.caches)
    assert timing.references["FLASH wait_states"]
    assert timing.core.name == board.core


def test_the_two_modes_of_the_l4r5() -> None:
    delivered, single = (load_timing(load_board(name)) for name in ("nucleo-l4r5zi", "nucleo-l4r5zi-single-bank"))
    assert [m.read_bytes for m in (delivered.memories[0], single.memories[0])] == [8, 16]
    # The manual's 5 and two fitted ones.
    assert single.memories[0].wait_states == delivered.memories[0].wait_states == 5 + 2
    # Four reads of 64 bits or two of 128 fill a line of the instruction cache.
    assert single.caches["instruction"] == delivered.caches["instruction"] == Cache(1024, 32, 4)
    assert {cache.bytes // cache.line_bytes for cache in single.caches.values()} == {32, 16}


def test_what_if() -> None:
    timing = load_timing(load_board("nucleo-f446re"))
    assert timing.with_memory("FLASH", wait_states=9).memories[0].wait_states == 9
    assert timing.without_cache("data").caches["data"].bytes == 0
    assert timing.caches["data"].bytes == 128
    with pytest.raises(BoardError, match="there is no memory 'FLUSH'"):
        timing.with_memory("FLUSH", wait_states=1)
    with pytest.raises(BoardError, match="there is no cache 'l2'"):
        timing.without_cache("l2")


MISTAKES = (
    ("  cash: {}\n", "'cash' is no part of 'timing'"),
    ("  memories: []\n", "'memories' has to be a map"),
    ("  memories: {FLASH: 5}\n", "'FLASH' has to be a map"),
    ("  memories: {FLASH: {wait_states: -1, source: x}}\n", "'wait_states' has to be a whole number that is not"),
    ("  memories: {FLASH: {wait_states: true, source: x}}\n", "'wait_states' has to be a whole number"),
    ("  memories: {FLASH: {prefetch: 1, source: x}}\n", "'prefetch' has to be a truth value"),
    ("  memories: {FLASH: {wait_states: 5}}\n", "'wait_states' has no source"),
    ("  memories: {FLASH: {wait_states: 5, prefetch: true, source: {prefetch: x}}}\n", "'wait_states' has no source"),
    ("  memories: {FLASH: {waitstates: 5, source: x}}\n", "'waitstates' is no part of 'FLASH'"),
    ("  memories: {FLASH: {read_bytes: 12, source: x}}\n", "'read_bytes' is 12"),
    ("  memories: {FLASH: {beat_bytes: 0, source: x}}\n", "'beat_bytes' is 0"),
    ("  memories: {FLASH: {fetch_cache: l1, source: x}}\n", "there is no cache 'l1'"),
    ("  memories: {CCM: {wait_states: 0, source: x}}\n", "the board has no memory 'CCM'"),
    ("  caches: {l1: {bytes: 1024, ways: 2, source: x}}\n", "the cache 'l1' lacks line_bytes"),
    ("  caches: {l1: {bytes: 1000, line_bytes: 32, ways: 2, source: x}}\n", "no cache has 2 ways of 32-byte lines"),
)


@pytest.mark.parametrize(("section", "message"), MISTAKES)
def test_mistakes_have_a_place(section: str, message: str, edited: Callable[[str], Board]) -> None:
    board = edited(section)
    with pytest.raises(BoardError, match=message) as caught:
        load_timing(board)
    where = caught.value.where
    assert isinstance(where, Location)
    lines = (board.folder / "board.yaml").read_text().splitlines()
    assert where.line == lines.index("timing:") + 2


def test_all_mistakes_at_once(edited: Callable[[str], Board]) -> None:
    board = edited("  memories:\n    FLASH:\n      wait_states: -1\n      speed: 4\n      source: x\n  cash: {}\n")
    with pytest.raises(ErrorGroup) as caught:
        load_timing(board)
    assert len(caught.value.errors) == 3


def test_too_many_regions(edited: Callable[[str], Board]) -> None:
    many = "".join(f"    M{i}: {{origin: {i}, length: 1, source: x}}\n" for i in range(17))
    with pytest.raises(BoardError, match="there are 17 memories"):
        load_timing(edited("  memories:\n" + many))


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "place"),
    [
        ("nucleo-l4r5zi-single-bank", "read_bytes: 16\n", "read_bytes: 12\n", "'read_bytes' is 12", "read_bytes: 12"),
        ("nucleo-l4r5zi-single-bank", "line_bytes: 16", "line_bytes: 128", "4 ways of 128-byte lines", "data:"),
        # The base's source speaks of the base's value.
        (
            "nucleo-l4r5zi-single-bank",
            "read_bytes: 16\n",
            "wait_states: 99\n",
            "'wait_states' has the source of another value",
            "wait_states: 99",
        ),
        ("nucleo-l4r5zi", "prefetch: true", "prefetch: 1", "'prefetch' has to be a truth value", "prefetch: 1"),
        ("nucleo-l4r5zi", "branch_wait: 1", "branch_wait: x", "'branch_wait' has to be a whole number", "branch_wait"),
    ],
)
def test_a_mistake_in_a_board_of_two_files_is_placed_in_the_one_that_says_it(
    file: str, old: str, new: str, message: str, place: str, root: Path, tmp_path: Path
) -> None:
    for folder in ("board", "schemas"):
        shutil.copytree(root / folder, tmp_path / folder)
    path = tmp_path / "board" / file / "board.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BoardError, match=message) as caught:
        load_timing(load_board("nucleo-l4r5zi-single-bank", root=tmp_path))
    where = caught.value.where
    assert isinstance(where, Location)
    assert where.file == str(path)
    assert place in path.read_text(encoding="utf-8").splitlines()[where.line - 1]
    assert where.column > 1


def test_a_board_without_its_file_still_says_which(tmp_path: Path) -> None:
    board = replace(load_board("nucleo-f446re"), folder=tmp_path, timing={"cash": {}})
    with pytest.raises(BoardError, match="'cash' is no part of 'timing'") as caught:
        load_timing(board)
    assert caught.value.where == Location(str(tmp_path / "board.yaml"))
