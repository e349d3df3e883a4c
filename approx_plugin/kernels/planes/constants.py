"""A layer's constants: scaled weights and bias, and what requantises the sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.planes.geometry import Geometry
from approx_plugin.kernels.planes.weights import Arrangement
from approx_plugin.kernels.rolled.requantise import LARGEST_EXPONENT, Requantisation, Sums, obstacle, solve, sums_of
from approx_plugin.kernels.rolled.table import words_of
from approx_plugin.operators.depthwise_conv2d import DepthwiseConv2D
from approx_plugin.operators.fixed_point import INT32_MAX

Ints = npt.NDArray[np.int64]

MOST_DOUBLINGS = 8
"""An int8 weight stays within int16."""

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1


@dataclass(frozen=True, eq=False)
class Constants:
    """weights: int64 [height, width, channels], within int16; bias: int64 [channels], modulo 2**32; both scaled, the
    input's zero point in the bias. requantisation: of the scaled sums.
    """

    weights: Ints
    bias: Ints
    requantisation: Requantisation


def constants_of(conv: DepthwiseConv2D) -> Constants | str:
    """The constants; or why there are none."""
    channels = conv.weights.shape[2]
    taps = conv.weights.astype(np.int64).reshape(-1, channels).T
    zero = conv.inputs[0].zero_point
    limits = (conv.activation_min, conv.activation_max)
    weights = np.ascontiguousarray(conv.weights.reshape(-1, channels).T)
    sums = sums_of(weights, conv.bias, zero, conv.multipliers, conv.output.zero_point, limits)
    plain = obstacle(sums, 1)
    if plain is not None:
        return plain
    live = sums.live
    # How far each channel may be scaled up: weights within int16, sums within int32.
    room = np.zeros(channels, np.int64)
    for power in range(1, MOST_DOUBLINGS + 1):
        fits = (taps.max(axis=1) << power <= INT16_MAX) & (taps.min(axis=1) << power >= INT16_MIN)
        room += fits & (sums.largest << power <= INT32_MAX)
    shifts = sums.right - sums.left
    powers, found = np.zeros(channels, np.int64), None
    if not live.any():
        found = solve(sums, 1)
    else:
        common = min(int((shifts + room - 1)[live].min()), int(shifts[live].max()) + 1, LARGEST_EXPONENT)
        # Where a channel's own shift is larger than that, a common exponent hardly ever has constants.
        for exponent in (common, common - 1) if common >= shifts[live].max() else ():
            powers = np.where(live, np.clip(exponent + 1 - shifts, 0, room), 0)
            found = solve(sums, np.int64(1) << powers)
            if found is not None:
                break
    if found is None:
        # With one bit below the first rounding's integers the multiplier is the mantissa, and nothing is lost.
        powers = np.where(live, np.minimum(room, 2), 0)
        found = _own_exponents(sums, shifts, np.int64(1) << powers)
    if found is None:
        return "there are no exact constants for a requantisation in three instructions"
    scale = np.where(found.live, np.int64(1) << powers, 0)
    folded = conv.bias.astype(np.int64) - zero * taps.sum(axis=1)
    return Constants(conv.weights.astype(np.int64) * scale, folded * scale, found)


def _own_exponents(sums: Sums, shifts: Ints, scales: Ints) -> Requantisation | None:
    """Constants with an exponent for each channel: those of one shift are looked for together."""
    multipliers, addends, signs = (np.zeros(sums.channels, np.int64) for _ in range(3))
    exponents, signed = np.ones(sums.channels, np.int64), False
    for shift in np.unique(shifts):
        of = np.flatnonzero(shifts == shift)
        one_for_all = len(sums.multipliers) == 1
        part = replace(
            sums,
            lowest=sums.lowest[of],
            highest=sums.highest[of],
            constant=sums.constant[of],
            multipliers=sums.multipliers if one_for_all else tuple(sums.multipliers[channel] for channel in of),
        )
        found = solve(part, scales[of])
        if found is None:
            return None
        multipliers[of], addends[of], exponents[of] = found.multipliers, found.addends, found.exponents
        if found.signs is not None:
            signs[of], signed = found.signs, True
    return Requantisation(
        sums.live, exponents, multipliers, addends, signs if signed else None, sums.minimum, sums.maximum
    )


FIXED = 3
"""Bias, multiplier and addend."""


@dataclass(frozen=True)
class Places:
    """Where a channel's constants stand in its record of the table: `words` of weights, and then, by number of word.

    sign, shift, row: -1 where there are none. row: bytes from one row of outputs to the next.
    """

    words: int
    sign: int
    shift: int
    row: int
    size: int

    @property
    def bias(self) -> int:
        """What sums begin with."""
        return self.words

    @property
    def multiplier(self) -> int:
        """Of the requantisation."""
        return self.words + 1

    @property
    def addend(self) -> int:
        """Of the requantisation."""
        return self.words + 2


def places(words: int, requantisation: Requantisation, far: bool) -> Places:
    """The record's layout. far: the second row of outputs is out of an offset's reach."""
    size = words + FIXED
    found = []
    for wanted in (requantisation.signs is not None, requantisation.exponent is None, far):
        found.append(size if wanted else -1)
        size += wanted
    sign, shift, row = found
    return Places(words, sign, shift, row, size)


def records(layout: Geometry, arranged: Arrangement, constants: Constants, where: Places) -> npt.NDArray[np.uint32]:
    """uint32 [channels * words]: the table."""
    weights = constants.weights
    if layout.columns_paired:
        weights = weights.transpose(1, 0, 2)
    requantisation = constants.requantisation
    channels = weights.shape[2]
    columns = [constants.bias, requantisation.multipliers, requantisation.addends]
    columns += [] if requantisation.signs is None else [requantisation.signs]
    columns += [] if requantisation.exponent is not None else [requantisation.exponents]
    columns += [np.full(channels, layout.paired.output_pitch, np.int64)] if where.row >= 0 else []
    rest = np.stack([words_of(column) for column in columns], axis=1)
    table: npt.NDArray[np.uint32] = np.concatenate([arranged.table(weights), rest], axis=1)
    return table.reshape(-1)
