"""Crash every verb that writes at random moments: nothing of the user's may be lost, and the next run has to work.

Ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.crashes import shim
from tests.crashes.point import Stand, examine
from tests.crashes.scenario import SCENARIOS
from tests.crashes.shim import ACTIONS, Crash


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--points", type=int, default=40, help="how many crashes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--scenario", action="append", choices=tuple(SCENARIOS), help="may be repeated")
    parser.add_argument("--action", action="append", choices=tuple(ACTIONS), help="may be repeated")
    return parser


def main() -> int:
    """The command."""
    options = arguments().parse_args()
    names = options.scenario or list(SCENARIOS)
    rng = random.Random(options.seed)
    seen: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        library = shim.build(Path(folder))
        if library is None:
            print("needs gcc, for the library that counts operations", file=sys.stderr)
            return 2
        stand = Stand(Path(folder), library, os.environ["PATH"])
        for number in range(options.points):
            name = rng.choices(names, [SCENARIOS[name].weight for name in names])[0]
            action, share = rng.choice(options.action or list(ACTIONS)), rng.random()
            scenario = SCENARIOS[name]
            crash = Crash(action, 1 + int(share * stand.unharmed(name, scenario)))
            faults = examine(stand, name, scenario, crash)
            seen.update((name, action))
            wrong += bool(faults)
            print(f"{number}: {name}, {action} at operation {crash.at} of {stand.counts[name]}", flush=True)
            for fault in faults:
                print(f"    {fault}", flush=True)
    print(f"seed {options.seed}: {options.points} points, {wrong} with a fault")
    print(", ".join(f"{name} {count}" for name, count in seen.most_common()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
