"""What is fuzzed: a reader, files to begin with, and how to tell a defect from a mistake that was noticed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.errors import ApproxError

CORPUS = Path(__file__).parent / "corpus"

Mutation = Callable[[random.Random, bytes], bytes]
"""One step away from a file, which stays well-formed as far as its format needs it to be looked at."""


@dataclass(frozen=True)
class Target:
    """seeds: files to begin with; words: what a mutation may put in; shaped: mutations that know the format.

    read: takes the content of a file, in a folder of its own; returns what became of it. Whatever it raises but an
    ApproxError is a defect.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes]
    read: Callable[[bytes, Path], str]
    shaped: Sequence[Mutation] = ()


def stored(name: str) -> list[bytes]:
    """The corpus in the repository: files by hand, and those with which something was found."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir()) if path.is_file()]


def outcome(target: Target, content: bytes, folder: Path) -> str:
    """What becomes of an input, as a sign: equal for inputs that take the same way. Raises for a defect."""
    try:
        return target.read(content, folder)
    except ApproxError as error:
        return sign(told(error))


def told(error: ApproxError) -> str:
    """The message, as it would be printed. Raises AssertionError for one that a terminal should not be given."""
    text = str(error)
    text.encode("utf-8", errors="backslashreplace")
    assert text.strip(), "an error without a message"
    assert "Traceback" not in text
    odd = sorted(
        {character for character in text if not character.isprintable() and character not in "\n\t\u00a0\u202f"}
    )
    assert not odd, f"control characters in a message: {odd!r}"
    assert len(text) < 200_000, f"a message of {len(text):,} characters"
    return text


def sign(text: str) -> str:
    """A message without what it quotes and counts."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", "Q", text)
    return re.sub(r"\d+", "0", plain)[:300]
