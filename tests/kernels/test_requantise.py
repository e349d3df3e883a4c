"""The folded constants: the few instructions of a kernel against the definition, number by number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from networks import conv_graph

from approx_plugin.kernels.unpacked import requantise
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.conv2d import Conv2D


def wrapped(value: int) -> int:
    """As a 32-bit register holds it."""
    return (value + 2**31) % 2**32 - 2**31


def definition(total: int, multiplier: Multiplier, zero_point: int) -> int:
    """gemmlowp's double rounding with exact integers in 32-bit registers, clamped to int8."""
    product = wrapped(wrapped(total) * 2 ** max(multiplier.shift, 0)) * multiplier.mantissa
    nudge = 2**30 if product >= 0 else 1 - 2**30
    quotient = abs(product + nudge) // 2**31
    high = quotient if product + nudge >= 0 else -quotient
    right = max(-multiplier.shift, 0)
    remainder, threshold = high & (2**right - 1), (2**right - 1) // 2 + (high < 0)
    return max(-128, min(127, wrapped((high >> right) + (remainder > threshold) + zero_point)))


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


INT32 = st.integers(-(2**31), 2**31 - 1)
EXTREMES = [sign * value for sign in (1, -1) for value in (0, 1, 2**30, 2**31 - 129, 2**31 - 128, 2**31 - 1)]
BIASES = st.integers(-(2**20), 2**20) | INT32 | st.sampled_from([*EXTREMES, -(2**31)])
MULTIPLIERS = st.builds(Multiplier, st.integers(2**30, 2**31 - 1), st.integers(-31, 31)) | st.just(Multiplier(0, 0))
ZERO_POINTS = st.integers(-128, 127) | st.sampled_from((-128, 127))


def outputs(conv: Conv2D) -> list[int]:
    """What the kernel's instructions make of every input of a 1x1 convolution of one channel."""
    c = requantise.fold(conv)
    return [
        instructions(
            wrapped(value * int(c.weights[0, 0]) + int(c.bias[0])),
            int(c.mantissa[0]),
            int(c.rounding[0]),
            int(c.shift[0]),
        )
        for value in range(-128, 128)
    ]


@settings(max_examples=1000, deadline=None)
@given(weight=st.integers(-128, 127), bias=BIASES, multiplier=MULTIPLIERS, zero_point=ZERO_POINTS)
@example(weight=1, bias=2**31 - 1, multiplier=Multiplier(2**30, -23), zero_point=0)  # the sum wraps on the way
@example(weight=-1, bias=-(2**31), multiplier=Multiplier(2**30, -23), zero_point=0)
@example(weight=1, bias=2**27, multiplier=Multiplier(2**30, 5), zero_point=0)  # so does what is shifted to the left
@example(weight=2, bias=2**30 - 300, multiplier=Multiplier(2**31 - 1, 1), zero_point=127)  # and the zero point's sum
@example(weight=0, bias=2**31 - 1, multiplier=Multiplier(2**31 - 1, 31), zero_point=-128)  # 2**93 before it wraps
def test_folded_constants_give_the_defined_value_or_are_refused(
    weight: int, bias: int, multiplier: Multiplier, zero_point: int
) -> None:
    conv = single(weight, bias, multiplier, zero_point)
    wanted = [
        definition((value - conv.input_zero_point) * weight + bias, multiplier, zero_point)
        for value in range(-128, 128)
    ]
    inputs = np.arange(-128, 128, dtype=np.int8).reshape(256, 1, 1, 1)
    assert conv.compute([inputs]).reshape(-1).tolist() == wanted, "the integer reference"
    if requantise.obstacle(conv) is None:
        assert outputs(conv) == wanted


@pytest.mark.parametrize(
    ("weight", "bias", "multiplier", "computed"),
    [
        (1, 0, Multiplier(2**30, -10), True),
        (1, 2**30 - 300, Multiplier(2**30, -22), True),  # just below a doubled sum of 2**31
        (-1, -(2**30) - 2**22 + 100, Multiplier(2**30, -22), False),  # two values, and a doubled sum beyond it
        (0, 2**31 - 1, Multiplier(2**30, -25), True),  # a constant, whatever it is
        (1, 2**31 - 1000, Multiplier(2**30, -8), True),  # saturated for every input, and nothing wraps
        (1, 2**31 - 100, Multiplier(2**30, -8), False),  # some inputs wrap
        (1, -1, Multiplier(0, 0), True),
        (1, 0, Multiplier(2**30, 13), True),
        (1, 0, Multiplier(2**30, 14), False),
    ],
)
def test_what_is_computed_and_what_is_refused(weight: int, bias: int, multiplier: Multiplier, computed: bool) -> None:
    assert (requantise.obstacle(single(weight, bias, multiplier, 3)) is None) == computed


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
