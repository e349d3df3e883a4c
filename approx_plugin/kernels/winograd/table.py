"""Transformed weights and constants in the order in which the code reads them; which slots of a point are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Union

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.pairs import channel_pairs, layer_sums
from approx_plugin.kernels.rolled.requantise import Requantisation, solve
from approx_plugin.kernels.rolled.table import pairs_of, words_of
from approx_plugin.kernels.winograd.shape import Points
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.transformed_conv2d import TransformedConv2D
from approx_plugin.operators.winograd import Transform

Int64Array = npt.NDArray[np.int64]

Convolution = Union[Conv2D, TransformedConv2D]

LARGEST_INT16 = 32767

SIZES = 8
"""Into so many steps the slots of a point are divided: as many lengths of loops there are at most."""


def slot_channels(channels: int) -> Int64Array:
    """int64 [slots, 2]: SXTB16 makes of four neighbouring bytes the pairs (0, 2) and (1, 3)."""
    first = np.arange(0, channels, 4)[:, None]
    pairs = np.stack([first + np.array([0, 2]), first + np.array([1, 3])], axis=1)
    return np.reshape(pairs, (-1, 2))


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the code of a layer computes with.

    coefficients: int64 [channels, points, input channels], 0 for channels with one output value. scale: of the sums,
    against those that are requantised. bias: int64 [channels], scaled; start: int64 [channels], what the sum of point
    `start_point` gets for the input's zero point.
    """

    form: Transform
    coefficients: Int64Array
    scale: int
    bias: Int64Array
    start: Int64Array
    start_point: int
    requantisation: Requantisation

    @property
    def channels(self) -> int:
        """Of the input."""
        return int(self.coefficients.shape[2])

    @cached_property
    def kept(self) -> tuple[tuple[int, ...], ...]:
        """For each point the slots that are multiplied, ascending: all but those that are 0 for every output channel,
        filled up to one of `SIZES` lengths.
        """
        pairs = slot_channels(self.channels)
        used = (self.coefficients[:, :, pairs] != 0).any(axis=(0, 3))
        step = max(1, -(-len(pairs) // SIZES))
        found = []
        for row in used:
            wanted = min(len(pairs), max(1, -(-int(row.sum()) // step)) * step)
            others = np.flatnonzero(~row)[: wanted - int(row.sum())]
            found.append(tuple(sorted([*np.flatnonzero(row).tolist(), *others.tolist()])))
        return tuple(found)

    @cached_property
    def points(self) -> Points:
        """How they stand in a block."""
        return Points.of([len(slots) for slots in self.kept])

    @property
    def products(self) -> int:
        """Of a tile, for all output channels."""
        return 2 * sum(map(len, self.kept)) * len(self.coefficients)


def numbers_of(conv: Convolution, form: Transform) -> Numbers | None:
    """The constants; None where none are exact, or transformed weights leave int16.

    A transformed convolution has a form of its own: None for another one.
    """
    if isinstance(conv, TransformedConv2D):
        if conv.form != form:
            return None
        coefficients, bias, scale = conv.coefficients.astype(np.int64), conv.bias, 1
        made: Requantisation | None = _given(conv)
    else:
        coefficients = form.weights(conv.weights)
        bias, scale = conv.bias.astype(np.int64) * form.scale, form.scale
        made = solve(layer_sums(conv), scale, own=True)
    if made is None or int(np.abs(coefficients).max(initial=0)) > LARGEST_INT16:
        return None
    live = made.live.astype(np.int64)
    coefficients = coefficients * live[:, None, None]
    # A patch of ones has a transform that is 0 but for one point.
    ones = form.inputs.sum(axis=1)
    (point,) = np.flatnonzero(ones)
    start = -conv.input_zero_point * int(ones[point]) * coefficients[:, point].sum(axis=1)
    return Numbers(form, coefficients, scale, bias * live, start, int(point), made)


def _given(conv: TransformedConv2D) -> Requantisation:
    """What the operator itself says."""
    return Requantisation(
        live=np.ones(conv.out_channels, np.bool_),
        exponents=np.full(conv.out_channels, conv.exponent, np.int64),
        multipliers=conv.multipliers,
        addends=conv.addends,
        signs=None,
        minimum=conv.activation_min,
        maximum=conv.activation_max,
    )


def stream(numbers: Numbers) -> npt.NDArray[np.uint32]:
    """All words: for each pair of output channels and each point, in the blocks' order, two words for each slot that is
    kept; then the constants.
    """
    pairs = slot_channels(numbers.channels)
    parts: list[npt.NDArray[np.uint32]] = []
    for first, second in channel_pairs(len(numbers.coefficients)):
        for point in numbers.points.order:
            taps = pairs[list(numbers.kept[point])]
            a, b = (numbers.coefficients[channel, point][taps] for channel in (first, second))
            parts.append(np.stack([pairs_of(a[:, 0], a[:, 1]), pairs_of(b[:, 0], b[:, 1])], axis=1).reshape(-1))
        parts.append(words_of(constants(numbers, (first, second))))
    return np.concatenate(parts)


def constants(numbers: Numbers, channels: tuple[int, int]) -> Int64Array:
    """For each channel of a pair: start, bias, multiplier, addend, sign, exponent; what is not needed is not there."""
    made, rows = numbers.requantisation, []
    for channel in channels:
        rows += [numbers.start[channel], numbers.bias[channel], made.multipliers[channel], made.addends[channel]]
        rows += [made.signs[channel]] if made.signs is not None else []
        rows += [made.exponents[channel]] if made.exponent is None else []
    return np.array(rows, np.int64)


def constant_words(numbers: Numbers) -> int:
    """Of one channel."""
    made = numbers.requantisation
    return 4 + (made.signs is not None) + (made.exponent is None)
