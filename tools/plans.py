#!/usr/bin/env python3
"""Simulates every plan that kernels offer for layers of a network, and compares bytes and cycles with the estimates.

    tools/plans.py --board nucleo-u575zi-q --kernel gemm models/cifar10_lenet.tflite        all layers that it suits
    tools/plans.py --board nucleo-u575zi-q models/cifar10_lenet.tflite conv2d_2             one layer, every kernel

All cycles are simulated on the named boards' models. "ideal" is the same core with memories that never let it wait;
"est." what the board's cost model says, "core" what the kernel's description says of the core alone (rolled kernels).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from approx_plugin.boards.loader import load_board
from approx_plugin.kernels.costs.loader import board_costs
from approx_plugin.kernels.kernel import UnpricedError, price
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.laboratory.drawing import Drawn, unpriced
from approx_plugin.laboratory.harness import Stand, Subject, examine
from approx_plugin.tflite.reader import read_graph


def main(argv: Sequence[str] | None = None) -> int:
    """0: all plans are right; 1: some are not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("layers", nargs="*", help="names or indexes; all if none is given")
    parser.add_argument("--board", action="append", required=True, help="may be repeated")
    parser.add_argument("--kernel", action="append", choices=tuple(KERNELS), help="may be repeated; all if not given")
    parser.add_argument("--backend", default="assembly", choices=("assembly", "c"))
    parser.add_argument("--cmsis-nn", default=os.environ.get("CMSIS_NN_PATH"), help="the library; or CMSIS_NN_PATH")
    options = parser.parse_args(argv)
    graph, wrong = read_graph(options.model), 0
    for name in options.board:
        board = load_board(name)
        platform = unpriced(board, options.backend)
        priced = Platform.of(board, options.backend, board_costs(board))
        subjects: list[Subject] = []
        for operator in graph.operators:
            if options.layers and operator.name not in options.layers and str(operator.index) not in options.layers:
                continue
            for kernel in KERNELS.values():
                run = (operator,)
                if options.kernel and kernel.name not in options.kernel:
                    continue
                if kernel.suits(run) and kernel.refusal(run, platform) is None:
                    plans = kernel.plans(run, platform)
                    subjects += [Subject(operator.index, Drawn(run, kernel, plan.variant)) for plan in plans]
        print(f"{board.name}, simulated")
        print(
            f"{'layer':22}{'kernel':10}{'variant':42}{'cycles':>10}{'c/MAC':>7}{'est.':>7}{'ideal':>7}{'core':>7}"
            f"{'flash':>8}{'scratch':>8}"
        )
        with tempfile.TemporaryDirectory() as folder:
            library = Path(options.cmsis_nn) if options.cmsis_nn else None
            verdict = examine(subjects, Stand(board, platform, library, Path(folder)), 1)
        for one in verdict.measured:
            drawn, figures = one.subject.drawn, one.figures
            operator, plan = drawn.operators[0], drawn.plan(priced)
            unit = operator.macs or operator.output.elements
            try:
                estimate = f"{price(plan, priced).cycles / unit:7.3f}"
            except UnpricedError:
                estimate = f"{'-':>7}"
            core = sum(work.counts.get("cycles", 0.0) for work in plan.work(priced.model.memories))
            needs = plan.needs
            print(
                f"{operator.name:22}{drawn.kernel.name:10}{drawn.variant[:41]:42}{figures.cycles:10,}"
                f"{figures.cycles / unit:7.3f}{estimate}{figures.ideal_cycles / unit:7.3f}{core / unit:7.3f}"
                f"{sum(needs.permanent.values()):8,}{sum(needs.scratch.values()):8,}"
            )
        for fault in verdict.faults:
            print(fault)
        wrong += len(verdict.faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
