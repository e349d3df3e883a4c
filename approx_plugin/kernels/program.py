"""The lowered network: its steps, a memory plan, and the text of its sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.emission import Emission, Sources
from approx_plugin.kernels.kernel import Plan
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator

VIEW = "none"
"""In the place of a kernel's name, for an operator that is only another view of its input."""


@dataclass(frozen=True, eq=False)
class Step:
    """A plan that is in the program: one function, under a name of its own.

    symbol: its C name, and the stem of its files.
    """

    plan: Plan
    symbol: str
    emission: Emission
    cost: StepCost

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What it computes."""
        return self.plan.operators

    @property
    def last(self) -> Operator:
        """The operator with whose output it ends."""
        return self.plan.operators[-1]

    @property
    def kernel(self) -> str:
        """The kernel's name, as in reports."""
        return self.plan.kernel

    @property
    def skips(self) -> bool:
        """Whether its code is without the products that approximation has dropped; the library multiplies by 0."""
        return self.plan.grouping is not None


@dataclass(frozen=True)
class Buffer:
    """A piece of the arena. offset, size: bytes; first, last: the operators between which it must keep its content."""

    name: str
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    """One arena in RAM, buffers shared by lifetime; and scratch in other memories, shared by all steps.

    size, alignment: bytes of the arena. activations: tensor index -> buffer; scratch: first operator of a step ->
    buffer.
    beside: kind of memory -> bytes of scratch there.
    """

    size: int
    alignment: int
    activations: Mapping[int, Buffer]
    scratch: Mapping[int, Buffer]
    beside: Mapping[str, int]

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """All of the arena."""
        return (*self.activations.values(), *self.scratch.values())


@dataclass(frozen=True, eq=False)
class Program:
    """Everything about the generated network but the project around it.

    graph:   the (possibly approximated) network that was lowered.
    steps:   in the order of execution; together they cover every operator but views, each once.
    sources: all generated text, network file and header included.
    names:   of the network.
    """

    graph: Graph
    steps: tuple[Step, ...]
    memory: MemoryPlan
    sources: Sources
    names: Names = UNNAMED

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference that the code really does: products of weight 0 may not be in it."""
        return sum(step.cost.macs for step in self.steps)

    @property
    def cmsis_nn_functions(self) -> tuple[str, ...]:
        """The functions of CMSIS-NN that the program calls, sorted."""
        return tuple(sorted({f for step in self.steps for f in step.emission.cmsis_nn}))

    @property
    def flash_bytes(self) -> int:
        """Code and constants of all steps, estimated."""
        return sum(step.cost.flash_bytes for step in self.steps)

    def step_of(self) -> Mapping[int, Step]:
        """Operator index -> the step that computes it; views are not in it."""
        return {operator.index: step for step in self.steps for operator in step.operators}

    def observed(self) -> Iterator[Operator]:
        """The operators whose outputs exist: the last ones of steps, and views of what exists; in order."""
        ends = {step.last.index for step in self.steps}
        return (operator for operator in self.graph.operators if operator.is_alias or operator.index in ends)
