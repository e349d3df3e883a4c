"""What a register or a word of memory holds, where it is no number: a form, two halves, four bytes, or an expression.

Numbers are unsigned, 0 to 2**32 - 1. `Halves` are signed: each is a form that an int16 holds, None where nothing was
stored. `Bytes` likewise: forms that an int8 holds, or functions of one (the outputs).
"""

from __future__ import annotations

from typing import Optional, Union

from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Form, Linear

MASK = 0xFFFFFFFF

Byte = Optional[Union[Form, Expression]]
"""A signed byte: a form, a function of one whose low byte is meant, or nothing."""


class NotProvedError(Exception):
    """The code does something of which the proof knows no meaning. str(): what, for a report."""


class Halves:
    """Two int16 in a word: the lower and the upper one."""

    __slots__ = ("lower", "upper")

    def __init__(self, lower: Form | None, upper: Form | None) -> None:
        """See the class."""
        self.lower = lower
        self.upper = upper


class Bytes:
    """Four int8 in a word, the lowest one first."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Byte, Byte, Byte, Byte]) -> None:
        """See the class."""
        self.parts = parts


Word = Union[int, Linear, Halves, Bytes, Expression]


def signed(value: int, bits: int = 32) -> int:
    """A two's complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def halves(word: Word) -> tuple[Form, Form]:
    """Both halves as signed forms."""
    if isinstance(word, int):
        return signed(word, 16), signed(word >> 16, 16)
    if isinstance(word, Halves):
        if word.lower is None or word.upper is None:
            raise NotProvedError("it uses a halfword that was not written")
        return word.lower, word.upper
    raise NotProvedError(f"it takes {named(word)} for two halfwords")


def written_halves(word: Word) -> tuple[Form | None, Form | None]:
    """Both halves, None for one that nobody has written."""
    return (word.lower, word.upper) if isinstance(word, Halves) else halves(word)


def half(word: Word, upper: bool) -> Form:
    """One half; the other one need not be defined."""
    if isinstance(word, Halves):
        found = word.upper if upper else word.lower
        if found is None:
            raise NotProvedError("it uses a halfword that was not written")
        return found
    if isinstance(word, Linear) and not upper and word.fits(16):
        return word
    return halves(word)[upper]


def half_or_none(word: Word, upper: bool) -> Form | None:
    """One half, or None where it is nothing that could be used."""
    if isinstance(word, Halves):
        return word.upper if upper else word.lower
    try:
        return half(word, upper)
    except NotProvedError:
        return None


def parts(word: Word) -> tuple[Byte, Byte, Byte, Byte]:
    """The four bytes."""
    if isinstance(word, Bytes):
        return word.parts
    if isinstance(word, int):
        return (signed(word, 8), signed(word >> 8, 8), signed(word >> 16, 8), signed(word >> 24, 8))
    raise NotProvedError(f"it takes {named(word)} for four bytes")


def from_bytes(held: tuple[Byte, Byte, Byte, Byte]) -> Word:
    """A word of four bytes; a number if they are all numbers."""
    one, two, three, four = held
    if isinstance(one, int) and isinstance(two, int) and isinstance(three, int) and isinstance(four, int):
        return (one & 0xFF) | (two & 0xFF) << 8 | (three & 0xFF) << 16 | (four & 0xFF) << 24
    return Bytes(held)


def from_halves(lower: Form | None, upper: Form | None) -> Word:
    """A word of two halves, which have to fit."""
    for one in (lower, upper):
        if isinstance(one, Linear) and not one.fits(16):
            raise NotProvedError("a halfword could overflow")
    if isinstance(lower, int) and isinstance(upper, int):
        return (lower & 0xFFFF) | (upper & 0xFFFF) << 16
    return Halves(lower, upper)


def from_form(form: Form) -> Word:
    """A form in a register."""
    return form & MASK if isinstance(form, int) else form


def form_of(word: Word) -> Form:
    """A register that holds one form, as a signed one."""
    if isinstance(word, int):
        return signed(word)
    if isinstance(word, Linear):
        return word
    raise NotProvedError(f"it takes {named(word)} for a number")


def named(word: Word) -> str:
    """For messages."""
    names = {Linear: "a sum", Halves: "two halfwords", Bytes: "four bytes", Expression: "a requantised sum"}
    return names.get(type(word), "a constant")
