"""Mutations of bytes: those that know no format."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tests.fuzz.target import Mutation

MOST_BYTES = 64 << 10
NUMBERS = (
    b"0", b"-1", b"1", b"255", b"256", b"65536", b"2147483647", b"-2147483648", b"4294967296", b"9223372036854775808",
    b"1e22", b"1e400", b"-0.0", b"nan", b".inf", b"0x7fffffff", b"1_000", b"9" * 5000,
)  # fmt: skip
WORDS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What a little-endian field of four bytes may be overwritten with."""


def mutated(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes], shaped: Sequence[Mutation]) -> bytes:
    """One of the seeds, some steps away."""
    content = rng.choice(seeds)
    steps = 1 + min(int(rng.expovariate(0.5)), 9)
    if shaped and rng.random() < 0.7:
        for _ in range(steps):
            content = rng.choice(shaped)(rng, content)
        if rng.random() < 0.8:
            return content[:MOST_BYTES]
    for _ in range(steps):
        content = _step(rng, content, seeds, words)
    return content[:MOST_BYTES]


def _step(rng: random.Random, content: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    first, last = _range(rng, len(content))
    choice = rng.randrange(11)
    if choice == 0:
        return content[:first] + content[last:]
    if choice == 1:
        return content[:last] + content[first:last] * rng.choice((1, 1, 2, 5, 40, 1000)) + content[last:]
    if choice == 2 and words:
        return content[:first] + rng.choice(words) + content[rng.choice((first, last)) :]
    if choice == 3:
        other = rng.choice(seeds)
        start, end = _range(rng, len(other))
        return content[:first] + other[start:end] + content[rng.choice((first, last)) :]
    if choice in (4, 5):
        return _renumbered(rng, content)
    if choice == 6 and len(content) >= 4:
        return overwritten(rng, content, rng.randrange(len(content) // 4) * 4)
    if choice == 7:
        return content[:first] + rng.randbytes(rng.randrange(1, 9)) + content[first:]
    if choice == 8:
        return content[: rng.randrange(len(content) + 1)] if rng.random() < 0.3 else content
    if not content:
        return rng.randbytes(1)
    place = rng.randrange(len(content))
    changed = rng.randrange(256) if choice == 9 else content[place] ^ (1 << rng.randrange(8))
    return content[:place] + bytes([changed]) + content[place + 1 :]


def overwritten(rng: random.Random, content: bytes, place: int) -> bytes:
    """A field of four bytes with another number in it: of the usual ends, or near what it was."""
    old = int.from_bytes(content[place : place + 4], "little")
    near = (old + rng.choice((-256, -4, -1, 1, 4, 256))) % (1 << 32)
    new = rng.choice((near, rng.choice(WORDS), rng.getrandbits(32), old * 2 % (1 << 32)))
    return content[:place] + new.to_bytes(4, "little") + content[place + 4 :]


def _range(rng: random.Random, length: int) -> tuple[int, int]:
    """A short piece mostly."""
    first = rng.randrange(length + 1)
    most = rng.choice((1, 4, 16, 64, length + 1))
    return first, min(length, first + rng.randrange(most + 1))


def _renumbered(rng: random.Random, content: bytes) -> bytes:
    """Another number in the place of one that is written out."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", content))
    if not found:
        return content
    match = rng.choice(found)
    return content[: match.start()] + rng.choice(NUMBERS) + content[match.end() :]
