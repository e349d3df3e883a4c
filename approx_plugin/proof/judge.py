"""Whether what lies in the output is the operator's output, for every input."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.rolled.requantise import steps_of
from approx_plugin.operators.fixed_point import LARGEST_WITHOUT_WRAP
from approx_plugin.proof.expected import Expected
from approx_plugin.proof.expression import Expression, Unordered, evaluate, leaf, rises
from approx_plugin.proof.linear import Linear, Values, low_words
from approx_plugin.proof.words import Byte, NotProvedError, signed

LOWEST, HIGHEST = -128, 127

WORD = 1 << 32


class Refuted(Exception):  # noqa: N818 (a finding)
    """The code computes something else. str(): what, with an example where there is one."""


class Judge:
    """Judges the outputs of one step; what it has shown for a channel it does not show again."""

    def __init__(self, wanted: Expected) -> None:
        """wanted: what the step has to compute."""
        self._wanted = wanted
        sums = wanted.sums
        self._channels = sums.channels
        self._rising = (sums.largest <= LARGEST_WITHOUT_WRAP >> sums.left) | sums.constant
        self._steps = steps_of(sums, self._rising)
        self._first, self._last = sums.exact(sums.lowest), sums.exact(sums.highest)
        self._shown: set[tuple[int, int, object]] = set()

    def output(self, number: int, byte: Byte) -> None:
        """Judge the output with this number. Raises Refuted, and NotProvedError where it cannot be told."""
        channel = number % self._channels
        if byte is None:
            raise Refuted("it is not written")
        if not self._rising[channel]:
            raise NotProvedError("sums of this channel could leave int32")
        if isinstance(byte, int):
            for wanted in (int(self._first[channel]), int(self._last[channel])):
                if wanted != byte:
                    raise Refuted(f"it is always {byte}, and should be {wanted} for some inputs")
            return
        made = byte if isinstance(byte, Expression) else leaf(byte)
        scale = _scale(made.form, self._wanted.values[number])
        if scale is None:
            raise Refuted("its sum is not that of the weights and the bias")
        known = channel, scale, made.key
        if known not in self._shown:
            self._function(channel, scale, made.key)
            self._shown.add(known)

    def _function(self, channel: int, scale: int, key: object) -> None:
        """Show that f(scale * total) is the channel's output for every total from the lowest to the highest.

        Both rise with the total, on either side of 0 and over it, and have at most 256 values: they are equal if they
        begin and end alike and step at the same places.
        """
        sums = self._wanted.sums
        low, high = int(sums.lowest[channel]), int(sums.highest[channel])
        if scale <= 0 or max(-low, high) * scale >= WORD // 2:
            raise NotProvedError(f"sums times {scale} could leave int32")
        steps = self._steps
        places = steps.places[steps.inside[:, channel], channel]
        ends = np.array([low, *(total for total in (-1, 0) if low <= total <= high), high], np.int64)
        totals = np.unique(np.concatenate([ends, places, places - 1]))
        try:
            rises(key)
            got = evaluate(key, scale * totals)
        except Unordered as unknown:
            raise NotProvedError(str(unknown)) from unknown
        if got.min() < LOWEST or got.max() > HIGHEST:
            raise NotProvedError("it stores a byte of a larger number")
        wanted = sums.of(channel).exact(totals[:, None])[:, 0]
        wrong = np.flatnonzero(got != wanted)
        if len(wrong):
            first = int(wrong[0])
            raise Refuted(f"for a sum of {totals[first]} it is {got[first]}, and should be {wanted[first]}")


def _scale(form: Linear, values: Values) -> int | None:
    """The factor by which the form is the wanted one, modulo 2**32; None if there is none."""
    got, wanted = low_words(form.values), low_words(values)
    # The value with the fewest factors of 2 tells most of the factor's bits.
    powers = wanted & (np.uint32(0) - wanted)
    place = int(np.argmin(powers - np.uint32(1)))
    power = int(powers[place])
    if not power:
        return None if got.any() else 1
    modulus = WORD // power
    if int(got[place]) % power:
        return None
    found = int(got[place]) // power * pow(int(wanted[place]) // power, -1, modulus) % modulus
    factor = signed(found) if modulus == WORD else found
    return factor if (wanted * np.uint32(factor & (WORD - 1)) == got).all() else None
