"""What lies at which address: words that the code has written, the symbols of the input, the bytes of the ELF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Form
from approx_plugin.proof.words import (
    MASK,
    Byte,
    Bytes,
    Halves,
    NotProvedError,
    Word,
    from_bytes,
    half,
    half_or_none,
    parts,
)

NOTHING = Halves(None, None)
"""A word that nobody has written: it may be moved about, not used."""

Image = Sequence[tuple[int, bytes]]
"""(address, content): what is there before the function runs."""

Stored = Union[Form, Expression, None]


class Memory:
    """Of one run."""

    def __init__(self, image: Image) -> None:
        """image: of the program."""
        self._words: dict[int, Word] = {}
        self._image = [(start, start + len(content), content) for start, content in image]

    def place(self, address: int, elements: Sequence[Form]) -> None:
        """Lay int8 elements, as forms, from a multiple of 4 on."""
        padded: list[Byte] = [*elements, *[None] * (-len(elements) % 4)]
        for first in range(0, len(padded), 4):
            one, two, three, four = padded[first : first + 4]
            self._words[address + first] = from_bytes((one, two, three, four))

    def word(self, address: int) -> Word:
        """Load 32 bits."""
        rest = address & 3
        if not rest:
            found = self._words.get(address)
            return self._first_seen(address) if found is None else found
        lower, upper = self.word(address - rest), self.word(address - rest + 4)
        if isinstance(lower, int) and isinstance(upper, int):
            return ((lower | upper << 32) >> 8 * rest) & MASK
        if rest == 2 and not isinstance(lower, Bytes) and not isinstance(upper, Bytes):
            return Halves(half_or_none(lower, True), half_or_none(upper, False))
        one, two, three, four = (*_parts_or_none(lower), *_parts_or_none(upper))[rest : rest + 4]
        return from_bytes((one, two, three, four))

    def halfword(self, address: int) -> Word:
        """Load 16 bits; in the lower half of a word whose upper half is not defined."""
        rest = address & 3
        word = self.word(address - rest)
        if isinstance(word, int) and rest != 3:
            return (word >> 8 * rest) & 0xFFFF
        if rest & 1 or isinstance(word, Bytes):
            first, second = self.byte(address), self.byte(address + 1)
            if isinstance(first, int) and isinstance(second, int):
                return (first & 0xFF) | (second & 0xFF) << 8
            raise NotProvedError("it loads two bytes of the input at once")
        return Halves(half(word, bool(rest)), None)

    def byte(self, address: int) -> Byte:
        """Load 8 bits, signed."""
        return parts(self.word(address & ~3))[address & 3]

    def store_word(self, address: int, value: Word) -> None:
        """Store 32 bits."""
        rest = address & 3
        if not rest:
            self._words[address] = value
        elif rest == 2 and not isinstance(value, Bytes):
            self.store_half(address, half(value, False))
            self.store_half(address + 2, half(value, True))
        else:
            for number, part in enumerate(parts(value)):
                self.store_byte(address + number, part)

    def store_half(self, address: int, value: Form) -> None:
        """Store 16 bits."""
        if address & 1:
            raise NotProvedError("it stores a halfword at an odd address")
        start = address & ~3
        word = self.word(start)
        if isinstance(word, int) and isinstance(value, int):
            shift = 8 * (address & 2)
            self._words[start] = (word & ~(0xFFFF << shift)) | (value & 0xFFFF) << shift
        elif address & 2:
            self._words[start] = Halves(half_or_none(word, False), value)
        else:
            self._words[start] = Halves(value, half_or_none(word, True))

    def store_byte(self, address: int, value: Stored) -> None:
        """Store 8 bits."""
        start, place = address & ~3, address & 3
        word = self.word(start)
        if isinstance(word, int) and isinstance(value, int):
            self._words[start] = (word & ~(0xFF << 8 * place)) | (value & 0xFF) << 8 * place
            return
        held: list[Byte] = [*_parts_or_none(word)]
        held[place] = value
        one, two, three, four = held
        self._words[start] = from_bytes((one, two, three, four))

    def _first_seen(self, address: int) -> Word:
        for start, end, content in self._image:
            if start <= address and address + 4 <= end:
                found = int.from_bytes(content[address - start : address - start + 4], "little")
                self._words[address] = found
                return found
        return NOTHING


def _parts_or_none(word: Word) -> tuple[Byte, Byte, Byte, Byte]:
    try:
        return parts(word)
    except NotProvedError:
        return (None, None, None, None)
