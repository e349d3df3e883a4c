"""A convolution's constants with everything folded in that can be.

The exact output is clamp(round_shift(SRDHM(acc, mantissa), e) + zero_point) with acc = bias + sum (x - z) w, where
SRDHM is the saturating rounding doubling high multiply of gemmlowp and round_shift rounds half away from zero
(requantisation with double rounding, as TensorFlow Lite's reference kernels and CMSIS-NN do it). What changes here:

- the input zero point z goes into the bias: sum (x - z) w = sum x w - z sum w;
- weights and bias are scaled by 2**(1 + left shift), so that the accumulator arrives as 2*acc (times the left shift),
  and SMMULR/SMMLAR, which computes (a*b + 2**31) >> 32, *is* SRDHM: (2 acc m + 2**31) >> 32 = (acc m + 2**30) >> 31;
- round_shift(t, e) = (t + 2**(e-1) - [t < 0]) >> e. [t < 0] may be taken from the sign of acc instead: they differ only
  where t = 0 and acc < 0, and there (2**(e-1) - 1) >> e = 0 as well. So one constant,
  `rounding` = 2**(e-1) + (zero_point << e), goes into SMMLAR's addend together with acc >> 31, and SSAT with a shift
  does the rest;
- a channel whose smallest and largest possible sums requantise to the same value puts out a constant, where nothing
  wraps between them (the output rises with the sum then): its products are not computed. So does one without weights,
  or with a mantissa of 0, whatever wraps. (Pruned networks have such channels, with multipliers far below 2**-22 and
  biases near 2**30.)

Ranges, for what is folded in int64: |w| <= 128, |z| <= 128, |bias| <= 2**31 and at most 2**31 taps give
|acc| <= 2**31 + 2**31 * 255 * 128 < 2**47. That is not multiplied by 2**(1 + left shift) or by a mantissa before it is
known to stay within 31 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.fixed_point import INT32_MAX, LARGEST_WITHOUT_WRAP, offset_and_clamp, requantize

MAX_RIGHT_SHIFT = 22
"""Up to this, |rounding| <= 2**7 * 2**22 + 2**21 and SMMLAR's product, below 2**30, add up within int32."""

MAX_LEFT_SHIFT = 14
"""Beyond this, weights of 1 that are scaled by 2**(1 + left shift) leave int16."""


@dataclass(frozen=True, eq=False)
class ChannelConstants:
    """weights: int64 [out_channels, taps], scaled, each within int16; bias: int64 [out_channels], scaled and folded;
    mantissa, shift (right), rounding: int64 [out_channels]; minimum, maximum: of the fused activation.
    """

    weights: npt.NDArray[np.int64]
    bias: npt.NDArray[np.int64]
    mantissa: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    rounding: npt.NDArray[np.int64]
    minimum: int
    maximum: int


def fold(conv: Conv2D) -> ChannelConstants:
    """The constants of a layer for which `obstacle` finds nothing."""
    constant, value = _constant_channels(conv)
    live = ~constant
    flat = _weights(conv) * live[:, None]
    bias = (conv.bias.astype(np.int64) - conv.input_zero_point * flat.sum(axis=1)) * live
    mantissa, shift = _multipliers(conv)
    left, right = np.where(live, np.maximum(shift, 0), 0), np.where(live, np.maximum(-shift, 0), 0)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    return ChannelConstants(
        weights=flat << (1 + left)[:, None],
        bias=bias << (1 + left),
        mantissa=mantissa * live,
        shift=right,
        rounding=np.where(constant, value, half + (np.int64(conv.output_zero_point) << right)),
        minimum=conv.activation_min,
        maximum=conv.activation_max,
    )


def obstacle(conv: Conv2D) -> str | None:
    """Why the folded arithmetic could overflow for this layer, or None: then it is exact for every input."""
    _, shift = _multipliers(conv)
    live = ~_constant_channels(conv)[0]
    left, right = np.where(live, np.maximum(shift, 0), 0), np.where(live, np.maximum(-shift, 0), 0)
    if int(right.max()) > MAX_RIGHT_SHIFT:
        return f"a requantisation multiplier below 2**-{MAX_RIGHT_SHIFT}"
    largest_weights = np.abs(_weights(conv)).max(axis=1) * live
    if int(left.max()) > MAX_LEFT_SHIFT or int((largest_weights << (1 + left)).max()) > 32767:
        return "a requantisation multiplier so large that the scaled weights leave int16"
    if (_largest_sums(conv) * live > INT32_MAX >> (1 + left)).any():
        return "sums that could leave int32 when doubled"
    return None


def _weights(conv: Conv2D) -> npt.NDArray[np.int64]:
    """[out_channels, taps]."""
    return conv.weights.reshape(conv.out_channels, -1).astype(np.int64)


def _multipliers(conv: Conv2D) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Mantissas and shifts of the output channels."""
    mantissa = np.array([m.mantissa for m in conv.multipliers], np.int64)
    return mantissa, np.array([m.shift for m in conv.multipliers], np.int64)


def _sum_range(conv: Conv2D) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The smallest and the largest acc of each channel, over all inputs, as if nothing wrapped."""
    weights = _weights(conv)
    below, above = weights * (-128 - conv.input_zero_point), weights * (127 - conv.input_zero_point)
    bias = conv.bias.astype(np.int64)
    return bias + np.minimum(below, above).sum(axis=1), bias + np.maximum(below, above).sum(axis=1)


def _largest_sums(conv: Conv2D) -> npt.NDArray[np.int64]:
    """The largest |acc| of each channel."""
    lowest, highest = _sum_range(conv)
    return np.maximum(-lowest, highest)


def _constant_channels(conv: Conv2D) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Which channels put out the same for every input, and what, by the reference's own arithmetic."""
    mantissa, shift = _multipliers(conv)
    lowest, highest = (
        offset_and_clamp(
            requantize(total, conv.multipliers), conv.output_zero_point, conv.activation_min, conv.activation_max
        )
        for total in _sum_range(conv)
    )
    rising = _largest_sums(conv) <= LARGEST_WITHOUT_WRAP >> np.maximum(shift, 0)
    single = (mantissa == 0) | ~_weights(conv).any(axis=1)
    return single | (rising & (lowest == highest)), lowest
