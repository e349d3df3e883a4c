"""The folded constants: the few instructions of a kernel against the definition, number by number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import conv_graph

from approx_plugin.kernels.unpacked import requantise
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.conv2d import Conv2D


def definition(total: int, multiplier: Multiplier, zero_point: int) -> int:
    """gemmlowp's double rounding with exact integers, clamped to int8."""
    product = total * (1 << max(multiplier.shift, 0)) * multiplier.mantissa
    nudge = 2**30 if product >= 0 else 1 - 2**30
    quotient = abs(product + nudge) // 2**31
    high = quotient if product + nudge >= 0 else -quotient
    right = max(-multiplier.shift, 0)
    mask = (1 << right) - 1
    remainder, threshold = high & mask, mask // 2 + (high < 0)
    return max(-128, min(127, (high >> right) + (remainder > threshold) + zero_point))


def instructions(doubled: int, mantissa: int, rounding: int, shift: int) -> int:
    """What SMMLAR and SSAT with a shift make of the doubled sum (ARMv7-M ARM, A7.7)."""
    addend = rounding + (doubled >> 31 if shift else 0)
    value = ((addend << 32) + doubled * mantissa + 0x80000000) >> 32
    assert -(2**31) <= value < 2**31
    return max(-128, min(127, value >> shift))


def single(weight: int, bias: int, multiplier: Multiplier, zero_point: int) -> Conv2D:
    """A 1x1 convolution of one channel."""
    graph = conv_graph(np.random.default_rng(0), size=(1, 1), channels=(1, 1), kernel=(1, 1))
    conv = graph.operators[0]
    assert isinstance(conv, Conv2D)
    assert conv.output.quantization is not None
    output = replace(conv.output, quantization=replace(conv.output.quantization, zero_point=(zero_point,)))
    return replace(
        conv,
        weights=np.full((1, 1, 1, 1), weight, np.int8),
        bias=np.array([bias], np.int32),
        multipliers=(multiplier,),
        output=output,
    )


def test_folded_constants_give_the_defined_value() -> None:
    """Layers with an obstacle are drawn again; enough of the others must remain, and not only constant channels."""
    live = []

    @settings(max_examples=400, deadline=None)
    @given(
        weight=st.integers(-128, 127),
        bias=st.integers(-(2**20), 2**20),
        mantissa=st.integers(2**30, 2**31 - 1),
        shift=st.integers(-31, 5),
        zero_point=st.integers(-128, 127),
        value=st.integers(-128, 127),
    )
    def check(weight: int, bias: int, mantissa: int, shift: int, zero_point: int, value: int) -> None:
        multiplier = Multiplier(mantissa, shift)
        conv = single(weight, bias, multiplier, zero_point)
        assume(requantise.obstacle(conv) is None)
        c = requantise.fold(conv)
        doubled = (value * int(c.weights[0, 0]) + int(c.bias[0]) + 2**31) % 2**32 - 2**31
        answer = instructions(doubled, int(c.mantissa[0]), int(c.rounding[0]), int(c.shift[0]))
        assert answer == definition((value - conv.input_zero_point) * weight + bias, multiplier, zero_point)
        live.append(bool(c.mantissa[0]))

    check()
    assert len(live) >= 300 and sum(live) >= 50, f"{len(live)} cases, {sum(live)} of them with products"


def test_ties_round_away_from_zero() -> None:
    # A multiplier of 1/4: sums of 2 and -2 lie half way. 1 is rounded up twice: 0.25 -> 0.5 -> 1.
    conv = single(1, 0, Multiplier(2**30, -1), 0)
    c = requantise.fold(conv)
    for total, expected in ((2, 1), (-2, -1), (1, 1), (-1, 0), (6, 2), (-6, -2)):
        assert instructions(2 * total, int(c.mantissa[0]), int(c.rounding[0]), int(c.shift[0])) == expected


def test_a_channel_that_cannot_change_is_not_computed() -> None:
    conv = single(3, 2**30 - 1000, Multiplier(1664511000, -27), -5)
    c = requantise.fold(conv)
    assert requantise.obstacle(conv) is None
    assert not c.weights.any()
    assert int(c.rounding[0]) == definition(2**30 - 1000, conv.multipliers[0], -5)


@pytest.mark.parametrize(
    ("weight", "bias", "multiplier", "words"),
    [
        (127, 0, Multiplier(2**30, 9), "int16"),
        (127, 0, Multiplier(2**30 + 1, 20), "int16"),
    ],
)
def test_what_could_overflow_is_left_to_the_library(weight: int, bias: int, multiplier: Multiplier, words: str) -> None:
    assert words in str(requantise.obstacle(single(weight, bias, multiplier, 0)))


def test_sums_that_leave_int32_are_left_to_the_library() -> None:
    graph = conv_graph(np.random.default_rng(0), size=(1, 1), channels=(40000, 1), kernel=(1, 1))
    conv = graph.operators[0]
    assert isinstance(conv, Conv2D)
    largest = replace(conv, weights=np.full_like(conv.weights, 127), multipliers=(Multiplier(2**30, -20),))
    assert "int32" in str(requantise.obstacle(largest))
