"""A board's timing and its core's table together: what the boards say, and what if they said something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.timing import Cache
from approx_plugin.errors import BoardError
from approx_plugin.virtual_board.timing import load_timing


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


def test_a_board_without_timing_says_so() -> None:
    board = replace(load_board("nucleo-f446re"), timing=None)
    with pytest.raises(BoardError, match="NUCLEO-F446RE has no timing") as caught:
        load_timing(board)
    assert "timing" in caught.value.hint
