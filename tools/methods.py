#!/usr/bin/env python3
"""Searches networks by several methods and writes their comparison: cycles saved, losses, and what is certain of them.

    CMSIS_NN_PATH=... tools/methods.py --output comparison.md --drops 0,1,5 --confidences 95,point lenet.yaml

Each approx.yaml names a network, a board and its images; its method and target are replaced. Estimated cycles are of
the search's cost model; with --simulate, firmware of the library, of the exact network and of each chosen design is
built and run on the virtual board, and those cycles are in the table as well. A file that is there already is replaced.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from approx_plugin.bench.run import bench
from approx_plugin.exploration.design_file import recipe_text
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.result import Exploration
from approx_plugin.exploration.search import explore
from approx_plugin.exploration.workers import executor
from approx_plugin.pipeline.designed import groupings_of, options_of, sensitivity_of
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.request import Request
from approx_plugin.spec.order import Order
from approx_plugin.spec.spec import Target
from approx_plugin.workplace import Workplace

METHODS = ("significance", "compensated", "reconstruction")


@dataclass(frozen=True)
class Row:
    """What one method has made of one network for one target. Cycles and bytes: (exact, chosen).

    simulated: of the library, exact, chosen; None where nothing was simulated.
    """

    network: str
    method: str
    target: str
    cycles: tuple[float, float]
    flash: tuple[int, int]
    found: Exploration
    seconds: tuple[float, float]
    simulated: tuple[int, int, int] | None


def main(argv: Sequence[str] | None = None) -> int:
    """0: written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="+", type=Path)
    parser.add_argument("--methods", default=",".join(METHODS), help="with commas between them (default: %(default)s)")
    parser.add_argument("--drops", default="1", help="points that may be lost, with commas (default: %(default)s)")
    parser.add_argument("--confidences", default="95", help="percent, or point, with commas (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--simulate", action="store_true", help="build firmware and run it on the virtual board")
    parser.add_argument("--output", type=Path, required=True, help="the Markdown file")
    options = parser.parse_args(argv)
    with executor(options.workers) as pool:
        rows = [row for spec in options.specs for row in compared(spec, options, pool)]
    options.output.write_text("\n".join(document(rows)) + "\n", encoding="utf-8")
    return 0


def compared(file: Path, options: argparse.Namespace, pool: Executor) -> Iterator[Row]:
    """The rows of one network."""
    library = os.environ.get("CMSIS_NN_PATH", "")
    order = Order.of(Request(spec=file, cmsis_nn=Path(library) if library else None))
    given = read(order)
    assert given.data is not None, f"{file} names no images"
    for name in options.methods.split(","):
        start, before = time.monotonic(), _cpu()
        method = replace(given.spec.method, name=name)
        inputs = replace(given, spec=replace(given.spec, method=method))
        groupings = groupings_of(inputs, inputs.plans.offers)
        ladders = options_of(inputs, groupings, given.data.calibration.inputs)
        memo = Memo(Workplace.of(given.spec.file, given.spec.project.name, given.directory).evaluations)
        for drop in options.drops.split(","):
            for wanted in options.confidences.split(","):
                confidence = None if wanted == "point" else float(wanted)
                found = explore(
                    ladders,
                    inputs.plans,
                    Evaluator(inputs.graph, given.data.exploration, pool, memo),
                    Evaluator(inputs.graph, given.data.confirmation, pool, memo),
                    Target(float(drop), None),
                    replace(inputs.spec.search, confidence=confidence),
                    sensitivity=sensitivity_of(inputs, pool, memo),
                )
                simulated = _simulated(order, inputs, found) if options.simulate else None
                row = _row(inputs, found, f"{drop} / {wanted}", (time.monotonic() - start, _cpu() - before), simulated)
                print(_line(row), flush=True)
                yield row
                start, before = time.monotonic(), _cpu()


def _row(
    inputs: Inputs,
    found: Exploration,
    target: str,
    seconds: tuple[float, float],
    simulated: tuple[int, int, int] | None,
) -> Row:
    exact, chosen = inputs.plans.total(()), found.chosen.point
    return Row(
        inputs.graph.name,
        inputs.spec.method.name,
        target,
        (exact.cycles, chosen.cycles),
        (exact.flash_bytes, chosen.flash_bytes),
        found,
        seconds,
        simulated,
    )


def _simulated(order: Order, inputs: Inputs, found: Exploration) -> tuple[int, int, int]:
    """Cycles of whole inferences on the board's model."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "design.json"
        choice = inputs.plans.choice(found.chosen.candidates)
        text = recipe_text(inputs.spec, inputs.graph, choice, inputs.method, found.chosen, 0)
        file.write_text(text, encoding="utf-8")
        (board,) = bench(Order(order.request, replace(order.spec, design=file)), lambda _: None).boards
    library, exact, chosen = (variant.total.cycles for variant in board.variants)
    return library, exact, chosen


def document(rows: Sequence[Row]) -> Iterator[str]:
    """The lines."""
    yield "# Methods of approximation, compared"
    yield ""
    yield "Written by `tools/methods.py`. Cycles are estimated by the board's cost model where nothing else is said."
    yield "Losses are in points of top-1 against the exact network, with the 95 % interval of the difference; certain:"
    yield "what images of this kind lose at most, with the confidence that was asked for."
    yield ""
    head = ("network", "method", "target / confidence", "cycles", "saved", "simulated", "flash", "exploration")
    yield f"| {' | '.join(head)} | confirmation | certain | looks | measured | s, CPU |"
    yield "|---|---|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        yield _line(row)


def _line(row: Row) -> str:
    found = row.found
    explored, confirmed = found.exploration, found.confirmation
    exact, chosen = row.cycles
    cells = [
        row.network,
        row.method,
        row.target,
        f"{exact:,.0f} -> {chosen:,.0f}",
        f"{100 * (1 - chosen / exact):.1f} %",
    ]
    if row.simulated is None:
        cells.append("-")
    else:
        library, ours, made = row.simulated
        cells.append(f"{ours:,} -> {made:,} ({100 * (1 - made / ours):.1f} %; {library / made:.2f}x CMSIS-NN)")
    cells.append(f"{100 * (1 - row.flash[1] / row.flash[0]):.1f} %")
    cells.append(f"{explored.difference:+.2f} of {explored.images}")
    low, high = confirmed.interval
    cells.append(f"{confirmed.difference:+.2f} ({low:+.2f} to {high:+.2f}) of {confirmed.images}")
    cells.append("-" if found.bound is None else f"{max(0.0, -found.bound):.2f}")
    cells += [str(len(found.looks)), str(found.evaluations), f"{row.seconds[1]:.0f}"]
    return f"| {' | '.join(cells)} |"


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    sys.exit(main())
