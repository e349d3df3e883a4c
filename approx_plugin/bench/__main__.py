"""Benches of several networks on one page: `python -m approx_plugin.bench BENCH.json ... --out PAGE.html`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from approx_plugin.bench.document import from_json
from approx_plugin.bench.page import html_text
from approx_plugin.bench.published import load_published
from approx_plugin.bench.results import Bench
from approx_plugin.errors import ApproxError, ErrorGroup, ProjectError, attempt, raise_all


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where a file cannot be read or written."""
    parser = argparse.ArgumentParser(prog="python -m approx_plugin.bench", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="BENCH.json", help="what `bench` has written")
    parser.add_argument("--out", type=Path, default=Path("benches.html"), metavar="PAGE.html", help="the page")
    given = parser.parse_args(arguments)
    try:
        errors: list[ApproxError] = []
        found = [attempt(errors, partial(load, file)) for file in given.files]
        raise_all(errors)
        page = html_text([bench for bench in found if bench], load_published())
        try:
            given.out.write_text(page, encoding="utf-8")
        except OSError as error:
            raise ProjectError(f"the page cannot be written: {error.strerror}", where=given.out) from None
    except (ApproxError, ErrorGroup) as error:
        print(error, file=sys.stderr)
        return 1
    print(given.out)
    return 0


def load(file: Path) -> Bench:
    """A bench.json. Raises ProjectError if it is none."""
    try:
        return from_json(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProjectError(f"the bench cannot be read: {error.strerror}", where=file, hint="check the path") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ProjectError(
            "this is not a bench.json", where=file, why=why, hint="bench again with this version of the tool"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
