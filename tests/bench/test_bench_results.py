from __future__ import annotations

from dataclasses import fields

import pytest
from bench_cases import MACS, bench, figures
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.laboratory.figures import NOTHING, Figures, per_call
from approx_plugin.report.data import per_mac
from approx_plugin.virtual_board.results import Cost, Cycles, FunctionCost, Stalls

counts = st.integers(0, 10**10)
stalls = st.builds(Stalls, *[counts] * 5)


def function(calls: int, cycles: int, ideal: int, instructions: int, board_stalls: Stalls) -> FunctionCost:
    cost = Cost(instructions, Cycles(cycles, board_stalls), Cycles(ideal, NOTHING.stalls), 0, 0)
    return FunctionCost("approx_layer_00", calls, cost)


@given(st.integers(1, 7), counts, counts, counts, stalls)
def test_an_average_is_the_nearest_whole_number(
    calls: int, cycles: int, ideal: int, instructions: int, board_stalls: Stalls
) -> None:
    found = per_call(function(calls, cycles, ideal, instructions, board_stalls))
    for average, total in ((found.cycles, cycles), (found.ideal_cycles, ideal), (found.instructions, instructions)):
        assert abs(average * calls - total) * 2 <= calls
    for field in fields(Stalls):
        total = getattr(board_stalls, field.name)
        assert abs(getattr(found.stalls, field.name) * calls - total) * 2 <= calls


def test_a_function_that_never_ran_has_no_figures() -> None:
    with pytest.raises(ValueError, match="never called"):
        per_call(function(0, 0, 0, 0, NOTHING.stalls))


def test_figures_add_up_field_by_field() -> None:
    left = Figures(10, 8, 5, Stalls(1, 2, 3, 4, 5))
    right = Figures(100, 80, 50, Stalls(10, 20, 30, 40, 50))
    assert left + right == Figures(110, 88, 55, Stalls(11, 22, 33, 44, 55))
    assert left + NOTHING == left


def test_a_total_is_the_sum_over_the_layers() -> None:
    for board in bench().boards:
        for variant in board.variants:
            assert variant.total.cycles == sum(layer.figures.cycles for layer in variant.layers)
            assert variant.total.stalls.branch == sum(layer.figures.stalls.branch for layer in variant.layers)


def test_speed_up_is_the_baselines_cycles_over_the_variants_own() -> None:
    made = bench()
    board = made.boards[0]
    approximated = board.of("approximated")
    baseline = board.of("cmsis_nn")
    assert approximated is not None and baseline is not None
    total = (2_883_213 + 7_122_590 + 552_432) / (500_000 + 2_000_000 + 552_410)
    assert made.speedup(board, approximated) == pytest.approx(total)
    assert made.speedup(board, approximated, 1) == pytest.approx(7_122_590 / 2_000_000)
    assert made.speedup(board, approximated, 3) == pytest.approx(552_432 / 552_410)  # by index, not by position
    assert made.speedup(board, approximated, 2) is None
    assert made.speedup(board, baseline) == 1.0


def test_no_speed_up_is_claimed_against_the_portable_subset_or_against_nothing() -> None:
    made = bench(is_baseline=False)
    assert all(made.speedup(board, variant) is None for board in made.boards for variant in board.variants)
    lonely = bench(variants=("exact", "approximated"))
    assert all(lonely.speedup(board, variant) is None for board in lonely.boards for variant in board.variants)


def test_milliseconds_are_those_of_the_boards_clock() -> None:
    slow, quick = bench().boards[0], bench().boards[3]
    assert slow.milliseconds(120_000) == 1.0
    assert quick.milliseconds(480_000) == 1.0


def test_a_layer_without_macs_has_no_cycles_per_mac() -> None:
    assert per_mac(figures(100).cycles, 0) is None
    assert per_mac(884_736, MACS[0]) == 2.0
