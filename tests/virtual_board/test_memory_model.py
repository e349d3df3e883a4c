"""The cache and flash model against access traces that were worked out by hand, and against a dictionary."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.boards.board import Board
from approx_plugin.boards.timing import Cache, MemoryTiming
from approx_plugin.cores.core import load_core
from approx_plugin.errors import BoardError
from approx_plugin.virtual_board import layout
from approx_plugin.virtual_board.timing import Timing

FLASH, RAM = 0x08000000, 0x20000000


class Model:
    """A memory system in C, driven by hand."""

    def __init__(self, library: ctypes.CDLL, timing: Timing) -> None:
        self._library = library
        self.memory = layout.Memory()
        timing.fill(library, self.memory)

    def fetch(self, offset: int, now: int, *, size: int = 4, redirected: bool = False, base: int = FLASH) -> int:
        found = self._library.memory_fetch(ctypes.byref(self.memory), base + offset, size, now, int(redirected))
        return int(found)

    def access(self, offset: int, now: int, *, store: bool = False, base: int = FLASH) -> int:
        return int(self._library.memory_access(ctypes.byref(self.memory), base + offset, now, int(store)))

    def close(self) -> None:
        for cache in self.memory.caches:
            self._library.cache_free(ctypes.byref(cache))


@pytest.fixture
def model(library: ctypes.CDLL) -> Iterator[Callable[..., Model]]:
    """model(ahead=..., caches={...}, **fields of the flash) -> Model."""
    made: list[Model] = []

    def make(*, ahead: int = 0, caches: dict[str, Cache] | None = None, ram: dict[str, str] | None = None, **flash):  # type: ignore[no-untyped-def]
        core = load_core("cortex-m4")
        core = type(core)(core.name, core.kinds, core.pairs, core.numbers, ahead, core.references)
        memories = (
            MemoryTiming("FLASH", FLASH, 0x10000, **{"wait_states": 5, "read_bytes": 16, **flash}),
            MemoryTiming("RAM", RAM, 0x10000, **(ram or {})),  # type: ignore[arg-type]
        )
        made.append(Model(library, Timing(core, memories, caches or {})))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_line_of_straight_code_arrives_every_six_cycles_with_five_wait_states(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True)
    # The read starts at 0: five wait states, the line is there at 5. The prefetch of the next line starts at 6 and is
    # done at 11, the one behind it at 17.
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert [flash.fetch(0x100 + 4 * i, 5 + i) for i in (1, 2, 3)] == [6, 7, 8]
    assert flash.fetch(0x110, 9) == 11
    assert flash.fetch(0x120, 15) == 17
    assert flash.memory.fetch_misses == 1


def test_a_prefetch_of_more_than_a_line_never_frees_the_array_early(model: Callable[..., Model]) -> None:
    flash = model(
        wait_states=10,
        read_bytes=32,
        beat_cycles=1,
        beat_bytes=4,
        prefetch=True,
        caches={"i": Cache(1024, 16, 4)},
        fetch_cache="i",
    )
    now, busy = 0, 0
    for offset in range(0, 0x200, 4):
        now = flash.fetch(offset, now) + 1
        assert flash.memory.busy_until >= busy
        busy = flash.memory.busy_until


def test_without_prefetch_every_line_waits_for_the_whole_read(model: Callable[..., Model]) -> None:
    flash = model(prefetch=False)
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.fetch(0x110, 9) == 14
    assert flash.memory.fetch_misses == 2


def test_the_core_requests_sequential_code_ahead_of_time(model: Callable[..., Model]) -> None:
    flash = model(prefetch=False, ahead=2)
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.fetch(0x110, 9) == 12


def test_a_jump_waits_for_the_prefetch_that_is_under_way(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True)
    assert flash.fetch(0x100, 0, redirected=True) == 5
    # The array is busy with line 0x110 until 12; the target's read is done five wait states later.
    assert flash.fetch(0x400, 7, redirected=True) == 17


def test_a_wide_instruction_across_two_lines_needs_both(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True)
    assert flash.fetch(0x10C, 0, redirected=True, size=2) == 5
    assert flash.fetch(0x10E, 6) == 11


def test_a_second_pass_through_a_cache_costs_nothing(model: Callable[..., Model]) -> None:
    flash = model(caches={"i": Cache(64, 16, 4)}, fetch_cache="i")
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.fetch(0x110, 9) == 14
    assert flash.fetch(0x100, 20, redirected=True) == 20
    assert flash.fetch(0x110, 24) == 24
    assert (flash.memory.caches[0].hits, flash.memory.caches[0].misses) == (2, 2)


def test_a_loop_that_is_larger_than_the_cache_misses_every_time(model: Callable[..., Model]) -> None:
    flash = model(caches={"i": Cache(64, 16, 4)}, fetch_cache="i")
    now = 0
    for _ in range(3):
        for line in range(5):
            now = flash.fetch(0x100 + 16 * line, now, redirected=line == 0) + 4
    assert (flash.memory.caches[0].hits, flash.memory.caches[0].misses) == (0, 15)


def test_data_reads_share_the_array_with_fetches(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True, caches={"d": Cache(32, 16, 2)}, data_cache="d")
    assert flash.fetch(0x100, 0, redirected=True) == 5
    # The prefetch keeps the array busy until 12: six cycles of waiting, then five wait states.
    assert flash.access(0x800, 6) == 11
    assert flash.access(0x804, 20) == 0
    assert flash.access(0x810, 30) == 5
    assert flash.access(0x800, 40) == 0
    # Two lines of 16 bytes fit; 0x810 was used longest ago.
    assert flash.access(0x820, 50) == 5
    assert flash.access(0x800, 60) == 0
    assert flash.access(0x810, 70) == 5
    assert flash.memory.data_misses == 4


def test_one_cache_for_both_sides(model: Callable[..., Model]) -> None:
    flash = model(caches={"c": Cache(32, 16, 2)}, fetch_cache="c", data_cache="c")
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.access(0x104, 10) == 0
    assert flash.access(0x200, 20) == 5
    assert flash.access(0x300, 30) == 5
    assert flash.fetch(0x500, 40, redirected=True) == 45
    assert flash.fetch(0x100, 60, redirected=True) == 65


def test_a_long_line_arrives_in_beats_behind_its_critical_word(model: Callable[..., Model]) -> None:
    flash = model(
        wait_states=10, read_bytes=32, beat_cycles=2, beat_bytes=8, caches={"i": Cache(1024, 32, 2)}, fetch_cache="i"
    )
    assert flash.fetch(0x108, 0, redirected=True) == 10
    assert flash.fetch(0x10C, 11) == 11
    assert flash.fetch(0x110, 11) == 12
    assert flash.fetch(0x118, 12) == 14
    # The line wraps: its first word comes last.
    assert flash.fetch(0x100, 12) == 16


def test_a_line_keeps_the_bus_until_its_last_beat(model: Callable[..., Model]) -> None:
    cached = {"caches": {"d": Cache(1024, 32, 2)}, "data_cache": "d"}
    bus = model(wait_states=6, read_bytes=8, beat_cycles=1, beat_bytes=8, **cached)
    assert bus.access(0x100, 0) == 6
    # Beats at 6, 7, 8 and 9: the next line begins at 10.
    assert bus.access(0x200, 7) == (10 - 7) + 6
    assert bus.access(0x300, 30) == 6


def test_a_line_from_the_cache_is_there_at_once(model: Callable[..., Model]) -> None:
    flash = model(
        wait_states=10, read_bytes=32, beat_cycles=2, beat_bytes=8, caches={"i": Cache(1024, 32, 2)}, fetch_cache="i"
    )
    assert flash.fetch(0x100, 0, redirected=True) == 10
    assert flash.fetch(0x200, 20, redirected=True) == 30
    # Back in the first line: neither wait states nor beats.
    assert flash.fetch(0x100, 50, redirected=True) == 50
    assert flash.fetch(0x11C, 50) == 50


LONG_LINES = {
    "wait_states": 5,
    "read_bytes": 8,
    "beat_cycles": 6,
    "beat_bytes": 8,
    "fetch_cache": "i",
    "caches": {"i": Cache(1024, 32, 4)},
}
"""Four reads of six cycles each fill a line."""


def test_straight_code_gets_one_array_read_behind_the_other(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True, **LONG_LINES)
    times = [flash.fetch(0x100, 0, redirected=True)]
    for offset in range(0x108, 0x148, 8):
        times.append(flash.fetch(offset, times[-1] + 1))
    # The prefetch of a line's first read hides nothing here but the gap between two lines.
    assert times == [5, 11, 17, 23, 29, 35, 41, 47, 53]


def test_without_prefetch_every_line_begins_with_a_request(model: Callable[..., Model]) -> None:
    flash = model(**LONG_LINES)
    times = [flash.fetch(0x100, 0, redirected=True)]
    for offset in range(0x108, 0x128, 8):
        times.append(flash.fetch(offset, times[-1] + 3))
    assert times == [5, 11, 17, 23, 26 + 5]


def test_a_jump_waits_for_the_line_that_is_being_filled(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True, **LONG_LINES)
    assert flash.fetch(0x100, 0, redirected=True) == 5
    # The fill ends at 24; the prefetch behind it has not begun and is dropped.
    assert flash.fetch(0x400, 7, redirected=True) == 24 + 5


def test_a_line_that_was_left_while_it_came_is_not_there_sooner(model: Callable[..., Model]) -> None:
    flash = model(**LONG_LINES)
    assert flash.fetch(0x200, 0, redirected=True) == 5
    assert flash.fetch(0x100, 40, redirected=True) == 45
    # A call into a line that is in the cache, and back to the fourth word pair of the one that is being filled.
    assert flash.fetch(0x200, 47, redirected=True) == 47
    assert flash.fetch(0x118, 49, redirected=True) == 45 + 18
    assert flash.fetch(0x108, 70, redirected=True) == 70


def test_a_read_of_data_goes_before_a_prefetch_that_has_not_begun(model: Callable[..., Model]) -> None:
    flash = model(prefetch=True, **LONG_LINES)
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.access(0x900, 10) == (24 - 10) + 5
    # Fill until 24, data until 30, then the prefetch.
    assert flash.fetch(0x120, 31) == 35


def test_stores_and_zero_wait_memory_never_wait(model: Callable[..., Model]) -> None:
    flash = model()
    assert flash.access(0x10, 0, store=True, base=RAM) == 0
    assert flash.access(0x10, 0, base=RAM) == 0
    assert flash.access(0x10, 0, store=True) == 0
    assert flash.fetch(0x10, 7, base=RAM) == 7


def test_code_in_ram_shares_the_bus_with_data(model: Callable[..., Model]) -> None:
    ram = model(ram={"port": "system", "branch_wait": 1})
    assert ram.fetch(0x10, 3, base=RAM, redirected=True) == 4
    assert ram.fetch(0x14, 5, base=RAM) == 5
    assert ram.access(0x800, 6, base=RAM) == 1
    assert ram.fetch(0x100, 10, redirected=True) == 15
    assert ram.access(0x800, 16, base=RAM) == 0


def test_addresses_that_no_one_described_answer_at_once(model: Callable[..., Model]) -> None:
    flash = model()
    assert flash.access(0, 5, base=0x40000000) == 0
    assert flash.fetch(0, 5, base=0x30000000) == 5


def test_lru_by_hand(library: ctypes.CDLL) -> None:
    cache = layout.Cache()
    assert library.cache_init(ctypes.byref(cache), 64, 16, 2) == 0
    assert cache.sets == 2

    def touch(line: int) -> int:
        return int(library.cache_touch(ctypes.byref(cache), 16 * line + 5))

    for line in (0, 2, 1):  # 0 and 2 share set 0, 1 is in set 1
        assert touch(line) == 0
        library.cache_insert(ctypes.byref(cache), 16 * line)
    assert touch(0) == 1
    library.cache_insert(ctypes.byref(cache), 16 * 4)  # drops 2, used longest ago
    assert [touch(line) for line in (0, 1, 2, 4)] == [1, 1, 0, 1]
    library.cache_free(ctypes.byref(cache))


@settings(max_examples=100, deadline=None)
@given(
    geometry=st.sampled_from([(64, 16, 1), (64, 16, 2), (64, 16, 4), (96, 16, 3), (256, 32, 2), (1024, 8, 128)]),
    lines=st.lists(st.integers(0, 40), max_size=200),
)
def test_lru_against_a_dictionary(library: ctypes.CDLL, geometry: tuple[int, int, int], lines: list[int]) -> None:
    size, line_bytes, ways = geometry
    cache = layout.Cache()
    assert library.cache_init(ctypes.byref(cache), size, line_bytes, ways) == 0
    sets: dict[int, OrderedDict[int, None]] = {}
    for line in lines:
        address = line * line_bytes + line % line_bytes
        reference = sets.setdefault(line % (size // line_bytes // ways), OrderedDict())
        assert bool(library.cache_touch(ctypes.byref(cache), address)) == (line in reference)
        library.cache_insert(ctypes.byref(cache), address)
        reference[line] = None
        reference.move_to_end(line)
        if len(reference) > ways:
            reference.popitem(last=False)
    library.cache_free(ctypes.byref(cache))


@pytest.mark.parametrize("geometry", [(64, 12, 1), (64, 2, 1), (60, 16, 1), (64, 16, 0), (64, 16, 3)])
def test_no_cache_has_this_geometry(model: Callable[..., Model], geometry: tuple[int, int, int]) -> None:
    with pytest.raises(BoardError, match="is no cache"):
        model(caches={"i": Cache(*geometry)}, fetch_cache="i")


def test_a_cache_that_is_switched_off_always_misses(
    model: Callable[..., Model], board_of: Callable[[str], Board]
) -> None:
    flash = model(caches={"i": Cache(0, 0, 0)}, fetch_cache="i")
    assert flash.fetch(0x100, 0, redirected=True) == 5
    assert flash.fetch(0x200, 10, redirected=True) == 15
    assert flash.fetch(0x100, 20, redirected=True) == 25
