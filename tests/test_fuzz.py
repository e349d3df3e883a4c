"""The fuzzers: a short run of each, and whether they notice what is planted."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from approx_plugin.errors import ApproxError, SpecError
from tests.fuzz.engine import defect, fuzz
from tests.fuzz.mutation import mutated
from tests.fuzz.target import CORPUS, Target, told
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_a_short_run(name: str) -> None:
    """All seeds, those with which something was found among them, and some mutations."""
    target = TARGETS[name]
    result = fuzz(target, seed=7, rounds=len(target.seeds()) + 60)
    assert not result.findings, result.findings[0].text
    assert result.ways > 10


def reader(content: bytes, folder: Path) -> str:
    """One with three defects behind each other."""
    if content.startswith(b"ab") and b"\xff" in content:
        raise ZeroDivisionError
    if b"99" in content:
        raise SpecError("a message with \x1b[2J in it", where="x")
    if b"zz" in content:
        int("no number")
    return "read"


def test_defects_are_told_apart_and_mistakes_are_none() -> None:
    planted = Target("planted", lambda: [b"abc 12", b"y"], (b"\xff", b"zz", b"99"), reader)
    found = fuzz(planted, seed=1, rounds=3000)
    assert {finding.place.split()[0] for finding in found.findings} == {"ZeroDivisionError", "ValueError"}
    assert found.ways == 4, "read, the mistake, and two defects"
    for finding in found.findings:
        with pytest.raises((ZeroDivisionError, ValueError)):
            reader(finding.content, Path())


def test_what_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def slow(content: bytes, folder: Path) -> str:
        while True:
            try:
                time.sleep(60)
            except Exception:  # a reader that takes any fault for a damaged file
                return "read"

    monkeypatch.setattr("tests.fuzz.limits.SECONDS", 0.05)
    _, found = defect(Target("slow", lambda: [b""], (), slow), b"", tmp_path)
    assert found is not None and found.place.startswith("TooSlowError")


def test_a_seed_names_its_inputs() -> None:
    seeds, words = [b"model: m.tflite\nseed: 12\n"], (b"[", b"]")
    first, second = ([mutated(random.Random(3), seeds, words, ()) for _ in range(20)] for _ in range(2))
    assert first == second
    rng = random.Random(4)
    assert len({mutated(rng, seeds, words, ()) for _ in range(200)}) > 120


def test_messages_show_what_a_terminal_would_obey() -> None:
    error = ApproxError("no array '\x1b[2J\x00'", where="d.npz", why="\u2028", hint="Grüße\tan 'naïve'")
    assert str(error) == ("d.npz: error: no array '\\x1b[2J\\x00'\n    why: \\u2028\n    do:  Grüße\tan 'naïve'")
    assert told(error) == str(error)


def test_the_corpus_is_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < 100_000
