"""What a board or the emulator prints: garbled, cut, repeated. It must never pass for a success that was none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from approx_plugin.build.console import joined, parse_console
from approx_plugin.build.emulator import verify
from approx_plugin.reference.vectors import TestVectors
from tests.fuzz.target import Target, stored

_WORDS = (
    b"approx: ", b"approx: vector 0 ok\n", b"approx: vector 1 MISMATCH layer 0 conv2d_0\n", b"approx: PASS 2/2\n",
    b"approx: FAIL 1/2\n", b"approx: layer 0 conv2d_0 cycles 12\n", b"approx: SCRATCH ", b"approx: FAULT ", b"\r",
    b"\r\n", b"\n", b"\x00", b"\x1b[2J", b"\xff\xfe", b"\xe2\x80\xa8", b"\xd9\xa1\xd9\xa2", b"n/a", b" cycles ",
    b"9" * 5000,
)  # fmt: skip

_VECTORS = TestVectors(np.zeros((2, 1), np.int8), np.zeros((2, 1), np.int8), np.zeros((2, 1), np.uint32))


def _read(content: bytes, folder: Path) -> str:
    text = content.decode(errors="replace")
    found = parse_console(text)
    if found.vectors is not None and found.passed is not None:
        joined(found, found, found.vectors)
    verify(found, _VECTORS)
    lines = [line.rstrip() for line in text.splitlines()]
    assert all(f"approx: vector {number} ok" in lines for number in range(2))
    assert not any("MISMATCH" in line or "FAULT" in line for line in lines if line.startswith("approx: "))
    return f"verified {len(found.layers)} {len(found.performance)}"


def _line(rng: random.Random, content: bytes) -> bytes:
    """A line cut, gone, twice, or run into the next one."""
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    line = lines[place]
    lines[place : place + 1] = rng.choice(
        (
            [],
            [line, line],
            [line[: rng.randrange(len(line) + 1)]],
            [line + rng.choice(lines)],
            [rng.choice(lines), line],
        )
    )
    return b"\n".join(lines)


UART = Target("uart", lambda: stored("uart"), _WORDS, _read, (_line,))
