"""Linear forms over a step's input, as their values at random points.

A form is a sum of integer coefficients times input elements, plus a constant. Nothing is done with forms but adding
them, multiplying them by constants and comparing them, so a form is kept as its values at `POINTS` points whose
coordinates are random 64-bit numbers: two different forms differ at one of them. How sure that is: let two forms differ
modulo 2**32. Then some coefficient (or the constant) of their difference is no multiple of 2**32, and at each point the
difference is one with a probability of at most 1/2, independently. All `POINTS` of them let a wrong form pass with a
probability below 2**-64, whatever the code is (J. T. Schwartz, "Fast probabilistic algorithms for verification of
polynomial identities", JACM 27(4), 1980, for rings with zero divisors).

A form also has bounds of the value that it takes over all inputs, as an integer that does not wrap. Where they lie
within a register, the register holds that integer; where they do not, it holds it modulo 2**32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np
import numpy.typing as npt

POINTS = 64

LEAST_BITS = 32
"""Of its values that a form has to keep when it is halved: they are compared modulo 2**32."""

Values = npt.NDArray[np.uint64]

MODULUS = 1 << 64


class Linear:
    """A form. values: uint64 [POINTS], modulo 2**bits; low, high: bounds, inclusive. Immutable."""

    __slots__ = ("bits", "high", "low", "values")

    def __init__(self, values: Values, low: int, high: int, bits: int = 64) -> None:
        """See the class."""
        self.values = values
        self.low = low
        self.high = high
        self.bits = bits

    def plus(self, other: Form) -> Form:
        """The sum."""
        if isinstance(other, int):
            if not other:
                return self
            return Linear(self.values + np.uint64(other % MODULUS), self.low + other, self.high + other, self.bits)
        return Linear(
            self.values + other.values, self.low + other.low, self.high + other.high, min(self.bits, other.bits)
        )

    def times(self, factor: int) -> Form:
        """The product with a constant."""
        if factor == 1:
            return self
        if factor > 0:
            return Linear(self.values * np.uint64(factor), self.low * factor, self.high * factor, self.bits)
        if not factor:
            return 0
        return Linear(self.values * np.uint64(factor % MODULUS), self.high * factor, self.low * factor, self.bits)

    def fits(self, bits: int) -> bool:
        """Whether a signed register of so many bits holds it without wrapping."""
        limit = 1 << (bits - 1)
        return -limit <= self.low and self.high < limit

    def halved(self, times: int) -> Linear | None:
        """Divided by 2**times, where that leaves no rest for any input and it does not wrap; None otherwise."""
        if not self.fits(32) or self.bits - times < LEAST_BITS or (self.values & np.uint64((1 << times) - 1)).any():
            return None
        # Coefficients and constant are multiples: at random points the values of others are not, see above.
        return Linear(self.values >> np.uint64(times), self.low >> times, self.high >> times, self.bits - times)

    def equals(self, other: Form) -> bool:
        """Whether both are the same modulo 2**32, for every input."""
        if isinstance(other, int):
            return bool((low_words(self.values) == np.uint32(other & 0xFFFFFFFF)).all())
        return bool((low_words(self.values) == low_words(other.values)).all())


Form = Union[Linear, int]
"""A constant is a form, too: a signed integer."""


def plus(one: Form, other: Form) -> Form:
    """The sum of two forms."""
    if isinstance(one, int):
        return one + other if isinstance(other, int) else other.plus(one)
    return one.plus(other)


def times(form: Form, factor: int) -> Form:
    """A form times a constant."""
    return form * factor if isinstance(form, int) else form.times(factor)


def bounds(form: Form) -> tuple[int, int]:
    """The least and the greatest value."""
    return (form, form) if isinstance(form, int) else (form.low, form.high)


def fits(form: Form, bits: int) -> bool:
    """Whether a signed register of so many bits holds it."""
    low, high = bounds(form)
    return -(1 << (bits - 1)) <= low and high < 1 << (bits - 1)


def low_words(values: Values) -> npt.NDArray[np.uint32]:
    """Modulo 2**32."""
    return (values & np.uint64(0xFFFFFFFF)).astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Symbols:
    """The elements of one input. values: uint64 [elements, POINTS], the points' coordinates."""

    values: Values

    @classmethod
    def draw(cls, elements: int, seed: int) -> Symbols:
        """Random coordinates. Same arguments, same points."""
        return cls(np.random.default_rng(seed).integers(0, 1 << 64, (elements, POINTS), np.uint64))

    def forms(self) -> list[Form]:
        """Each element as a form: an int8."""
        return [Linear(row, -128, 127) for row in self.values]
