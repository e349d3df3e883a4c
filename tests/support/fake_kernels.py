"""Kernels whose plans cost what a test says: for choice, memory and the contract between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.grouping import Grouping
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.needs import FLASH, RAM, Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True)
class Planes(Layout):
    """int16, channel by channel."""

    name: ClassVar[str] = "int16 planes"

    def size(self, tensor: Tensor) -> int:
        return 2 * tensor.elements

    def arrange(self, values: npt.NDArray[Any]) -> bytes:
        return np.moveaxis(values, -1, 0).astype("<i2").tobytes()


PLANES = Planes()


@dataclass(frozen=True)
class Wanted:
    """What a fake plan asks for. tables, scratch: by kind of memory."""

    cycles: float
    flash: int = 0
    scratch: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    inputs: Layout = NHWC
    output: Layout = NHWC

    @classmethod
    def plain(cls, cycles: float, flash: int, ram: int = 0) -> Wanted:
        return cls(cycles, flash, {RAM: ram})


@dataclass(frozen=True, eq=False)
class FakePlan(Plan):
    """Nothing that could be run."""

    kernel: str  # type: ignore[misc]
    run: tuple[Operator, ...]
    wanted: Wanted
    groups: Grouping | None = None

    @property
    def operators(self) -> tuple[Operator, ...]:
        return self.run

    @property
    def needs(self) -> Needs:
        made = {operator.output.index for operator in self.run}
        count = sum(tensor.index not in made for operator in self.run for tensor in operator.inputs)
        wanted = self.wanted
        tables = {FLASH: wanted.flash, **wanted.tables}
        return Needs(0, tables, wanted.scratch, (wanted.inputs,) * count, wanted.output)

    @property
    def macs(self) -> int:
        return sum(operator.macs for operator in self.run)

    def work(self, memories: Memories) -> Sequence[Work]:
        return ()

    def emit(self, symbol: str) -> Emission:
        raise NotImplementedError

    @property
    def grouping(self) -> Grouping | None:
        return self.groups


class FakeKernel(Kernel):
    """plans: indexes of the operators of a run -> what its plans ask for."""

    name: str  # type: ignore[misc]

    def __init__(self, name: str, plans: Mapping[tuple[int, ...], Sequence[Wanted]], refusals: Mapping[int, str] = {}):
        self.name, self._plans, self._refusals = name, plans, refusals
        self.longest = max((len(run) for run in plans), default=1)  # type: ignore[misc]

    def suits(self, operators: Sequence[Operator]) -> bool:
        run = tuple(operator.index for operator in operators)
        return run in self._plans or (len(run) == 1 and run[0] in self._refusals)

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        return self._refusals.get(operators[0].index)

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        run = tuple(operators)
        return [FakePlan(self.name, run, wanted) for wanted in self._plans[tuple(op.index for op in run)]]


def asked(plan: Plan) -> StepCost:
    """The price that the plan was given."""
    assert isinstance(plan, FakePlan)
    needs = plan.needs
    return StepCost(plan.wanted.cycles, needs.permanent, needs.scratch, plan.macs)
