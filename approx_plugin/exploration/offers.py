"""What the kernels offer for a network: plans with their prices, and why some were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.kernels.cost import StepCost
from approx_plugin.kernels.kernel import Kernel, Plan, UnpricedError, price
from approx_plugin.kernels.needs import RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import KERNELS
from approx_plugin.kernels.run import Run, runs
from approx_plugin.model.graph import Graph

WORTH = 1.015
"""Memory is spent only where it makes a step quicker by more than this factor: estimates are no better."""

Variants = Mapping[str, frozenset[str]]
"""Kernel -> variants of its plans."""

Price = Callable[[Plan], StepCost]
"""Plan -> cost. Where the figure comes from is nobody's business here."""


@dataclass(frozen=True, eq=False)
class Offer:
    """A plan that may become a step. candidate: the approximation that it computes; None where it is exact."""

    plan: Plan
    cost: StepCost
    candidate: Candidate | None = None

    @property
    def run(self) -> Run:
        """The operators that it covers."""
        return self.plan.operators

    @property
    def first(self) -> int:
        """Index of the first operator."""
        return self.run[0].index

    @property
    def last(self) -> int:
        """Index of the last one."""
        return self.run[-1].index


@dataclass(frozen=True, eq=False)
class Offers:
    """offers: by index of the operator that they begin with. None of them is worse than another one for the same run in
    everything at once: cycles, where those that are within `WORTH` of each other count as equal, and all memories.

    considered: operator index -> kernel -> the quickest of all its plans for this operator alone, whether or not it is
    among the offers. refusals: operator index -> kernel -> why it cannot compute it although it is made for such.
    """

    offers: Mapping[int, tuple[Offer, ...]]
    considered: Mapping[int, Mapping[str, Offer]]
    refusals: Mapping[int, Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class Market:
    """Who may offer, and at which price.

    preferred: a kernel that computes whatever it can compute, whatever that costs; None: whichever kernel is best.
    """

    platform: Platform
    price: Price
    preferred: str | None = None
    kernels: tuple[Kernel, ...] = tuple(KERNELS.values())

    def offers(self, graph: Graph) -> Offers:
        """For every run of the exact network."""
        return self.collect(runs(graph, max(kernel.longest for kernel in self.kernels)))

    def collect(self, wanted: Iterable[Run]) -> Offers:
        """For given runs."""
        found: dict[int, list[Offer]] = {}
        considered: dict[int, dict[str, Offer]] = {}
        refusals: dict[int, dict[str, str]] = {}
        taken: set[int] = set()
        for run in wanted:
            for kernel in self.kernels:
                if len(run) > kernel.longest or not kernel.suits(run):
                    continue
                made, reason = self._made(kernel, run, None)
                if reason:
                    for operator in run:
                        refusals.setdefault(operator.index, {})[kernel.name] = reason
                    continue
                if len(run) == 1:
                    best = min(made, key=lambda offer: offer.cost.cycles)
                    considered.setdefault(run[0].index, {})[kernel.name] = best
                if kernel.name == self.preferred:
                    taken.update(operator.index for operator in run)
                found.setdefault(run[0].index, []).extend(made)
        kept = {first: _undominated(self._wanted(offers, taken)) for first, offers in found.items()}
        return Offers(kept, considered, refusals)

    def candidate(self, candidate: Candidate, variants: Variants | None = None) -> tuple[Offer, ...]:
        """For an approximated operator: what the kernels offer that can leave products out.

        variants: of the plans that are worth pricing, by kernel; a kernel that has none of them offers all its plans.
        """
        run: Run = (candidate.operator,)
        able = [k for k in self.kernels if k.skips and k.suits(run) and not k.refusal(run, self.platform)]
        if any(kernel.name == self.preferred for kernel in able):
            able = [kernel for kernel in able if kernel.name == self.preferred]
        elif self.preferred is not None and any(
            kernel.name == self.preferred and kernel.suits(run) for kernel in self.kernels
        ):
            return ()
        worth = variants or {}
        return _undominated(
            [offer for k in able for offer in self._made(k, run, candidate, worth.get(k.name, frozenset()))[0]]
        )

    def _made(
        self, kernel: Kernel, run: Run, candidate: Candidate | None, variants: frozenset[str] = frozenset()
    ) -> tuple[list[Offer], str | None]:
        """The offers of a kernel for a run that it suits; or none, and why."""
        reason = kernel.refusal(run, self.platform)
        if reason:
            return [], reason
        try:
            plans = kernel.plans(run, self.platform)
            plans = [plan for plan in plans if plan.variant in variants] or plans
            return [Offer(plan, self.price(plan), candidate) for plan in plans], None
        except UnpricedError as error:
            return [], str(error)

    def _wanted(self, offers: list[Offer], taken: set[int]) -> list[Offer]:
        """Without those that compute what the preferred kernel can compute."""
        return [
            offer
            for offer in offers
            if offer.plan.kernel == self.preferred or not any(operator.index in taken for operator in offer.run)
        ]


def _undominated(offers: list[Offer]) -> tuple[Offer, ...]:
    """Without those that another one for the same run, between the same layouts, beats or equals in everything; and
    those that are hardly quicker than one that takes less memory.
    """
    kept: list[Offer] = []
    for offer in sorted(offers, key=lambda o: (len(o.run), o.cost.cycles)):
        if not any(_covers(other, offer) for other in kept):
            kept.append(offer)
    worth: list[Offer] = []
    for offer in sorted(kept, key=_held):
        if not any(_covers(other, offer, WORTH) for other in worth):
            worth.append(offer)
    return tuple(sorted(worth, key=lambda o: (len(o.run), o.cost.cycles)))


def _held(offer: Offer) -> tuple[int, float]:
    """All of its memory; of equally large ones the quicker comes first."""
    return sum(offer.cost.permanent.values()) + sum(_beside(offer).values()), offer.cost.cycles


def _covers(one: Offer, other: Offer, worth: float = 1.0) -> bool:
    """Whether `one` is at least as good as `other` in all respects. worth: how much slower, and how much larger in one
    of the memories, counts as equal.
    """
    mine, others = one.plan.needs, other.plan.needs
    if one.last != other.last or (mine.inputs, mine.output) != (others.inputs, others.output):
        return False
    if (one.candidate is None) != (other.candidate is None) or one.cost.cycles > other.cost.cycles * worth:
        return False
    if not mine.overlaps_like(others):
        return False
    return all(
        held.get(memory, 0) <= also.get(memory, 0) * worth
        for held, also in ((one.cost.permanent, other.cost.permanent), (_beside(one), _beside(other)))
        for memory in {*held, *also}
    )


def _beside(offer: Offer) -> dict[str, int]:
    """The scratch, and in RAM what the output has to stay in front of an input that it may lie over."""
    held = Counter(offer.cost.scratch)
    held[RAM] += sum(max(0, -overlap.latest) for overlap in offer.plan.needs.overlaps if overlap is not None)
    return held


def estimated(platform: Platform) -> Price:
    """The prices of the platform's cost model."""
    return lambda plan: price(plan, platform)
