"""Constants: one by one and elementwise, against the architecture's definition turned the other way round."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.kernels.machine.encoding import (
    BYTE,
    HALF,
    INVERTED,
    MODIFIED,
    PAIR,
    constant_form,
    is_modified_immediate,
    is_rotated,
)


def expand(encoding: int) -> int:
    """ThumbExpandImm of the 12-bit encoding (ARMv7-M ARM, A5.3.2)."""
    byte = encoding & 0xFF
    if encoding >> 10 == 0:
        kind = encoding >> 8 & 3
        return (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101)[kind]
    value, rotation = 0x80 | encoding & 0x7F, encoding >> 7
    return (value >> rotation | value << (32 - rotation)) & 0xFFFFFFFF


ENCODABLE = frozenset(expand(encoding) for encoding in range(4096))
ROTATED = frozenset(expand(encoding) for encoding in range(1024, 4096))
WORDS = st.integers(0, 2**32 - 1) | st.integers(0, 2**16 - 1) | st.sampled_from(sorted(ENCODABLE)).map(lambda v: v ^ 1)


def test_every_encodable_immediate_is_known() -> None:
    assert all(is_modified_immediate(value) for value in ENCODABLE)
    assert is_modified_immediate(np.array(sorted(ENCODABLE), np.int64)).all()
    assert all(is_rotated(value) == (value in ROTATED) for value in ENCODABLE)


@given(st.lists(WORDS, min_size=1, max_size=40))
def test_nothing_else_is_taken_for_one(values: list[int]) -> None:
    expected = [value in ENCODABLE for value in values]
    assert [is_modified_immediate(value) for value in values] == expected
    assert is_modified_immediate(np.array(values, np.int64)).tolist() == expected


@given(st.lists(st.integers(-(2**31), 2**32 - 1) | WORDS, min_size=1, max_size=40), st.booleans())
def test_the_first_form_that_makes_a_constant(values: list[int], low: bool) -> None:
    found = constant_form(np.array(values, np.int64), low).tolist()
    assert found == [constant_form(value, low) for value in values]
    for value, form in zip(values, found):
        word = value & 0xFFFFFFFF
        fitting = {BYTE: low and word < 256, HALF: word < 65536, MODIFIED: word in ENCODABLE}
        fitting.update({INVERTED: ~word & 0xFFFFFFFF in ENCODABLE, PAIR: True})
        assert form == min(choice for choice, fits in fitting.items() if fits), hex(word)
