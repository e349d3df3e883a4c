"""What was asked for, in words, and whether it was reached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from approx_plugin.boards.board import Board
from approx_plugin.exploration.result import Exploration
from approx_plugin.kernels.program import Program
from approx_plugin.report.data import points
from approx_plugin.report.detail import CostLimit
from approx_plugin.spec.spec import Spec, Target


def target_title(target: Target | None, confidence: float | None = None) -> str:
    """What the accuracy has to be, and how sure that has to be, and what the network may cost, in words."""
    if target is None:
        return "none"
    found = []
    sure = "" if confidence is None else f", with {confidence:g} % confidence"
    if target.max_accuracy_drop is not None:
        found.append(f"at most {points(target.max_accuracy_drop)} below the exact network{sure}")
    elif target.accuracy is not None:
        found.append(f"at least {target.accuracy:g} %{sure}")
    return "; ".join([*found, *costs(target)])


def costs(target: Target | None) -> Iterator[str]:
    """What the network may cost, in words."""
    if target is not None:
        for name, limit in (("flash", target.max_flash), ("RAM", target.max_ram)):
            if limit is not None:
                yield f"at most {limit:,} B of {name}"
        if target.max_cycles is not None:
            yield f"at most {target.max_cycles:,.0f} cycles"
        if target.max_latency is not None:
            yield f"at most {1000 * target.max_latency:g} ms"


def limits_of(spec: Spec, board: Board, program: Program) -> Iterator[CostLimit]:
    """What the target allows of each cost, and what the network takes."""
    target = spec.target
    if target is None:
        return
    cycles = math.fsum(step.cost.cycles for step in program.steps)
    if target.max_flash is not None:
        yield CostLimit("flash", target.max_flash, program.flash_bytes, "B")
    if target.max_ram is not None:
        yield CostLimit("RAM", target.max_ram, program.memory.size, "B")
    if target.max_cycles is not None:
        yield CostLimit("cycles", target.max_cycles, cycles, "cycles")
    if target.max_latency is not None:
        yield CostLimit("latency", 1000 * target.max_latency, 1000 * cycles / board.clock_hz, "ms")


def target_met(exploration: Exploration | None, limits: Sequence[CostLimit]) -> bool | None:
    """Accuracy and costs; None where nothing was asked for."""
    if exploration is None and not limits:
        return None
    return (exploration is None or exploration.target_met) and all(limit.met for limit in limits)
