"""Pairs of output channels: which are computed together, their weights in one word, and their constants.

Packed, a word holds 256 * A + B of both taps of a slot for the channels A and B: SMLAD with it adds to 256 * A + B,
SXTB16 leaves B alone, and the difference of both sums is 256 * A. That takes a byte a weight; where the sums or a
weight of -128 do not allow it, there is a word for each channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.requantise import Requantisation, Sums, obstacle, solve, sums_of
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.fully_connected import FullyConnected

Int64Array = npt.NDArray[np.int64]

PACKED_SHIFTS = (4, 5, 6, 7, 3, 2, 1, 0)
"""Packed sums arrive as 2 << shift times the layer's: what is tried for the shift."""

WIDE_SHIFTS = (5, 6, 7, 8, 4, 3, 2, 1, 0)
"""Wide sums arrive as 1 << shift times the layer's."""

LARGEST_PACKED = 1 << 23
"""Of 128 * sum |w|: 256 times that has to stay below 2**31."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the code of a layer computes with.

    packed: see the module. shift: of the sums, `scale` is what they are multiplied with. weights: int64 [channels,
    taps]; bias: int64 [channels], scaled, the input's zero point taken up. requantisation: of the scaled sums.
    """

    packed: bool
    shift: int
    weights: Int64Array
    bias: Int64Array
    requantisation: Requantisation

    @property
    def scale(self) -> int:
        """By what the sums are larger than the layer's."""
        return (2 if self.packed else 1) << self.shift


def layer_sums(layer: Conv2D | FullyConnected) -> Sums:
    """What is requantised."""
    return sums_of(
        layer.weights.reshape(len(layer.weights), -1),
        layer.bias,
        layer.inputs[0].zero_point,
        layer.multipliers,
        layer.output.zero_point,
        (layer.activation_min, layer.activation_max),
    )


def numbers_of(layer: Conv2D | FullyConnected, wide: bool = True) -> Numbers | None:
    """The constants of a layer. wide: where weights cannot be packed, a word for each channel will do.

    None where no exact ones were found.
    """
    sums = layer_sums(layer)
    live = sums.live
    used = layer.weights.reshape(len(layer.weights), -1).astype(np.int64) * live[:, None]
    start = layer.bias.astype(np.int64) * live - layer.inputs[0].zero_point * used.sum(axis=1)
    for packed in (True, False) if wide else (True,):
        if packed and not is_packable(used):
            continue
        scale = 2 if packed else 1
        found = cheapest(sums, scale, PACKED_SHIFTS if packed else WIDE_SHIFTS)
        if found is not None:
            shift, made = found
            return Numbers(packed, shift, used, start * (scale << shift), made)
    return None


def cheapest(sums: Sums, scale: int, shifts: Iterable[int]) -> tuple[int, Requantisation] | None:
    """The first of the shifts for which `scale << shift` has exact constants that take the fewest instructions, and
    these; None: there are none.
    """
    found: list[tuple[int, int, Requantisation]] = []
    for shift in shifts:
        if obstacle(sums, scale << shift) is not None:
            continue
        made = solve(sums, scale << shift, own=True)
        if made is None:
            continue
        # An instruction or two an output are saved without signs, one without shifts of their own.
        extra = 2 * (made.signs is not None) + (made.exponent is None)
        found.append((extra, shift, made))
        if not extra:
            break
    if not found:
        return None
    _, shift, made = min(found, key=lambda one: one[0])
    return shift, made


def is_packable(weights: Int64Array) -> bool:
    """Whether 256 * A + B holds both channels of every pair: see the module. weights: int64 [channels, taps]."""
    return bool(weights.min(initial=0) >= -127 and 128 * np.abs(weights).sum(axis=1).max(initial=0) < LARGEST_PACKED)


def channel_pairs(channels: int) -> list[tuple[int, int]]:
    """Which channels are computed together. An odd one is computed with its neighbour, which then comes twice; the only
    channel of a layer with itself.
    """
    if channels == 1:
        return [(0, 0)]
    found = [(first, first + 1) for first in range(0, channels - 1, 2)]
    return [*found, (channels - 2, channels - 1)] if channels % 2 else found


def constants(numbers: Numbers, channels: Sequence[int]) -> Int64Array:
    """The constants of a pair: bias, multiplier, addend, sign, exponent of both; what is not needed is not there."""
    made, index = numbers.requantisation, list(channels)
    rows = [numbers.bias[index], made.multipliers[index], made.addends[index]]
    rows += [made.signs[index]] if made.signs is not None else []
    rows += [made.exponents[index]] if made.exponent is None else []
    return np.concatenate(rows)
