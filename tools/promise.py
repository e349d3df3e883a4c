#!/usr/bin/env python3
"""How often the promise of a search is broken on images that it has never seen: a leave-out test over random splits.

    tools/promise.py --seeds 20 lenet.yaml

Designs are measured once on the exploration and confirmation images of the approx.yaml together. Then, for each seed,
these images are shuffled and cut into three parts; what would be confirmed is chosen with the first two by the rules of
the search, and its loss on the third one, which stands for all images of the kind, is compared with what was promised.
The designs are those of one search, so its path is the same in every split; what is chosen of it is not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from approx_plugin.exploration.comparison import accuracy
from approx_plugin.exploration.confirmation import confirm
from approx_plugin.exploration.design import Candidates, Design
from approx_plugin.exploration.evaluation import Evaluator
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.memo import Memo
from approx_plugin.exploration.promise import Outlook, Promise
from approx_plugin.exploration.search import explore
from approx_plugin.exploration.workers import executor
from approx_plugin.pipeline.designed import groupings_of, options_of, sensitivity_of
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.request import Request
from approx_plugin.spec.order import Order
from approx_plugin.spec.spec import Target
from approx_plugin.workplace import Workplace

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """Of one split. saved: share of the cycles; lost: points on the images that were left out."""

    saved: float
    lost: float


def main(argv: Sequence[str] | None = None) -> int:
    """0: told; 1: the promise was broken more often than asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--seeds", type=int, default=20, help="splits (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args(argv)
    inputs = read(Order.of(Request(spec=options.spec)))
    target, search = inputs.spec.target, inputs.spec.search
    assert target is not None and target.max_accuracy_drop is not None, "the target has to be a drop"
    designs, correct = measured(inputs, options.workers)
    found = [split(designs, correct, target, search.confidence, seed) for seed in range(options.seeds)]
    for seed, one in enumerate(found):
        print(f"seed {seed}: {100 * one.saved:.1f} % of the cycles saved, {one.lost:+.2f} points lost on unseen images")
    broken = sum(one.lost > target.max_accuracy_drop for one in found)
    saved = 100 * float(np.mean([one.saved for one in found]))
    asked = "the images at hand" if search.confidence is None else f"{search.confidence:g} % confidence"
    limit = f"more than {target.max_accuracy_drop:g} points"
    print(
        f"{broken} of {len(found)} splits lose {limit} with {asked}; {saved:.1f} % of the cycles are saved on average"
    )
    allowed = 1.0 if search.confidence is None else 1.0 - search.confidence / 100.0
    return int(broken > allowed * len(found) + 1e-9)


def measured(inputs: Inputs, workers: int) -> tuple[list[Design], list[BoolArray]]:
    """The designs of a search, the exact one first, and bool [images] of both sets together for each."""
    spec, data = inputs.spec, inputs.data
    assert data is not None and spec.target is not None
    memo = Memo(Workplace.of(spec.file, spec.project.name, inputs.directory).evaluations)
    options = options_of(inputs, groupings_of(inputs, inputs.plans.offers), data.calibration.inputs)
    designs: list[Design] = []
    with executor(workers) as pool:
        one, other = (Evaluator(inputs.graph, part, pool, memo) for part in (data.exploration, data.confirmation))
        sensitivity = sensitivity_of(inputs, pool, memo)
        explore(
            options,
            inputs.plans,
            one,
            other,
            spec.target,
            spec.search,
            sensitivity=sensitivity,
            watch=designs.append,
        )
        wanted: list[Candidates] = [design.candidates for design in designs]
        both = [np.concatenate(parts) for parts in zip(one(wanted), other(wanted))]
    return designs, both


def split(
    designs: Sequence[Design], correct: Sequence[BoolArray], target: Target, confidence: float | None, seed: int
) -> Outcome:
    """What is chosen with two thirds of the images, and what it loses on the others. The exact design comes first."""
    order = np.random.default_rng(seed).permutation(len(correct[0]))
    exploration, confirmation, left = (np.sort(part) for part in np.array_split(order, 3))
    places = {id(design.candidates): number for number, design in enumerate(designs)}
    again = [
        Design(one.candidates, replace(one.point, accuracy=accuracy(row[exploration])))
        for one, row in zip(designs, correct)
    ]
    promise = Promise(target, correct[0][confirmation], confidence)
    outlook = Outlook(target, confidence, len(confirmation))

    def row(candidates: Candidates) -> BoolArray:
        return correct[places[id(candidates)]]

    found = confirm(
        again,
        True,
        again[0].point.cycles,
        Goal.on(target, again[0].point.accuracy),
        promise,
        lambda wanted: [row(candidates)[confirmation] for candidates in wanted],
        lambda design: outlook.hopeful(correct[0][exploration], row(design.candidates)[exploration]),
    )
    chosen = found.design or again[0]
    lost = accuracy(correct[0][left]) - accuracy(row(chosen.candidates)[left])
    return Outcome(1.0 - chosen.point.cycles / again[0].point.cycles, lost)


if __name__ == "__main__":
    sys.exit(main())
