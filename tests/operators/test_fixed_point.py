"""Requantisation against exact fractions, and the fast path against the definition where they could part."""

from __future__ import annotations

import math
import random

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.model.quantization import Multiplier, quantize_multiplier
from approx_plugin.operators.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    Requantizer,
    divide_by_power_of_two,
    doubling_high_multiply,
    requantize,
)

REALS = st.floats(min_value=2.0**-33, max_value=2.0**8, allow_subnormal=False)
MULTIPLIERS = REALS.map(quantize_multiplier)
TIES = st.integers(-20, 6).map(lambda shift: Multiplier(1 << 30, shift))
"""Powers of two: every other accumulator or so lies on a tie of one of the two roundings."""


def int64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@settings(derandomize=True, max_examples=500)
@given(REALS)
def test_quantize_multiplier_equals_exact_fractions(real: float) -> None:
    found = quantize_multiplier(real)
    assert (found.mantissa, found.shift) == naive.multiplier(real)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, Multiplier(0, 0)),
        (0.5, Multiplier(1 << 30, 0)),
        (1.0, Multiplier(1 << 30, 1)),
        (math.nextafter(1.0, 0.0), Multiplier(1 << 30, 1)),
        (2.0**-32, Multiplier(1 << 30, -31)),
        (math.nextafter(2.0**-32, 0.0), Multiplier(1 << 30, -31)),
        (2.0**-34, Multiplier(0, 0)),
    ],
)
def test_quantize_multiplier_at_the_edges(real: float, expected: Multiplier) -> None:
    assert quantize_multiplier(real) == expected


@pytest.mark.parametrize("real", [-1.0, math.inf, math.nan])
def test_quantize_multiplier_refuses(real: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        quantize_multiplier(real)


@settings(derandomize=True, max_examples=1000)
@given(st.integers(-(2**24), 2**24), MULTIPLIERS | TIES)
def test_requantize_equals_exact_fractions(value: int, multiplier: Multiplier) -> None:
    if abs(value) << max(multiplier.shift, 0) >= 1 << 31:
        value >>= 10
    expected = naive.scaled(value, (multiplier.mantissa, multiplier.shift))
    assert int(requantize(int64(value), (multiplier,))[0]) == expected


def test_requantize_wraps_as_a_32_bit_register_does() -> None:
    assert requantize(int64(1 << 31, (1 << 32) + 6), (Multiplier(1 << 30, 1),)).tolist() == [0, 6]
    assert requantize(int64(1 << 29), (Multiplier(1 << 30, 2),)).tolist() == [-(1 << 30)]


def test_only_the_square_of_the_smallest_number_saturates() -> None:
    low = int64(INT32_MIN)
    assert doubling_high_multiply(low, low).tolist() == [INT32_MAX]
    assert doubling_high_multiply(low, int64(INT32_MAX)).tolist() == [-INT32_MAX]


def test_halves_round_away_from_zero() -> None:
    values = int64(-6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6)
    assert divide_by_power_of_two(values, int64(1)).tolist() == [-3, -3, -2, -1, -1, 0, 1, 1, 2, 3, 3]
    assert divide_by_power_of_two(values, int64(2)).tolist() == [-2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2]
    assert divide_by_power_of_two(values, int64(0)).tolist() == values.tolist()


@settings(derandomize=True, max_examples=400)
@given(
    multipliers=st.lists(MULTIPLIERS | TIES, min_size=1, max_size=4),
    zero_point=st.integers(-128, 127),
    limits=st.sampled_from(((-128, 127), (-7, 9), (0, 127))),
    is_relu=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_requantizer_equals_requantize(
    multipliers: list[Multiplier], zero_point: int, limits: tuple[int, int], is_relu: bool, seed: int
) -> None:
    """Around every step of the output, at the ends of the range, and at random."""
    if is_relu:
        limits = (zero_point, 127)
    rng = random.Random(seed)
    largest = (1 << 23) - 1
    rows = []
    for _ in range(300):
        row = []
        for m in multipliers:
            real = m.mantissa * 2.0 ** (m.shift - 31)
            step = round((rng.randint(-260, 260) + 0.5) / real) if real else 0
            row.append(rng.choice((step + rng.randint(-3, 3), rng.randint(-largest, largest), largest, -largest, 0)))
        rows.append([max(-largest, min(largest, value)) for value in row])
    sums = np.array(rows, dtype=np.int64)
    bias = int64(*(rng.randint(-99, 99) for _ in multipliers))
    requantizer = Requantizer(
        multipliers,
        bias=bias,
        largest=largest + 99,
        zero_point=zero_point,
        activation_min=limits[0],
        activation_max=limits[1],
    )
    expected = np.clip(requantize(sums + bias, multipliers) + zero_point, *limits)
    np.testing.assert_array_equal(requantizer(sums), expected)
    np.testing.assert_array_equal(requantizer(sums.astype(np.float64)), expected)


@pytest.mark.parametrize(
    ("shift", "largest", "exact"),
    [
        (-12, 1 << 30, True),
        (-13, 1, False),
        (0, (1 << 31) - 129, True),
        (0, (1 << 31) - 128, False),
        (3, 1 << 28, False),
    ],
)
def test_the_fast_path_is_taken_where_it_is_exact(shift: int, largest: int, exact: bool) -> None:
    requantizer = Requantizer(
        (Multiplier(1 << 30, shift),),
        bias=int64(0),
        largest=largest,
        zero_point=0,
        activation_min=-128,
        activation_max=127,
    )
    assert requantizer.exact_in_float64 is exact


def test_many_rows_go_through_in_chunks() -> None:
    multipliers = (quantize_multiplier(0.01), quantize_multiplier(0.02), quantize_multiplier(0.003))
    sums = np.random.RandomState(3).randint(-30000, 30000, (50001, 3)).astype(np.float32)
    requantizer = Requantizer(
        multipliers, bias=int64(1, 2, 3), largest=40000, zero_point=3, activation_min=-128, activation_max=127
    )
    expected = np.clip(requantize(sums.astype(np.int64) + int64(1, 2, 3), multipliers) + 3, -128, 127)
    np.testing.assert_array_equal(requantizer(sums), expected)
