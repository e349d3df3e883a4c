"""The same targets under atheris (libFuzzer), which sees the lines that an input reaches."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from tests.fuzz.limits import bounded
from tests.fuzz.mutation import MOST_BYTES, mutated


def is_there() -> bool:
    """Whether atheris can be imported."""
    try:
        import atheris  # noqa: F401
    except ImportError:
        return False
    return True


def run(name: str, seconds: int, seed: int, findings: Path) -> None:
    """Fuzz until the time is up or a defect shows; ends the process, with a status other than 0 for a defect.

    The input that shows one is written to the folder `findings`.
    """
    import atheris

    with atheris.instrument_imports(include=["approx_plugin"]):
        from tests.fuzz.target import outcome
        from tests.fuzz.targets import TARGETS

        target = TARGETS[name]
    seeds = list(target.seeds())

    def one(content: bytes) -> None:
        with bounded():
            outcome(target, content, Path(scratch))

    def mutate(content: bytes, most: int, number: int) -> bytes:
        if number % 2:
            return bytes(atheris.Mutate(content, most))
        rng = random.Random(number)
        return mutated(rng, [content] if rng.random() < 0.8 else seeds, target.words, target.shaped)[:most]

    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as corpus:
        for place, content in enumerate(seeds):
            (Path(corpus) / f"{place:03}").write_bytes(content)
        findings.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST_BYTES}", "-rss_limit_mb=4096"]
        arguments = [sys.argv[0], *options, f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", corpus]
        atheris.Setup(arguments, one, custom_mutator=mutate)
        atheris.Fuzz()
