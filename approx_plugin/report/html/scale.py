"""From figures to places in a picture, in percent of its extent: pictures then fit a phone, a screen and paper."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Tick:
    """at: percent from the low end; label: what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """From low (0 %) to high (100 %); low < high."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """In percent, two decimals, within the picture."""
        share = (value - self.low) / (self.high - self.low)
        return percent(min(max(share, 0.0), 1.0))


def percent(share: float) -> float:
    """Of 1, with two decimals: what differs by less than that is the same place."""
    return round(100.0 * share, 2) + 0.0


def step_of(span: float, most: int) -> float:
    """A round step of which `span` > 0 has at most `most`."""
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


def round_scale(low: float, high: float, most: int = 5) -> tuple[Scale, tuple[float, ...]]:
    """A scale between round figures that holds both, and the figures to mark on it."""
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), low + 0.5 * (abs(low) or 1.0)
    step = step_of(high - low, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step), tuple(number * step for number in range(first, last + 1))


def short(value: float) -> str:
    """`1.5 M`, `250 k`, `12`: for the marks of an axis."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{unit}"
    return f"{value:.4g}"
