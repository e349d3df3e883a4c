"""Tries one input after the other, and keeps those that show a defect."""

from __future__ import annotations

import random
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.limits import bounded
from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target, outcome

MOST_SEEDS = 400
"""Inputs in the pool: those to begin with, and those that took a way of their own."""


@dataclass(frozen=True)
class Finding:
    """An input that showed a defect. place: the exception and the line that raised it, by which findings are equal."""

    content: bytes
    place: str
    text: str


@dataclass(frozen=True)
class Result:
    """tried: inputs; ways: different outcomes; findings: one for every defect."""

    tried: int
    ways: int
    findings: tuple[Finding, ...]


def defect(target: Target, content: bytes, folder: Path) -> tuple[str, Finding | None]:
    """The sign of what became of an input; or the defect that it shows."""
    try:
        with bounded():
            return outcome(target, content, folder), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "approx_plugin" in frame.filename]
        last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} in {last.name}"
        return place, Finding(content, place, "".join(traceback.format_exception(error))[-6000:])


def fuzz(target: Target, seed: int, seconds: float | None = None, rounds: int | None = None) -> Result:
    """Mutate the target's seeds for so long, or so often; the seeds themselves come first.

    Same seed, same inputs, as many as there is time for. An input that takes a new way becomes a seed.
    """
    end = None if seconds is None else time.monotonic() + seconds
    ways: set[str] = set()
    findings: dict[str, Finding] = {}
    pool: list[bytes] = []
    tried = 0
    with tempfile.TemporaryDirectory() as folder:
        for content in _inputs(target, seed, pool):
            if (end is not None and time.monotonic() > end) or tried == rounds:
                break
            tried += 1
            way, found = defect(target, content, Path(folder))
            if found is not None:
                findings.setdefault(found.place, found)
            elif way not in ways and len(pool) < MOST_SEEDS:
                pool.append(content)
            ways.add(way)
    return Result(tried, len(ways), tuple(findings.values()))


def _inputs(target: Target, seed: int, pool: list[bytes]) -> Iterator[bytes]:
    """The seeds, then mutations of what is in the pool by then."""
    rng = random.Random(seed)
    seeds = list(target.seeds())
    yield from seeds
    while True:
        yield mutated(rng, [*seeds, *pool] if pool else seeds, target.words, target.shaped)
