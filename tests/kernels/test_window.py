"""The operand window: every word is in its register when it is used, and no order of evictions loads fewer."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.kernels.unpacked.blocks import SHAPES
from approx_plugin.kernels.unpacked.window import allocate, count_loads

OFFSETS = st.lists(st.integers(0, 12), min_size=1, max_size=8)
PIXELS = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)


@given(OFFSETS, PIXELS, st.integers(0, 3))
def test_every_operand_is_where_its_use_expects_it(offsets: list[int], pixels: list[int], spare: int) -> None:
    registers: dict[int, int] = {}
    uses = allocate(range(len(offsets)), offsets, pixels, len(pixels) + spare)
    assert [use.slot for use in uses] == list(range(len(offsets)))
    for use in uses:
        registers.update(use.loads)
        assert [registers[r] for r in use.operands] == [offsets[use.slot] + p for p in pixels]
        assert len(set(use.operands)) == len(pixels)


def fewest_loads(words: list[tuple[int, ...]], registers: int) -> int:
    """By trying every eviction: an independent answer for short programs."""
    best: dict[frozenset[int], int] = {frozenset(): 0}
    for needed in words:
        following: dict[frozenset[int], int] = {}
        for held, cost in best.items():
            missing = set(needed) - held
            others = held - set(needed)
            room = registers - len(needed)
            for kept in itertools.combinations(sorted(others), min(room, len(others))):
                state = frozenset(needed) | frozenset(kept)
                following[state] = min(following.get(state, 10**9), cost + len(missing))
        best = following
    return min(best.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.sampled_from([(0,), (0, 1), (0, 2)]), st.integers(0, 2))
def test_no_allocation_loads_fewer(offsets: list[int], pixels: tuple[int, ...], spare: int) -> None:
    registers = len(pixels) + spare
    uses = allocate(range(len(offsets)), offsets, pixels, registers)
    assert count_loads(uses) == fewest_loads([tuple(o + p for p in pixels) for o in offsets], registers)


def test_neighbouring_pixels_share_their_loads() -> None:
    # Three taps of a row, four pixels beside each other: six words, each loaded once.
    uses = allocate(range(3), [0, 1, 2], [0, 1, 2, 3], 4)
    assert [[word for _, word in use.loads] for use in uses] == [[0, 1, 2, 3], [4], [5]]


def test_every_block_leaves_registers_for_its_window_and_for_requantisation() -> None:
    for block in SHAPES:
        assert block.window >= block.pixels
        assert block.window + 1 >= 4, "output pointer, mantissa, rounding constant and temporary"
