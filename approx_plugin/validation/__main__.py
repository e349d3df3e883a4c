"""`python -m approx_plugin.validation`: after a change of the virtual board, or when something new was published.

Needs the libraries that were measured, each from its public repository, and MLPerf Tiny's four .tflite files:

    --library tflm=DIR               CMSIS-NN, commit 601d96c6
    --library microtvm=DIR,HEADERS   CMSIS 5, commit 51263182: CMSIS/NN and CMSIS/Core/Include
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from approx_plugin.errors import ApproxError
from approx_plugin.resources import resource_root
from approx_plugin.validation.document import document
from approx_plugin.validation.firmware import parse_libraries
from approx_plugin.validation.measurements import load_measurements
from approx_plugin.validation.run import band, compare


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m approx_plugin.validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--library", action="append", default=[], help="STACK=DIR or STACK=DIR,HEADERS")
    parser.add_argument("--models", type=Path, help="the folder of MLPerf Tiny's .tflite files")
    parser.add_argument("--jobs", type=int, default=2, help="simulations at a time")
    parser.add_argument("--work", type=Path, help="where objects are kept for the next time")
    parser.add_argument(
        "--date", default=datetime.date.today().isoformat(), help="for the document; today's if not given"
    )
    parser.add_argument("--write", action="store_true", help="write docs/validation.md; all libraries have to be there")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Compare. 0: done; 2: a mistake, which is said."""
    options = arguments().parse_args(argv)
    measurements = load_measurements()
    try:
        libraries = parse_libraries(options.library)
        stacks = {one.stack.id for one in measurements}
        missing = sorted(stacks - set(libraries))
        for stack in missing:
            print(f"not compared: {stack} (give --library {stack}=DIR)", file=sys.stderr)
        if len(missing) == len(stacks) or (options.write and missing):
            return 2
        with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(options.jobs) as pool:
            found = compare(measurements, libraries, options.models, options.work or Path(temporary), pool, print)
    except ApproxError as error:
        print(error, file=sys.stderr)
        return 2
    low, high = band(found)
    print(f"{len(found)} figures: {low:+.1%} to {high:+.1%}")
    if options.write:
        file = resource_root() / "docs" / "validation.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(document(found, options.date), encoding="utf-8")
        print(f"{file} was written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
