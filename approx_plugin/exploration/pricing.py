"""What a design costs: the steps that the choice makes of it, exact plans and approximated ones competing.

The search asks, and does not know whether a formula, a simulation or a board answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.errors import ModelError, raise_all
from approx_plugin.exploration.choice import QUICKEST, TIME, Choice, Wish, choose
from approx_plugin.exploration.design import Candidates, ordered
from approx_plugin.exploration.limits import Limits
from approx_plugin.exploration.offers import Market, Offer, Offers
from approx_plugin.kernels.capacity import FLASH_RESERVE
from approx_plugin.kernels.needs import NOTHING, RAM, Bytes
from approx_plugin.kernels.registry import BASELINE
from approx_plugin.model.graph import Graph

SLOWER = 1.03
"""Cycles up to this factor are given for a smaller arena: RAM is what an application runs out of first."""


@dataclass(frozen=True)
class Price:
    """cycles, macs: of one inference; flash_bytes: of the steps; ram_bytes: of the arena; fits: within the budgets.

    macs: a product counts unless approximation has left it out. Of a design that does not fit, the figures are those of
    its smallest form.
    """

    cycles: float
    macs: int
    flash_bytes: int
    ram_bytes: int
    fits: bool = True


class Pricing(Protocol):
    """Anything that prices designs. Deterministic; may be slow, the search asks once for each."""

    def total(self, candidates: Candidates) -> Price:
        """The price of the network with these operators approximated; () is the exact one."""
        ...

    def unlimited(self, candidates: Candidates) -> float:
        """Cycles of one inference on a board with the same core and as much memory as one could wish for."""
        ...

    def effective(self, candidates: Candidates) -> Candidates:
        """Those of the candidates that make the network cheaper: the others stay exact."""
        ...


class ChosenPlans:
    """A `Pricing` by what will be lowered: `choose` among the offers of exact and approximated operators."""

    def __init__(
        self, graph: Graph, market: Market, budgets: Bytes, after: str = TIME, limits: Limits | None = None
    ) -> None:
        """graph: the exact network; after: what is wished for, see `Wish`; limits: kept by a choice that can.

        Raises ModelError if there are operators that no kernel computes.
        """
        self._graph, self._market, self._budgets = graph, market, budgets
        self._tight = limits.tightened(budgets) if limits else budgets
        self._offers = market.offers(graph)
        raise_all(_without_kernel(graph, self._offers))
        self._wish = Wish(after, _baseline_cycles(self._offers), FLASH_RESERVE, SLOWER)
        self._candidates: dict[Candidate, tuple[Offer, ...]] = {}
        self._choices: dict[Candidates, Choice] = {}

    @property
    def offers(self) -> Offers:
        """Of the exact network."""
        return self._offers

    def choice(self, candidates: Candidates) -> Choice:
        """The steps of a design. Not all of its candidates need be among them."""
        key = ordered(candidates)
        if key not in self._choices:
            found = self._chosen(key, self._tight)
            if not found.fits and self._tight != self._budgets:
                found = self._chosen(key, self._budgets)
            self._choices[key] = found
        return self._choices[key]

    def _chosen(self, candidates: Candidates, budgets: Bytes) -> Choice:
        """What cycles are given for, a small arena, is settled by the exact network: its designs make do with it."""
        if not candidates or self._wish.after != TIME:
            return self._choose(candidates, budgets, self._wish)
        exact = self.choice(())
        held = exact.memory.size + exact.permanent.get(RAM, 0)
        if exact.fits and held <= budgets.get(RAM, held):
            found = self._choose(candidates, {**budgets, RAM: held}, QUICKEST)
            if found.fits:
                return found
        return self._choose(candidates, budgets, QUICKEST)

    def wished(self, after: str) -> Choice:
        """The steps of the exact network, after something else than what `choice` is after."""
        return self._choose((), self._budgets, Wish(after, self._wish.ceiling, FLASH_RESERVE))

    def _choose(self, candidates: Candidates, budgets: Bytes, wish: Wish) -> Choice:
        offers: dict[int, tuple[Offer, ...]] = dict(self._offers.offers)
        for candidate in candidates:
            offers[candidate.layer] = (*offers.get(candidate.layer, ()), *self._of(candidate))
        found = choose(self._graph, offers, budgets, wish)
        if found is None:
            raise ValueError("there is an operator that no kernel computes")
        return found

    def _of(self, candidate: Candidate) -> tuple[Offer, ...]:
        if candidate not in self._candidates:
            # Products that are left out hardly change which stripes and memories are best: pricing takes long.
            self._candidates[candidate] = self._market.candidate(candidate, self._worth(candidate.layer))
        return self._candidates[candidate]

    def _worth(self, layer: int) -> dict[str, frozenset[str]]:
        """The variants of the exact operator that are among the offers, by kernel."""
        found: dict[str, set[str]] = {}
        for offer in self._offers.offers.get(layer, ()):
            if len(offer.run) == 1:
                found.setdefault(offer.plan.kernel, set()).add(offer.plan.variant)
        return {kernel: frozenset(variants) for kernel, variants in found.items()}

    def effective(self, candidates: Candidates) -> Candidates:
        """See `Pricing.effective`."""
        return taken(self.choice(candidates))

    def unlimited(self, candidates: Candidates) -> float:
        """See `Pricing.unlimited`."""
        return self._choose(ordered(candidates), NOTHING, QUICKEST).cycles

    def total(self, candidates: Candidates) -> Price:
        """See `Pricing.total`."""
        choice = self.choice(candidates)
        skipped = sum(candidate.skipped_macs for candidate in taken(choice))
        return Price(choice.cycles, self._graph.macs - skipped, choice.flash_bytes, choice.memory.size, choice.fits)


def _baseline_cycles(offers: Offers) -> float:
    """Cycles of the network through the library, and through whatever is quickest where that has no function."""
    total = 0.0
    for rivals in offers.considered.values():
        baseline = rivals.get(BASELINE)
        total += baseline.cost.cycles if baseline else min(offer.cost.cycles for offer in rivals.values())
    return total


def _without_kernel(graph: Graph, offers: Offers) -> list[ModelError]:
    """A mistake for each operator that no offer covers."""
    served = {operator.index for made in offers.offers.values() for offer in made for operator in offer.run}
    return [
        ModelError(
            f"operator {operator.name} ({operator.kind}) has no kernel on this board",
            why="; ".join(f"{name}: {reason}" for name, reason in offers.refusals.get(operator.index, {}).items()),
            hint="choose another board, or leave the operator out of the model",
        )
        for operator in graph.operators
        if operator.index not in served and not operator.is_alias
    ]


def taken(choice: Choice) -> Candidates:
    """The candidates that are among the steps."""
    return ordered(offer.candidate for offer in choice.steps if offer.candidate is not None)


def single_cycles(pricing: Pricing, ladders: Iterable[Candidates]) -> list[list[float]]:
    """For each ladder, the cycles of the network with one of its levels (0: exact) and everything else exact.

    Memory is no limit to them: they rank designs, and what a design costs on the board is asked where it is decided.
    """
    exact = pricing.unlimited(())
    return [[exact, *(pricing.unlimited((step,)) for step in ladder)] for ladder in ladders]
