"""Two factors and a start that give the exact bytes of a quantised sum for all 65,536 pairs of inputs.

A byte x in the upper half of a halfword is 256 x, and SMLAW adds (factor * 256 x) >> 16 to a sum. With the sum's upper
half as the output plus 128, factors are the inputs' share of an output step times 2**24, and the start holds zero
points, rounding, and the 128. The definition rounds at three places, this at two others; so factors near those are
tried, and for each pair of inputs the start is bounded on both sides. Where all bounds together leave a start, the
constants are exact: they were compared with every pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from approx_plugin.operators.add import LEFT_SHIFT, Add
from approx_plugin.operators.fixed_point import INT32_MAX, Int64Array

TRIES = tuple(sorted(range(-6, 7), key=abs))
"""How far from the formula factors are looked for."""

VALUES = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class Constants:
    """output = clamp(((first * x + second * y) terms + start) >> 16) - 128, see the module; all are int32."""

    first: int
    second: int
    start: int

    def outputs(self) -> Int64Array:
        """int64 [256, 256]: the outputs of all pairs, by first and second input from -128 on; what tests compare."""
        total = self.start + _terms(self.first)[:, None] + _terms(self.second)[None, :]
        return np.clip(total >> 16, 0, 255) - 128


def _terms(factor: int) -> Int64Array:
    """What SMLAW adds for each value of an input."""
    return (factor * (VALUES * 256)) >> 16


def constants_of(add: Add) -> Constants | None:
    """Exact constants, the activation's limits left aside; None if none were found."""
    wanted = _unlimited(add)
    shares = [_share(add, number) for number in range(2)]
    if max(abs(share) for share in shares) >= 64.0:
        return None
    base = [round(share * 2**24) for share in shares]
    # Where the output saturates any start beyond the bound will do.
    low_open, high_open = wanted <= -128, wanted >= 127
    for more in TRIES:
        for further in TRIES:
            first, second = base[0] + more, base[1] + further
            total = _terms(first)[:, None] + _terms(second)[None, :]
            least = np.where(low_open, -(1 << 40), ((wanted + 128) << 16) - total).max()
            most = np.where(high_open, 1 << 40, ((wanted + 129) << 16) - 1 - total).min()
            if least > most:
                continue
            start = int((least + most) // 2)
            if abs(start) + int(np.abs(total).max()) > INT32_MAX:
                continue
            return Constants(first, second, start)
    return None


def _unlimited(add: Add) -> Int64Array:
    """int64 [256, 256]: the definition's outputs within int8."""
    first, second = np.meshgrid(VALUES, VALUES, indexing="ij")
    return replace(add, activation_min=-128, activation_max=127).pairs(first, second)


def _share(add: Add, number: int) -> float:
    """Output steps for a step of an input."""
    one, after = add.multipliers[number], add.output_multiplier
    scale = one.mantissa * 2.0 ** (one.shift - 31) * after.mantissa * 2.0 ** (after.shift - 31) * 2.0**LEFT_SHIFT
    return scale * (add.sign if number else 1)
