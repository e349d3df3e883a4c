"""Which kernel every layer takes: by cost, within the board's flash and RAM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.memory import plan_memory
from approx_plugin.kernels.schedules.registry import SCHEDULES
from approx_plugin.kernels.target import Target
from approx_plugin.model.graph import Graph
from approx_plugin.operators.base import Operator
from approx_plugin.operators.conv2d import Conv2D

LIBRARY = "cmsis_nn"
"""The schedule that computes every operator: what a layer falls back to."""

CostOf = Callable[[str, Operator], LayerCost]
"""(schedule name, operator) -> cost. Where the figure comes from is nobody's business here."""


@dataclass(frozen=True)
class Budget:
    """Bytes that the layers' code and constants, and the arena, may take."""

    flash: int
    ram: int


@dataclass(frozen=True)
class KernelChoice:
    """kernels: layer index -> schedule name, for every layer but aliases; costs: layer index -> estimate; reasons: why
    a convolution stays with the library although it could have been otherwise.
    """

    kernels: Mapping[int, str]
    costs: Mapping[int, LayerCost]
    reasons: Mapping[int, str]


def estimated_cost(target: Target) -> CostOf:
    """The schedules' own estimates."""
    return lambda name, operator: SCHEDULES[name].cost(operator, target)


class CheapestKernel:
    """The search's `Cost`: what a layer costs with the quickest kernel that can compute it."""

    def __init__(self, target: Target, preference: str, cost_of: CostOf) -> None:
        """preference: as in `choose_kernels`."""
        self._target, self._preference, self._cost_of = target, preference, cost_of

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        """See `exploration.cost.Cost`."""
        if operator.is_alias:
            return LayerCost(0.0, 0, 0)
        if candidate is not None:
            assert isinstance(operator, Conv2D)
            operator = operator.with_constants(candidate.weights, candidate.bias)
        offers = {LIBRARY: self._cost_of(LIBRARY, operator)}
        offers.update(_offers(operator, self._target, self._preference, self._cost_of)[0])
        if self._preference not in ("auto", LIBRARY) and self._preference in offers:
            return offers[self._preference]
        return min(offers.values(), key=lambda cost: cost.cycles)


def choose_kernels(graph: Graph, target: Target, preference: str, budget: Budget, cost_of: CostOf) -> KernelChoice:
    """A kernel for every layer that is not an alias.

    preference: "cmsis_nn": the library everywhere; "auto": the quickest kernels that fit; "unpacked": unpacked wherever
    it is possible, whatever it costs.

    "auto" moves layers away from the library in the order of cycles saved for each additional byte of flash, as long as
    the flash lasts; then it takes back those with the largest scratch until the arena fits the RAM.
    """
    layers = [op for op in graph.operators if not op.is_alias]
    kernels = {op.index: LIBRARY for op in layers}
    costs = {op.index: cost_of(LIBRARY, op) for op in layers}
    library = dict(costs)
    reasons: dict[int, str] = {}
    offers = []
    for operator in layers:
        found, refused = _offers(operator, target, preference, cost_of)
        if refused and isinstance(operator, Conv2D):
            reasons[operator.index] = "; ".join(refused)
        for name, cost in found.items():
            saved = library[operator.index].cycles - cost.cycles
            more = cost.flash_bytes - library[operator.index].flash_bytes
            offers.append((saved / max(more, 1), operator.index, name, cost, saved, more))
    used = sum(cost.flash_bytes for cost in costs.values())
    for _, index, name, cost, saved, more in sorted(offers, key=lambda o: (-o[0], o[1], o[2])):
        if preference == "auto" and saved <= 0:
            reasons[index] = f"{name} is estimated to be no quicker"
        elif preference == "auto" and used + more > budget.flash:
            reasons[index] = f"{name} needs {more:,} more bytes of flash, {max(budget.flash - used, 0):,} are left"
        else:
            kernels[index], costs[index] = name, cost
            used += more
    while preference == "auto":
        plan = plan_memory(graph, {index: cost.ram_bytes for index, cost in costs.items()})
        others = [index for index, name in kernels.items() if name != LIBRARY]
        if plan.size <= budget.ram or not others:
            break
        index = max(others, key=lambda i: (costs[i].ram_bytes, i))
        reasons[index] = f"{kernels[index]} needs {costs[index].ram_bytes:,} bytes of scratch, more than the RAM holds"
        kernels[index], costs[index] = LIBRARY, library[index]
    return KernelChoice(kernels, costs, reasons)


def _offers(
    operator: Operator, target: Target, preference: str, cost_of: CostOf
) -> tuple[dict[str, LayerCost], list[str]]:
    """What the schedules other than the library ask for this layer, and why those that cannot compute it cannot."""
    offers: dict[str, LayerCost] = {}
    refused = []
    for name, schedule in SCHEDULES.items():
        if name == LIBRARY or preference not in ("auto", name):
            continue
        obstacle = schedule.obstacle(operator, target)
        if obstacle:
            refused.append(f"{name}: {obstacle}")
        else:
            offers[name] = cost_of(name, operator)
    return offers, refused
