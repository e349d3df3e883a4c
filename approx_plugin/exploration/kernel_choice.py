"""Which kernel every layer takes: by cost, within the board's flash and RAM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.kernels.cost import LayerCost
from approx_plugin.kernels.memory import plan_memory
from approx_plugin.kernels.registry import SCHEDULES
from approx_plugin.kernels.target import Target
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.operators.conv2d import Conv2D

LIBRARY = "cmsis_nn"
"""The schedule that computes every operator: what a layer falls back to."""


def library_kernels(graph: Graph) -> dict[int, str]:
    """Everything through the library: layer index -> schedule name, for every layer but aliases."""
    return {operator.index: LIBRARY for operator in graph.operators if not operator.is_alias}


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
    a convolution stays with the library although it could have been otherwise; slower: layer index -> schedules that
    can compute it, but no quicker than the library.
    """

    kernels: Mapping[int, str]
    costs: Mapping[int, LayerCost]
    reasons: Mapping[int, str]
    slower: Mapping[int, tuple[str, ...]]


def estimated_cost(target: Target) -> CostOf:
    """The schedules' own estimates."""
    return lambda name, operator: SCHEDULES[name].cost(operator, target)


class ChosenKernels:
    """The search's `Cost`: a layer with the kernel that was chosen for it, a candidate with the one that can skip.

    So what the search counts on is what will be lowered: a layer that the library computes saves nothing by zeros.
    """

    def __init__(self, choice: KernelChoice, skipping: Mapping[int, str], cost_of: CostOf) -> None:
        """choice: of the exact network; skipping: as in `skipping_kernels`."""
        self._choice, self._skipping, self._cost_of = choice, skipping, cost_of

    def layer(self, operator: Operator, candidate: Candidate | None) -> LayerCost:
        """See `exploration.cost.Cost`. Raises KeyError for a candidate of a layer that cannot skip anything."""
        if operator.is_alias:
            return LayerCost(0.0, 0, 0)
        if candidate is None:
            # What an exact layer leaves out because its weights are 0 is no merit of the search.
            return replace(self._choice.costs[operator.index], macs=operator.macs)
        assert isinstance(operator, Conv2D)
        approximated = operator.with_constants(candidate.weights, candidate.bias)
        return self._cost_of(self._skipping[operator.index], approximated)


def skipping_kernels(
    graph: Graph, layers: Iterable[int], choice: KernelChoice, budget: Budget, cost_of: CostOf
) -> Mapping[int, str]:
    """Layer index -> the schedule that will skip products there, for those of `layers` that have one.

    These are the layers that `choice` (of the exact network) has moved away from the library, and those that stayed
    only because their exact form is no quicker, as far as all of them together fit the budget whatever is skipped.
    """
    skipping = {i: name for i, name in choice.kernels.items() if name != LIBRARY and i in set(layers)}
    costs = dict(choice.costs)
    for index in sorted(set(layers) - set(skipping)):
        for name in choice.slower.get(index, ()):
            costs[index] = cost_of(name, graph.operators[index])
            if _fits(graph, costs, budget):
                skipping[index] = name
                break
            costs[index] = choice.costs[index]
    return skipping


def choose_kernels(
    graph: Graph,
    target: Target,
    preference: str,
    budget: Budget,
    cost_of: CostOf,
    settled: Mapping[int, str] | None = None,
) -> KernelChoice:
    """A kernel for every layer that is not an alias.

    preference: "cmsis_nn": the library everywhere; "auto": the quickest kernels that fit; "unpacked": unpacked wherever
    it is possible, whatever it costs.
    settled: layers whose kernel is decided already: those that were approximated for it.

    "auto" moves layers away from the library in the order of cycles saved for each additional byte of flash, as long as
    the flash lasts; then it takes back those during which the arena holds most until that fits the RAM.
    """
    settled = settled or {}
    layers = [op for op in graph.operators if not op.is_alias]
    library = {op.index: cost_of(LIBRARY, op) for op in layers}
    kernels = {op.index: settled.get(op.index, LIBRARY) for op in layers}
    costs = {op.index: cost_of(kernels[op.index], op) for op in layers}
    reasons: dict[int, str] = {}
    slower: dict[int, tuple[str, ...]] = {}
    offers = []
    for operator in layers:
        index = operator.index
        if index in settled:
            continue
        found, refused = _offers(operator, target, preference, cost_of)
        if refused and isinstance(operator, Conv2D):
            reasons[index] = "; ".join(refused)
        if preference != "auto":
            for name, cost in found.items():
                kernels[index], costs[index] = name, cost
            continue
        for name, cost in found.items():
            saved = library[index].cycles - cost.cycles
            if saved > 0:
                more = cost.flash_bytes - library[index].flash_bytes
                offers.append((saved / max(more, 1), index, name, cost))
            else:
                slower[index] = (*slower.get(index, ()), name)
                reasons[index] = f"{name} is estimated to be no quicker"
    for _, index, name, cost in sorted(offers, key=lambda o: (-o[0], o[1], o[2])):
        if cost.cycles >= costs[index].cycles:
            continue
        more = cost.flash_bytes - costs[index].flash_bytes
        left = budget.flash - sum(c.flash_bytes for c in costs.values())
        if more <= left:
            kernels[index], costs[index] = name, cost
            reasons.pop(index, None)
        elif kernels[index] == LIBRARY:
            reasons[index] = f"{name} needs {more:,} more bytes of flash, {max(left, 0):,} are left"
    while preference == "auto":
        plan = plan_memory(graph, {index: cost.ram_bytes for index, cost in costs.items()})
        others = [index for index, name in kernels.items() if name != LIBRARY and index not in settled]
        if plan.size <= budget.ram or not others:
            break
        buffers = [*plan.activations.values(), *plan.scratch.values()]
        held = {i: sum(b.size for b in buffers if b.first <= i <= b.last) for i in others}
        index = max(others, key=lambda i: (costs[i].ram_bytes > 0, held[i], i))
        reasons[index] = f"{kernels[index]} needs {costs[index].ram_bytes:,} bytes of scratch, more than the RAM holds"
        kernels[index], costs[index] = LIBRARY, library[index]
    return KernelChoice(kernels, costs, reasons, slower)


def _fits(graph: Graph, costs: Mapping[int, LayerCost], budget: Budget) -> bool:
    """Whether layers with these costs fit flash and RAM together."""
    flash = sum(cost.flash_bytes for cost in costs.values())
    return flash <= budget.flash and (
        plan_memory(graph, {index: cost.ram_bytes for index, cost in costs.items()}).size <= budget.ram
    )


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
