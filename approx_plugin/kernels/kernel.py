"""The contract between the kernels and the rest of the house.

A `Kernel` looks at one operator, or at a run of consecutive ones, and offers plans: ways to compute them. A `Plan` says
what it needs, what it does (for the cost model), which products it can leave out, and emits the code. Pricing, choice,
lowering, calibration and tests take plans and never ask which kernel made them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from approx_plugin.approximation.grouping import Grouping
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.needs import Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.operator import Operator


class Plan(ABC):
    """One way to compute a run of operators, decided down to the last instruction. Immutable."""

    kernel: ClassVar[str]
    """Name of the kernel that offers it, as in approx.yaml and reports."""

    @property
    @abstractmethod
    def operators(self) -> tuple[Operator, ...]:
        """What it computes: consecutive operators, each but the first reads what the one before it has made."""

    @property
    def variant(self) -> str:
        """What tells it from all of the kernel's other plans for the same operators; "" where there is only one.

        Where plans differ in two decisions, a comma and a space stand between them.
        """
        return ""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """Memory and layouts."""

    @property
    @abstractmethod
    def macs(self) -> int:
        """Multiply-accumulates of one inference that its code really does."""

    @property
    def constant_products(self) -> int:
        """Multiply-accumulates of one inference that its code leaves out although their weights are not 0.

        They belong to output channels that put out the same value for every input. `macs` is without them.
        """
        return 0

    @property
    def spared_products(self) -> int:
        """Multiply-accumulates of one inference for which its algorithm needs no product of their own (Winograd's)."""
        return 0

    @abstractmethod
    def work(self, memories: Memories) -> Sequence[Work]:
        """What it does on a board with these memories, by kind, for the cost model."""

    @abstractmethod
    def emit(self, symbol: str) -> Emission:
        """The code. symbol: the C name of the step, with which every symbol of it begins. Same plan, same text."""

    @property
    def grouping(self) -> Grouping | None:
        """Which products its code can leave out, and which fall together; None: a product of 0 saves nothing."""
        return None


class Kernel(ABC):
    """A way to compute operators. See `registry.py` for how to add one."""

    name: ClassVar[str]
    """As in approx.yaml and reports."""

    longest: ClassVar[int] = 1
    """How many consecutive operators one of its plans computes at most."""

    skips: ClassVar[bool] = False
    """Whether its plans can leave products out."""

    @abstractmethod
    def suits(self, operators: Sequence[Operator]) -> bool:
        """Whether such operators, in this order, are what the kernel is made for. Asked before anything else."""

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """Why these operators, which it suits, cannot be computed this way on this platform; None if they can."""
        return None

    @abstractmethod
    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """All plans that are worth comparing, at least one. Only for operators that are suited and not refused."""


class UnpricedError(Exception):
    """The platform's cost model has no coefficients for a plan: its kernel has not been calibrated for the board."""


def price(plan: Plan, platform: Platform) -> StepCost:
    """The cost by the platform's cost model. Raises UnpricedError."""
    model = platform.model
    works = plan.work(model.memories)
    unknown = [work.kind for work in works if not model.knows(work)]
    if unknown:
        raise UnpricedError(f"no calibrated costs of {unknown[0]!r} for this board")
    cycles = math.fsum(model.cycles(work) for work in works)
    needs = plan.needs
    assumed = any(model.is_assumed(work) for work in works)
    return StepCost(cycles, needs.permanent, needs.scratch, plan.macs, assumed)
