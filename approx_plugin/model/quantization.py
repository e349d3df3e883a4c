"""Affine quantization and the fixed-point numbers that requantisation is made of.

Formulas: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
CVPR 2018, and the TensorFlow Lite 8-bit quantization specification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point); one pair for the tensor, or one a channel of dimension `axis`."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    @property
    def per_channel(self) -> bool:
        """Whether every channel has a scale of its own."""
        return self.axis is not None


@dataclass(frozen=True)
class Multiplier:
    """A positive real number as `mantissa * 2**(shift - 31)`.

    mantissa: int32 in [2**30, 2**31), or 0.
    shift:    > 0 shifts left before the multiplication, < 0 shifts right (rounding) behind it.
    """

    mantissa: int
    shift: int


def quantize_multiplier(real: float) -> Multiplier:
    """`real` (>= 0) as a Multiplier, rounded half away from zero.

    Source: `QuantizeMultiplier` of TensorFlow Lite: frexp, mantissa rounded to 31 bits, values below 2**-31 become 0.
    Raises ValueError for a negative or not finite number.
    """
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"a multiplier is a finite number >= 0, not {real}")
    if real == 0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    mantissa = math.floor(fraction * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa //= 2
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    return Multiplier(mantissa, shift)
