"""Fuzz one of the tool's readers. The command ends with 1 and keeps the inputs if there is a finding."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from tests.fuzz import guided
from tests.fuzz.limits import limit_memory

NAMES = ("spec", "model", "data", "cproject", "uart")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--engine", choices=("auto", "own", "atheris"), default="auto", help="auto: atheris, if there")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="a folder (default: %(default)s)")
    parser.add_argument("--input", type=Path, help="try this file alone, as a finding was kept")
    return parser


def main() -> int:
    """The command."""
    options = arguments().parse_args()
    if options.input is None and (options.engine == "atheris" or (options.engine == "auto" and guided.is_there())):
        guided.run(options.target, options.seconds, options.seed, options.findings)
    from tests.fuzz.engine import Result, defect, fuzz
    from tests.fuzz.targets import TARGETS

    limit_memory()
    target = TARGETS[options.target]
    if options.input is not None:
        scratch = options.findings / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        way, found = defect(target, options.input.read_bytes(), scratch)
        print(way)
        result = Result(1, 1, (found,) if found else ())
    else:
        result = fuzz(target, options.seed, options.seconds)
    for finding in result.findings:
        digest = hashlib.sha256(finding.content).hexdigest()[:12]
        options.findings.mkdir(parents=True, exist_ok=True)
        kept = options.findings / f"{target.name}-{digest}"
        kept.write_bytes(finding.content)
        print(f"\n{finding.place}\n{finding.text}\nkept: {kept}")
    counts = f"{result.tried:,} inputs, {result.ways} ways, {len(result.findings)} findings"
    print(f"{target.name}, seed {options.seed}: {counts}")
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main())
