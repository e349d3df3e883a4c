"""Three instructions an output give what two roundings give, for every sum that there can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.kernels.rolled.requantise import Sums, solve, sums_of
from approx_plugin.model.quantization import Multiplier


@st.composite
def layers(draw: st.DrawFn) -> Sums:
    """Few channels of few taps, so that every sum can be tried; any multipliers that networks have, and worse."""
    channels, taps = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    numbers = st.lists(st.integers(-128, 127), min_size=channels * taps, max_size=channels * taps)
    weights = np.array(draw(numbers), np.int8).reshape(channels, taps)
    bias = np.array(draw(st.lists(st.integers(-9000, 9000), min_size=channels, max_size=channels)), np.int32)
    few = draw(st.booleans())
    multipliers = tuple(
        Multiplier(draw(st.integers(1 << 30, (1 << 31) - 1)), -draw(st.integers(2, 6) if few else st.integers(-1, 18)))
        for _ in range(channels)
    )
    limits = draw(st.sampled_from([(-128, 127), (-128, 127), (-128, 90), (-7, 90), (5, 5)]))
    zero_points = st.sampled_from([-128, -128, 127, 0, -1, 37])
    return sums_of(weights, bias, draw(zero_points), multipliers, draw(zero_points), limits)


@given(layers(), st.sampled_from([4, 8, 32, 48, 256]), st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_sum(sums: Sums, scale: int, own: bool) -> None:
    found = solve(sums, scale, own)
    if found is None:
        return
    if not own:
        assert found.exponent is not None
    longest = int((sums.highest - sums.lowest).max()) + 1
    totals = np.minimum(sums.lowest + np.arange(longest)[:, None], sums.highest)
    scaled = np.where(found.live, totals * scale, 0)
    np.testing.assert_array_equal(found.apply(scaled), sums.exact(totals))
    assert (np.abs(found.multipliers) < 1 << 31).all()
    assert (np.abs(found.addends) < 1 << 31).all()


@pytest.mark.parametrize("scale", [4, 48, 256])
def test_what_networks_have_is_found(scale: int) -> None:
    """Channels whose multipliers lie within a factor of four, as those of a trained layer mostly do."""
    random = np.random.default_rng(7)
    weights = np.clip(np.rint(random.normal(0, 35, (32, 72))), -127, 127).astype(np.int8)
    multipliers = tuple(
        Multiplier(int(random.integers(1 << 30, (1 << 31) - 1)), -int(random.integers(7, 9))) for _ in range(32)
    )
    bias = random.integers(-3000, 3000, 32).astype(np.int32)
    for zero_point in (-128, 4):
        found = solve(sums_of(weights, bias, -1, multipliers, zero_point, (-128, 127)), scale, own=True)
        assert found is not None
        assert scale == 4 or found.exponent is not None


def test_a_sign_that_makes_no_difference_costs_nothing() -> None:
    """A ReLU whose zero point is -128 lets nothing below it through."""
    weights = np.full((2, 9), 50, np.int8)
    multipliers = (Multiplier(0x60000000, -9), Multiplier(0x70000000, -9))
    bias = np.array([100, -100], np.int32)
    found = solve(sums_of(weights, bias, 0, multipliers, -128, (-128, 127)), 48)
    assert found is not None
    assert found.signs is None


def test_sums_that_leave_int32_have_none() -> None:
    weights = np.full((1, 600), 127, np.int8)
    sums = sums_of(weights, np.zeros(1, np.int32), 0, (Multiplier(1 << 30, -12),), 0, (-128, 127))
    assert solve(sums, 16) is not None
    assert solve(sums, 512) is None
