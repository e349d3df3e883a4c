"""Which constants fit which encoding: for one value, or elementwise for an array of values.

Counting a layer's code and writing it ask the same functions, so that they cannot disagree.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

MASK = 0xFFFFFFFF

BYTE, HALF, MODIFIED, INVERTED, PAIR = range(5)
"""How a constant gets into a register: MOVS of 8 bits, MOVW, MOV or MVN of a modified immediate, MOVW and MOVT."""


@overload
def is_modified_immediate(value: int) -> bool: ...
@overload
def is_modified_immediate(value: Values) -> Truths: ...
def is_modified_immediate(value: Any) -> Any:
    """Whether the lower 32 bits of a constant fit a Thumb-2 modified immediate (ARMv7-M ARM, A5.3.2)."""
    value = value & MASK
    low, second = value & 0xFF, value >> 8 & 0xFF
    repeated = (value == (low << 16 | low)) | (value == (second << 24 | second << 8)) | (value == low * 0x01010101)
    # An 8-bit value with its top bit set, rotated right by 8 to 31: one run of at most 8 bits that does not wrap.
    lowest = value & -value
    return repeated | (value // (lowest + (lowest == 0)) <= 0xFF)


def is_rotated(value: int) -> bool:
    """Whether a modified immediate is a rotated byte rather than a byte or a pattern of bytes."""
    value &= MASK
    low, second = value & 0xFF, value >> 8 & 0xFF
    return value not in (low, low << 16 | low, second << 24 | second << 8, low * 0x01010101)


@overload
def constant_form(value: int, low_register: bool) -> int: ...
@overload
def constant_form(value: Values, low_register: bool) -> Values: ...
def constant_form(value: Any, low_register: bool) -> Any:
    """The first of BYTE, HALF, MODIFIED, INVERTED and PAIR that makes the lower 32 bits of a constant."""
    value = value & MASK
    # Truth values count as 0 and 1, one by one and elementwise.
    last = 1 + (1 - 1 * is_modified_immediate(value)) * (2 - is_modified_immediate(MASK ^ value))
    return (1 - 1 * ((value <= 0xFF) & low_register)) * (1 + (1 - 1 * (value <= 0xFFFF)) * last)
