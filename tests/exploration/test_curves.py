"""Sensitivity curves and the greedy path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.exploration.curves import LEAST_LOSS, Curve, greedy_path


@given(st.integers(1, 20), st.integers(0, 20), st.floats(0.1, 3))
def test_bisection_encloses_the_boundary_then_fills_the_gaps(top: int, last_good: int, allowed: float) -> None:
    losses = {0: 0.0}
    asked = []
    while (level := Curve(top, losses).next_level(allowed)) is not None:
        assert 0 < level <= top and level not in losses
        losses[level] = 0.0 if level <= last_good else allowed + 1
        asked.append(level)
    good, bad = Curve(top, losses).boundary(allowed)
    assert good == min(last_good, top) and bad == good + 1
    assert set(range(good + 1)) <= set(losses)
    # bisection first: a logarithm of the levels is enough to know the boundary
    first = {0: 0.0, **{level: losses[level] for level in asked[: top.bit_length()]}}
    assert Curve(top, first).boundary(allowed) == (good, bad)


def test_expected_losses_never_fall_and_gains_are_luck() -> None:
    assert Curve(9, {0: 0.0, 2: -0.4, 4: 0.6, 6: 0.2, 8: 2.2}).expected() == (0, 0, 0, 0.3, 0.6, 0.6, 0.6, 1.4, 2.2)


def test_greedy_path_by_hand() -> None:
    """Layer 0 saves 10 for nearly nothing, layer 1 then saves 30 for 1 point, layer 0's last step is the dearest."""
    losses = [[0.0, 0.0, 5.0], [0.0, 1.0]]
    cycles = [[100.0, 90.0, 85.0], [100.0, 70.0]]
    assert greedy_path(losses, cycles) == ((0, 0), (1, 0), (1, 1), (2, 1))
    assert greedy_path(losses, cycles, (0, 1)) == ((0, 1), (1, 1), (2, 1))


def test_a_cheap_level_behind_a_dear_one_is_reached_at_once() -> None:
    losses = [[0.0, 1.0, 1.0]]
    cycles = [[100.0, 99.0, 50.0]]
    assert greedy_path(losses, cycles) == ((0,), (2,))


def test_levels_that_save_nothing_are_never_taken() -> None:
    assert greedy_path([[0.0, 0.0]], [[100.0, 100.0]]) == ((0,),)


LAYERS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@given(LAYERS, st.data())
def test_cycles_fall_along_the_path_and_every_step_is_the_best_one(tops: list[int], data: st.DataObject) -> None:
    losses = [[0.0, *sorted(data.draw(st.floats(0, 9)) for _ in range(top))] for top in tops]
    cycles = [[100.0, *(data.draw(st.integers(1, 120)) for _ in range(top))] for top in tops]
    path = greedy_path(losses, cycles)
    totals = [sum(c[level] for c, level in zip(cycles, levels)) for levels in path]
    assert path[0] == (0,) * len(tops) and totals == sorted(set(totals), reverse=True)
    for before, after in zip(path, path[1:]):
        rates = {
            (layer, higher): (cycles[layer][low] - cycles[layer][higher])
            / (losses[layer][higher] - losses[layer][low] + LEAST_LOSS)
            for layer, low in enumerate(before)
            for higher in range(low + 1, len(cycles[layer]))
        }
        (moved,) = [(layer, new) for layer, (old, new) in enumerate(zip(before, after)) if old != new]
        assert rates[moved] == max(rates.values())
