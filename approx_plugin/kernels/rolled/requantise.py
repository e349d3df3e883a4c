"""Requantisation in three instructions an output: SMMLA, SSAT, and the store.

A sum arrives scaled, y = scale * acc. Then

    output = ((y * multiplier) >> 32) + addend - (sign where y < 0) >> exponent, saturated to int8

with one exponent for all channels of a loop, so that it can stand in SSAT; where the channels' right shifts lie too far
apart for that, each has its own, and an ASR by a register more is needed. The exact definition has two roundings
(`operators.fixed_point`); with e = the channel's right shift, m its mantissa and k = exponent - e it is met by

    multiplier = m * 2**(k + 1) / scale, addend = 2**(exponent - 1) + 2**(k - 1) + zero point * 2**exponent, sign = 2**k

up to what the divisions leave. Both are non-decreasing functions of the sum with at most 256 values, so they are equal
for every sum if they step at the same places. `solve` finds the definition's steps by bisection, tries the constants
near those above, and returns only what steps at exactly the same places: nothing here rests on a bound of an error.

Where nothing below the zero point is let through (a ReLU whose zero point is -128) the sign makes no difference, and
often it makes none elsewhere: then `signs` is None and an instruction or two less are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Union

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.machine.idioms import limit
from approx_plugin.kernels.machine.instruction import Instruction, instruction
from approx_plugin.kernels.machine.operands import Shifted
from approx_plugin.kernels.machine.registers import Register
from approx_plugin.model.quantization import Multiplier
from approx_plugin.operators.fixed_point import INT32_MAX, LARGEST_WITHOUT_WRAP, offset_and_clamp, requantize

Ints = npt.NDArray[np.int64]

Scale = Union[int, Ints]

MULTIPLIER_TRIES = (0, 1, -1, 2, -2, 3, -3, 5, -5, 8, -8, 12, -12, 20, -20)
ADDEND_TRIES = (0, 1, -1)
"""How far from the formula constants are looked for."""

TRIED_EXPONENTS = 2

LARGEST_EXPONENT = 22
"""Up to this, the addend's zero point * 2**exponent leaves room for the product within int32."""

LOWEST, HIGHEST = -128, 127


@dataclass(frozen=True, eq=False)
class Sums:
    """What is requantised: a layer's sums by output channel.

    lowest, highest: int64 [channels], of acc = bias + sum (x - zero point) w over all inputs, as if nothing wrapped.
    constant: bool [channels]; channels without a product that matters, which put out one value whatever wraps.
    multipliers: one a channel, or one for all. zero_point, minimum, maximum: of the output and its activation.
    """

    lowest: Ints
    highest: Ints
    constant: npt.NDArray[np.bool_]
    multipliers: Sequence[Multiplier]
    zero_point: int
    minimum: int
    maximum: int

    def exact(self, totals: Ints) -> Ints:
        """The output of sums [..., channels] by the definition."""
        return offset_and_clamp(requantize(totals, self.multipliers), self.zero_point, self.minimum, self.maximum)

    def of(self, channel: int) -> Sums:
        """One channel alone."""
        part = slice(channel, channel + 1)
        multiplier = self.multipliers[channel if len(self.multipliers) > 1 else 0]
        return replace(
            self,
            lowest=self.lowest[part],
            highest=self.highest[part],
            constant=self.constant[part],
            multipliers=(multiplier,),
        )

    @property
    def channels(self) -> int:
        """How many."""
        return len(self.lowest)

    @property
    def live(self) -> npt.NDArray[np.bool_]:
        """bool [channels]: those whose output depends on the input."""
        rising = np.maximum(-self.lowest, self.highest) <= LARGEST_WITHOUT_WRAP >> np.maximum(self._shifts, 0)
        same = self.exact(self.lowest) == self.exact(self.highest)
        found: npt.NDArray[np.bool_] = ~(self.constant | (rising & same))
        return found

    @property
    def largest(self) -> Ints:
        """int64 [channels]: the largest size of a sum."""
        return np.maximum(-self.lowest, self.highest)

    @property
    def mantissas(self) -> Ints:
        """int64 [channels]."""
        return self._of_channels([m.mantissa for m in self.multipliers])

    @property
    def _shifts(self) -> Ints:
        """int64 [channels]: > 0 to the left."""
        return self._of_channels([m.shift for m in self.multipliers])

    @property
    def left(self) -> Ints:
        """int64 [channels]: how far a sum is shifted to the left before it is multiplied."""
        return np.maximum(self._shifts, 0)

    @property
    def right(self) -> Ints:
        """int64 [channels]: how far it is shifted to the right afterwards."""
        return np.maximum(-self._shifts, 0)

    def _of_channels(self, values: Sequence[int]) -> Ints:
        return np.broadcast_to(np.array(values, np.int64), (self.channels,)).copy()


def sums_of(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    input_zero_point: int,
    multipliers: Sequence[Multiplier],
    zero_point: int,
    limits: tuple[int, int],
) -> Sums:
    """The sums of products with weights int8 [channels, taps]; limits: of the activation."""
    taps = weights.astype(np.int64)
    below, above = taps * (LOWEST - input_zero_point), taps * (HIGHEST - input_zero_point)
    start = bias.astype(np.int64)
    lowest = start + np.minimum(below, above).sum(axis=1)
    highest = start + np.maximum(below, above).sum(axis=1)
    mantissas = np.broadcast_to(np.array([m.mantissa for m in multipliers], np.int64), lowest.shape)
    constant = (mantissas == 0) | ~taps.any(axis=1)
    return Sums(lowest, highest, constant, tuple(multipliers), zero_point, *limits)


@dataclass(frozen=True, eq=False)
class Requantisation:
    """Constants that are exact for every sum that there can be.

    live: bool [channels]; the others get weights and bias of 0, and their addend is their output.
    exponents: int64 [channels], 1 to LARGEST_EXPONENT. multipliers, addends: int64 [channels], each within int32.
    signs: int64 [channels], what is taken from the addend where a sum is negative; None: nothing, for no channel.
    minimum, maximum: limits that saturation to int8 does not see to; -128 and 127 for none.
    """

    live: npt.NDArray[np.bool_]
    exponents: Ints
    multipliers: Ints
    addends: Ints
    signs: Ints | None
    minimum: int
    maximum: int

    @property
    def exponent(self) -> int | None:
        """Of all channels; None if they have different ones."""
        first = int(self.exponents[0])
        return first if (self.exponents == first).all() else None

    @property
    def is_limited(self) -> bool:
        """Whether `output_code` has instructions for the limits."""
        return self.minimum > LOWEST or self.maximum < HIGHEST

    def apply(self, scaled: Ints) -> Ints:
        """The outputs of scaled sums [..., channels], as the instructions compute them: what tests compare with."""
        product = (scaled * self.multipliers) >> 32
        less = 0 if self.signs is None else np.where(scaled < 0, self.signs, 0)
        saturated = np.clip((product + self.addends - less) >> self.exponents, LOWEST, HIGHEST)
        return np.minimum(np.maximum(saturated, self.minimum), self.maximum)


def output_code(
    total: Register,
    multiplier: Register,
    addend: Register,
    constants: Requantisation,
    sign: Register | None = None,
    temporary: Register | None = None,
    shift: Register | None = None,
) -> list[Instruction]:
    """A scaled sum becomes the output, in place. The registers hold the channel's constants: sign where `signs` is not
    None, and then temporary may be overwritten; shift, the exponent, where there is no common one.
    """
    code: list[Instruction] = []
    added = addend
    if constants.signs is not None:
        assert sign is not None
        assert temporary is not None
        code.append(instruction("and", temporary, sign, Shifted(total, "asr", 31)))
        code.append(instruction("sub", temporary, addend, temporary))
        added = temporary
    code.append(instruction("smmla", total, total, multiplier, added))
    if constants.exponent is None:
        assert shift is not None
        code.append(instruction("asr", total, total, shift))
        code.append(instruction("ssat", total, 8, total))
    else:
        code.append(instruction("ssat", total, 8, Shifted(total, "asr", constants.exponent)))
    code += limit(total, constants.minimum, "lt") if constants.minimum > LOWEST else []
    return code + (limit(total, constants.maximum, "gt") if constants.maximum < HIGHEST else [])


def obstacle(sums: Sums, scale: Scale) -> str | None:
    """What rules out constants for any exponent: scaled sums that leave int32."""
    live = sums.live
    if (sums.largest * live > LARGEST_WITHOUT_WRAP >> sums.left).any():
        return "sums that the requantisation's left shift could carry out of int32"
    if (sums.largest * live > INT32_MAX // np.asarray(scale, np.int64)).any():
        return "scaled sums that could leave int32"
    return None


def solve(sums: Sums, scale: Scale, own: bool = False) -> Requantisation | None:
    """Constants for sums that arrive times `scale`, one for all channels or one each; None where there are none.

    The higher an exponent, the finer the constants: the highest ones at which all multipliers stay within int32 are
    tried. own: channels may have exponents of their own. Constants without signs, and a common exponent, are preferred.
    """
    live = sums.live
    if obstacle(sums, scale) is not None:
        return None
    scales = np.broadcast_to(np.asarray(scale, np.int64), (sums.channels,))
    value = sums.exact(sums.lowest)
    if not live.any():
        none = np.zeros(sums.channels, np.int64)
        return Requantisation(live, none + 1, none, value << 1, None, LOWEST, HIGHEST)
    steps = steps_of(sums, live)
    # m * 2**(exponent - e + 1) / scale stays below 2**31 up to these.
    highest = np.minimum(sums.right - sums.left + _floor_log2(scales) - 1, LARGEST_EXPONENT)
    common = np.full(sums.channels, int(highest[live].min()))
    for exponents in (common, *((highest,) if own else ())):
        for signed in (False, True):
            for lower in range(TRIED_EXPONENTS):
                tried = np.where(live, exponents - lower, exponents[live].max() - lower)
                found = _search(sums, live, steps, scales, tried, signed) if tried.min() > 0 else None
                if found is not None:
                    addends = np.where(live, found.addends, value << tried)
                    signs = found.signs if signed else None
                    return Requantisation(live, tried, found.multipliers, addends, signs, sums.minimum, sums.maximum)
    return None


def _floor_log2(values: Ints) -> Ints:
    """Of positive numbers below 2**52."""
    return (np.frexp(values.astype(np.float64))[1] - 1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Steps:
    """places: int64 [steps, channels]; the smallest sum whose output is at least values[step]; inside: bool, whether
    that is a step at all: reached within the range of sums, and not by its lowest one.
    """

    places: Ints
    values: Ints
    inside: npt.NDArray[np.bool_]


def steps_of(sums: Sums, live: npt.NDArray[np.bool_]) -> Steps:
    """Where the definition steps, by bisection. live: bool [channels], those that are looked at."""
    values = np.arange(max(LOWEST, sums.minimum) + 1, min(HIGHEST, sums.maximum) + 1, dtype=np.int64)[:, None]
    low = np.broadcast_to(np.where(live, sums.lowest, 0), (len(values), sums.channels)).copy()
    high = np.broadcast_to(np.where(live, sums.highest, 0) + 1, low.shape).copy()
    while (low < high).any():
        middle = (low + high) >> 1
        reached = sums.exact(middle) >= values
        high = np.where(reached, middle, high)
        low = np.where(reached, low, np.minimum(middle + 1, high))
    return Steps(low, values, (low > sums.lowest) & (low <= sums.highest) & live)


@dataclass(frozen=True, eq=False)
class _Constants:
    """multipliers, addends, signs, scales, exponents: int64 [channels]."""

    multipliers: Ints
    addends: Ints
    signs: Ints
    scales: Ints
    exponents: Ints

    def outputs(self, totals: Ints) -> Ints:
        """Before they are saturated."""
        return self._shifted(totals) >> self.exponents

    def _shifted(self, totals: Ints) -> Ints:
        """What SMMLA leaves."""
        product = (self.scales * totals * self.multipliers) >> 32
        left: Ints = product + self.addends - np.where(totals < 0, self.signs, 0)
        return left

    def meets(self, sums: Sums, steps: Steps) -> npt.NDArray[np.bool_]:
        """bool [channels]: whether the output steps where the definition's does, and nothing leaves int32."""
        fits = np.abs(self.addends) + self.signs <= INT32_MAX
        limits = max(LOWEST, sums.minimum), min(HIGHEST, sums.maximum)
        for totals in (sums.lowest, sums.highest):
            # Steps beyond the range of sums lie beyond it for these constants, too.
            fits &= np.abs(self._shifted(totals)) <= INT32_MAX
            fits &= np.clip(self.outputs(totals), *limits) == sums.exact(totals)
        right = (self.outputs(steps.places) >= steps.values) & (self.outputs(steps.places - 1) < steps.values)
        same: npt.NDArray[np.bool_] = fits & (right | ~steps.inside).all(axis=0)
        return same


def _search(
    sums: Sums, live: npt.NDArray[np.bool_], steps: Steps, scales: Ints, exponents: Ints, signed: bool
) -> _Constants | None:
    """Constants for these exponents; None if a channel has none."""
    above = exponents - sums.right
    factor = np.where(live, np.ldexp(sums.mantissas.astype(np.float64), sums.left + above + 1) / scales, 0.0)
    if (factor > INT32_MAX - max(MULTIPLIER_TRIES)).any():
        return None
    base = np.rint(factor).astype(np.int64)
    half = np.where(sums.right > 0, np.int64(1) << exponents - 1, 0)
    start = half + np.floor(np.ldexp(1.0, above - 1)).astype(np.int64) + (np.int64(sums.zero_point) << exponents)
    whole = np.where((sums.right > 0) & live, np.rint(np.ldexp(1.0, above)), 0).astype(np.int64)
    signs = whole if signed else np.zeros_like(whole)
    multipliers, addends = np.zeros_like(base), np.zeros_like(base)
    missing = live.copy()
    for more in MULTIPLIER_TRIES:
        for higher in ADDEND_TRIES:
            tried = _Constants(base + more, start + higher, signs, scales, exponents)
            good = missing & tried.meets(sums, steps)
            multipliers, addends = np.where(good, base + more, multipliers), np.where(good, start + higher, addends)
            missing &= ~good
            if not missing.any():
                return _Constants(multipliers, addends, signs, scales, exponents)
    return None
