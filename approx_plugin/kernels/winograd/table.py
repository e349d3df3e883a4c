"""Transformed weights and constants in the order in which the code reads them; which slots of a point are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Union

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.pairs import channel_pairs, cheapest, layer_sums
from approx_plugin.kernels.rolled.requantise import Requantisation
from approx_plugin.kernels.rolled.table import pairs_of, words_of
from approx_plugin.kernels.winograd.shape import Points
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.transformed_conv2d import TransformedConv2D
from approx_plugin.operators.winograd import Transform

Int64Array = npt.NDArray[np.int64]

Convolution = Union[Conv2D, TransformedConv2D]

LARGEST_INT16 = 32767

SHIFTS = (5, 6, 4, 3, 2, 1, 0)
"""Of the sums, where the transform itself scales nothing: what is tried."""

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
    against those of the direct convolution. bias: int64 [channels], scaled, the input's zero point taken up.
    """

    form: Transform
    coefficients: Int64Array
    scale: int
    bias: Int64Array
    requantisation: Requantisation

    @property
    def channels(self) -> int:
        """Of the input."""
        return int(self.coefficients.shape[2])

    @cached_property
    def kept(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each sum of `Transform.sums` the (point, slot) that are multiplied, ascending: all but those that are 0
        for every output channel, filled up to one of `SIZES` lengths.
        """
        pairs = slot_channels(self.channels)
        used = (self.coefficients[:, :, pairs] != 0).any(axis=(0, 3))
        found = []
        for points in self.form.sums:
            row = used[list(points)].reshape(-1)
            step = max(1, -(-len(row) // SIZES))
            wanted = min(len(row), max(1, -(-int(row.sum()) // step)) * step)
            others = np.flatnonzero(~row)[: wanted - int(row.sum())]
            places = sorted([*np.flatnonzero(row).tolist(), *others.tolist()])
            found.append(tuple((points[place // len(pairs)], place % len(pairs)) for place in places))
        return tuple(found)

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is left out."""
        return sum(map(len, self.kept)) == self.form.points * self.channels // 2

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
        coefficients, bias, scale = conv.coefficients.astype(np.int64), conv.bias.astype(np.int64), 1
        made: Requantisation | None = _given(conv)
    else:
        coefficients = form.weights(conv.weights)
        largest = int(np.abs(coefficients).max(initial=0))
        # A transform that scales nothing leaves the weights room for a power of two, which requantises the better.
        shifts = [shift for shift in (SHIFTS if form.scale == 1 else (0,)) if largest << shift <= LARGEST_INT16]
        found = cheapest(layer_sums(conv), form.scale, shifts)
        shift, made = found if found else (0, None)
        scale = form.scale << shift
        coefficients, bias = coefficients << shift, conv.bias.astype(np.int64) * scale
    if made is None or int(np.abs(coefficients).max(initial=0)) > LARGEST_INT16:
        return None
    live = made.live.astype(np.int64)
    coefficients = coefficients * live[:, None, None]
    # What a patch of ones comes to in each output of a tile: the same in all of them, so that the bias takes it up.
    ones = coefficients.sum(axis=2) * form.inputs.sum(axis=1)
    ones = ones @ form.outputs.T
    if (ones != ones[:, :1]).any():
        return None
    return Numbers(form, coefficients, scale, bias * live - conv.input_zero_point * ones[:, 0], made)


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
    """All words: for each pair of output channels and each sum, in the blocks' order, two words for each slot that is
    kept; then the constants.
    """
    pairs = slot_channels(numbers.channels)
    parts: list[npt.NDArray[np.uint32]] = []
    for first, second in channel_pairs(len(numbers.coefficients)):
        for number in numbers.points.order:
            points, slots = np.array(numbers.kept[number]).T
            a, b = (numbers.coefficients[channel][points[:, None], pairs[slots]] for channel in (first, second))
            parts.append(np.stack([pairs_of(a[:, 0], a[:, 1]), pairs_of(b[:, 0], b[:, 1])], axis=1).reshape(-1))
        parts.append(words_of(constants(numbers, (first, second))))
    return np.concatenate(parts)


def constants(numbers: Numbers, channels: tuple[int, int]) -> Int64Array:
    """For each channel of a pair: bias, multiplier, addend, sign, exponent; what is not needed is not there."""
    made, rows = numbers.requantisation, []
    for channel in channels:
        rows += [numbers.bias[channel], made.multipliers[channel], made.addends[channel]]
        rows += [made.signs[channel]] if made.signs is not None else []
        rows += [made.exponents[channel]] if made.exponent is None else []
    return np.array(rows, np.int64)


def constant_words(numbers: Numbers) -> int:
    """Of one channel."""
    made = numbers.requantisation
    return 3 + (made.signs is not None) + (made.exponent is None)
