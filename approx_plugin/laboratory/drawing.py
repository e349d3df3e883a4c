"""What computes a drawn layer: the kernels of the registry say which of them can, and offer their plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from approx_plugin.boards.board import Board
from approx_plugin.kernels.costs.counting import IDEAL, Work
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.needs import RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.kernels.run import Run
from approx_plugin.laboratory.layers import LOTS, Random
from approx_plugin.operators.registry import operator_name


class _Free(CostModel):
    """Everything costs nothing: drawn layers say themselves how they are computed."""

    def cycles(self, work: Work) -> float:
        """None, of whatever kind the work is."""
        return 0.0

    def knows(self, work: Work) -> bool:
        """Work of every kind."""
        return True


REGISTERED: tuple[Kernel, ...] = tuple(sorted(KERNELS.values(), key=lambda kernel: kernel.name == BASELINE))
"""The library last: the others are compared with it."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A run of operators, and the plan that is to compute it. variant: the plan's, see `Plan.variant`."""

    operators: Run
    kernel: Kernel
    variant: str

    @property
    def kinds(self) -> str:
        """`CONV_2D`, `PAD + CONV_2D`."""
        return " + ".join(operator.kind for operator in self.operators)

    def numbered(self, first: int) -> Drawn:
        """The same with other indexes and names: the operators stand at `first` and after it."""
        named = ((n, operator_name(o.kind, n), o) for n, o in enumerate(self.operators, first))
        return replace(self, operators=tuple(replace(o, index=n, name=name) for n, name, o in named))

    def plan(self, platform: Platform) -> Plan:
        """The plan. Raises ValueError where the kernel offers no such one."""
        for plan in self.kernel.plans(self.operators, platform):
            if plan.variant == self.variant:
                return plan
        raise ValueError(f"{self.kernel.name} offers no plan '{self.variant}' for {self.kinds}")


def unpriced(board: Board, backend: str) -> Platform:
    """The board's, without prices: of kernels that no cost model knows as well."""
    return Platform.of(board, backend, _Free("nothing", IDEAL, {}))


def able(kernels: Iterable[Kernel], run: Run, platform: Platform) -> list[Kernel]:
    """The kernels that can compute a run."""
    return [
        kernel
        for kernel in kernels
        if len(run) <= kernel.longest and kernel.suits(run) and kernel.refusal(run, platform) is None
    ]


def draw_plan(random: Random, kernel: Kernel, run: Run, platform: Platform) -> Drawn:
    """The first plan every other time, any of them otherwise: a fit, or a test, has to know them all.

    What a variant says after a comma is another decision than what it says before: it is drawn first. Raises ValueError
    for plans that their variants do not tell apart.
    """
    plans = kernel.plans(run, platform)
    if len({plan.variant for plan in plans}) < len(plans):
        raise ValueError(f"{kernel.name} offers several plans of one name: {[plan.variant for plan in plans]}")
    if len(plans) == 1:
        return Drawn(run, kernel, plans[0].variant)
    families: dict[str, list[Plan]] = {}
    for plan in plans:
        families.setdefault(plan.variant.partition(", ")[2], []).append(plan)
    family = [*families.values()][int(random.choice(len(families)))]
    chosen = family[0] if random.random() < 0.5 else family[int(random.integers(len(family)))]
    if platform.ram and _ram(chosen) > platform.ram - BESIDE:
        chosen = min(plans, key=_ram)
    return Drawn(run, kernel, chosen.variant)


BESIDE = 12 * 1024
"""Bytes of RAM that a firmware takes besides a step's buffers: stack, console, margins."""


def _ram(plan: Plan) -> int:
    """Bytes of buffers, scratch and tables."""
    tensors = {tensor.index: tensor for operator in plan.operators for tensor in (*operator.inputs, operator.output)}
    held = plan.needs.scratch.get(RAM, 0) + plan.needs.permanent.get(RAM, 0)
    return held + sum(tensor.elements for tensor in tensors.values())


def draw_layers(seed: int, scale: float, platform: Platform, kernels: Sequence[Kernel] = REGISTERED) -> list[Drawn]:
    """Single layers of all lots, each once for every kernel that can compute it, in a drawn order.

    scale: on the number of layers. Same arguments, same layers.
    """
    random = np.random.default_rng(seed)
    drawn: list[Drawn] = []
    for lot in LOTS:
        wanted = [kernel for kernel in kernels if kernel.name == BASELINE or not lot.baseline_only]
        for operator in lot.some(random, scale):
            run = (operator,)
            drawn += [draw_plan(random, kernel, run, platform) for kernel in able(wanted, run, platform)]
    return [drawn[i] for i in random.permutation(len(drawn))]
