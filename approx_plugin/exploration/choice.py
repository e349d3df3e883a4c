"""Which plan computes what: a cover of the graph with the fewest cycles under budgets of several memories.

Without budgets the best cover is found by dynamic programming over the execution order: a state is how many operators
are covered and which layouts the activations have that are still to be read. Budgets of what is held for good (flash,
tables in RAM) add up, so each state then keeps all covers that none of the others beats in cycles and every memory; for
any graph that is the optimum, up to the number of covers that a state may keep. The arena's size is not a sum: a cover
that the memory plan finds too large is taken apart at the step during which it holds most, and the next one is tried.

Cycles are not all that one may be after: a `Wish` ranks the covers that are left in the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from approx_plugin.exploration.offers import Offer, Offers
from approx_plugin.kernels.borders import borders_of, roots
from approx_plugin.kernels.layout import NHWC, Layout
from approx_plugin.kernels.memory import claim, plan_memory
from approx_plugin.kernels.needs import FLASH, MEMORIES, RAM, Bytes
from approx_plugin.kernels.program import MemoryPlan
from approx_plugin.kernels.run import inputs_of
from approx_plugin.model.graph import Graph

ATTEMPTS = 6
"""With less and less room, until buffers that could fit do."""

MAX_COVERS = 256
"""Covers that a state keeps. More are thinned out: of those that are close in memory, the quickest stays."""

SHRINKING = 4.0
"""So many per cent of the arena are worth a per cent of the cycles, where cycles may be given for it at all."""

UNLIMITED: Bytes = MappingProxyType(dict.fromkeys(MEMORIES, 1 << 62))
"""Budgets that nothing exceeds, under which fronts are kept nevertheless."""

TIME, BALANCED, LEAST_FLASH, LEAST_RAM = WISHES = ("time", "balanced", "flash", "ram")
"""What a choice may be after, as in approx.yaml."""

Layouts = tuple[tuple[int, Layout], ...]
"""(root tensor, layout) of the activations that wait for readers and are not NHWC, by ascending tensor."""


@dataclass(frozen=True, eq=False)
class Choice:
    """steps: what computes the graph, in the order of execution; memory: their plan; fits: within all budgets.

    Where nothing fits, `steps` is the cover that needs least flash of those that are quickest for it.
    """

    steps: tuple[Offer, ...]
    memory: MemoryPlan
    fits: bool

    @property
    def cycles(self) -> float:
        """Of one inference."""
        return math.fsum(offer.cost.cycles for offer in self.steps)

    @property
    def permanent(self) -> Bytes:
        """Bytes that all steps hold for good, by kind of memory."""
        held = {memory: sum(offer.cost.permanent.get(memory, 0) for offer in self.steps) for memory in MEMORIES}
        return MappingProxyType({memory: size for memory, size in held.items() if size})

    @property
    def flash_bytes(self) -> int:
        """Code and constants of all steps."""
        return self.permanent.get(FLASH, 0)

    @property
    def kernels(self) -> Mapping[int, str]:
        """Operator index -> kernel, for every operator but views."""
        return {operator.index: offer.plan.kernel for offer in self.steps for operator in offer.run}


@dataclass(frozen=True)
class _Cover:
    """A cover of the first operators. held: by memory, in the order of MEMORIES."""

    cycles: float
    held: tuple[int, ...]
    steps: tuple[Offer, ...] = field(compare=False)

    def extended(self, offer: Offer) -> _Cover:
        held = tuple(a + offer.cost.permanent.get(memory, 0) for a, memory in zip(self.held, MEMORIES))
        return _Cover(self.cycles + offer.cost.cycles, held, (*self.steps, offer))

    def beats(self, other: _Cover) -> bool:
        return self.cycles <= other.cycles and all(a <= b for a, b in zip(self.held, other.held))


@dataclass(frozen=True)
class Wish:
    """What the choice is after, within the budgets.

    TIME: fewest cycles, up to a factor of `slower` more where the arena shrinks for it (see SHRINKING). BALANCED:
    fewest cycles times bytes of flash, so that a per cent more of one has to save a per cent of the other. LEAST_FLASH:
    least flash of all that take no more than `ceiling` cycles. LEAST_RAM: the smallest arena, and fewest cycles with
    it. fixed_flash: bytes that the firmware takes besides, for BALANCED.
    """

    after: str = TIME
    ceiling: float = math.inf
    fixed_flash: int = 0
    slower: float = 1.0

    def rank(self, cover: _Cover) -> tuple[object, ...]:
        """The least one is best."""
        flash = cover.held[MEMORIES.index(FLASH)]
        if self.after == BALANCED:
            return (cover.cycles * (flash + self.fixed_flash), cover.cycles, cover.held)
        if self.after == LEAST_FLASH:
            # Where nothing keeps to the ceiling, what comes closest to it.
            return (max(cover.cycles, self.ceiling), flash, cover.cycles, cover.held)
        return (cover.cycles, cover.held)

    @property
    def needs_fronts(self) -> bool:
        """Whether another cover than the quickest one may be wanted where memory is no limit."""
        return self.after in (BALANCED, LEAST_FLASH)


QUICKEST = Wish()

_State = tuple[int, Layouts]


def choose(graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes, wish: Wish = QUICKEST) -> Choice | None:
    """The best cover within the budgets, or the one that misses them by least; None where there is no cover at all.

    offers: by index of the first operator. budgets: bytes by kind of memory, a kind that is not named is unlimited:
    flash for code and constants, ram for the arena and tables together, dtcm likewise.
    """
    if wish.after == LEAST_RAM:
        *_, smallest = (None, *_shrinking(graph, offers, budgets))
        return smallest or choose(graph, offers, budgets)
    if wish.needs_fronts:
        return _fitted(graph, offers, {**UNLIMITED, **budgets}, wish, limited=True) or choose(graph, offers, budgets)
    quickest = _quickest_choice(graph, offers, budgets, wish)
    if quickest is None or not quickest.fits or wish.slower <= 1.0:
        return quickest
    best = quickest
    for found in _shrinking(graph, offers, {**budgets, RAM: _held(quickest) - 1}):
        # Buffers that cannot be placed as close as others make a cover slow that a smaller arena does without.
        if found.cycles > (2.0 * wish.slower - 1.0) * quickest.cycles:
            break
        if found.cycles <= wish.slower * quickest.cycles:
            best = min(best, found, key=lambda one: SHRINKING * math.log(one.cycles) + math.log(max(1, _held(one))))
    return best


def _quickest_choice(graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes, wish: Wish) -> Choice | None:
    found = _quickest(graph, offers, {})
    if found is None:
        return None
    if _within(_chosen(graph, found, budgets).permanent, budgets):
        quickest = _fitted(graph, offers, budgets, wish, limited=False)
        if quickest is not None:
            return quickest
    limited = _fitted(graph, offers, budgets, wish, limited=True)
    if limited is not None:
        return limited
    return _chosen(graph, _smallest(graph, offers), budgets)


def _shrinking(graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes) -> Iterator[Choice]:
    """The quickest cover, the quickest of those that hold less in RAM, and so on, until there is none."""
    room = dict(budgets)
    while room.get(RAM, 0) >= 0:
        found = _fitted(graph, offers, room, QUICKEST, limited=True)
        if found is None:
            return
        yield found
        room[RAM] = _held(found) - 1


def _held(choice: Choice) -> int:
    """Bytes of RAM: the arena and tables."""
    return choice.permanent.get(RAM, 0) + choice.memory.size


def _fitted(
    graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes, wish: Wish, *, limited: bool
) -> Choice | None:
    """The best cover whose arena fits as well.

    Steps during which more has to be held than there is room are left out beforehand. What is then still too large is
    so because the buffers cannot be placed any closer: the room is taken to be smaller by what was missing, and in the
    end steps that need too much of it are banned one after the other.
    """
    room, tight = budgets.get(RAM), offers
    if room is not None:
        demands = _demands(graph, offers)
        for _ in range(ATTEMPTS):
            tight = {first: [o for o in some if demands[id(o)] <= room] for first, some in offers.items()}
            found = _quickest(graph, tight, budgets if limited else {}, wish)
            if found is None:
                break
            choice = _chosen(graph, found, budgets)
            if choice.fits:
                return choice
            if not _within(choice.permanent, {m: size for m, size in budgets.items() if m != RAM}):
                return None
            room -= max(1, choice.permanent.get(RAM, 0) + choice.memory.size - budgets[RAM])
    return _banned(graph, offers, budgets, wish, limited=limited)


def _banned(
    graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes, wish: Wish, *, limited: bool
) -> Choice | None:
    """As `_fitted`: only that steps are banned from the beginning."""
    banned: set[int] = set()
    while True:
        left = {first: [o for o in some if id(o) not in banned] for first, some in offers.items()}
        found = _quickest(graph, left, budgets if limited else {}, wish)
        if found is None:
            return None
        choice = _chosen(graph, found, budgets)
        if choice.fits:
            return choice
        if not _within(choice.permanent, {m: size for m, size in budgets.items() if m != RAM}):
            return None
        worst = _busiest(choice)
        if worst is None:
            return None
        banned.add(id(worst))


def _last_reads(graph: Graph, root: Mapping[int, int]) -> Mapping[int, int]:
    """Root of an activation -> index of the last operator that reads it; what is kept is read after all of them."""
    last = {root[tensor.index]: operator.index for operator in graph.operators for tensor in operator.inputs}
    last.update({root[index]: len(graph.operators) for index in graph.kept})
    return last


def _demands(graph: Graph, offers: Mapping[int, Sequence[Offer]]) -> Mapping[int, int]:
    """id of an offer -> bytes of the arena that are held while its step runs, at the least.

    That is its scratch, what it reads and makes, as far as that does not overlap, and what waits for later steps.
    """
    root = roots(graph)
    outside = set(borders_of(graph, [(o,) for o in graph.operators if not o.is_alias]).places)
    made: dict[int, int] = {}
    for operator in graph.operators:
        made.setdefault(root[operator.output.index], operator.index)
    last = _last_reads(graph, root)
    sizes = {index: graph.tensors[index].elements for index in made if index not in outside}
    found: dict[int, int] = {}
    for some in offers.values():
        for offer in some:
            needs, ended = offer.plan.needs, offer.run[-1]
            output = root[ended.output.index]
            waiting = [i for i in sizes if made[i] < offer.first and last.get(i, 0) >= offer.first]
            held = offer.cost.scratch.get(RAM, 0) + sum(sizes[index] for index in waiting)
            if output in sizes:
                size = needs.output.size(ended.output)
                sources = [root[tensor.index] for tensor in inputs_of(offer.run)]
                spared = [
                    sizes[source] + size - overlap.least(sizes[source], size)
                    for source, overlap in zip(sources, needs.overlaps)
                    if overlap is not None and source in sizes and last[source] == ended.index
                ]
                held += size - max(spared, default=0)
            found[id(offer)] = held
    return found


def _busiest(choice: Choice) -> Offer | None:
    """The step with scratch during which the arena holds most (or that takes most of another memory)."""
    buffers = choice.memory.buffers

    def held(offer: Offer) -> int:
        return sum(b.size for b in buffers if b.first <= offer.last and offer.first <= b.last)

    wanting = [offer for offer in choice.steps if sum(offer.cost.scratch.values()) > 0]
    return max(wanting, key=lambda o: (held(o), sum(o.cost.scratch.values()), o.first), default=None)


def _chosen(graph: Graph, steps: Sequence[Offer], budgets: Bytes) -> Choice:
    memory = plan_memory(graph, [claim(o.plan, o.cost.scratch) for o in steps])
    choice = Choice(tuple(steps), memory, False)
    used = dict(choice.permanent)
    used[RAM] = used.get(RAM, 0) + memory.size
    for kind, size in memory.beside.items():
        used[kind] = used.get(kind, 0) + size
    return Choice(choice.steps, memory, _within(used, budgets))


def _within(used: Bytes, budgets: Bytes) -> bool:
    return all(size <= budgets.get(memory, size) for memory, size in used.items())


def _quickest(
    graph: Graph, offers: Mapping[int, Sequence[Offer]], budgets: Bytes, wish: Wish = QUICKEST
) -> tuple[Offer, ...] | None:
    """The cover that is wished for most of those whose permanent bytes keep to the budgets."""
    limits = [budgets.get(memory) for memory in MEMORIES]
    covers = _covers(graph, offers, limits)
    return min(covers, key=wish.rank).steps if covers else None


def _smallest(graph: Graph, offers: Mapping[int, Sequence[Offer]]) -> tuple[Offer, ...]:
    """The cover with the smallest flash; there is one."""
    thrifty = {
        first: [
            min(same, key=lambda o: (o.cost.flash_bytes, o.cost.ram_bytes, o.cost.cycles)) for same in _by_run(some)
        ]
        for first, some in offers.items()
    }
    covers = _covers(graph, thrifty, list(UNLIMITED.values()))
    return min(covers, key=lambda cover: (cover.held, cover.cycles)).steps


def _by_run(offers: Sequence[Offer]) -> Iterator[list[Offer]]:
    """Groups of offers for the same run between the same layouts."""
    groups: dict[tuple[object, ...], list[Offer]] = {}
    for offer in offers:
        needs = offer.plan.needs
        groups.setdefault((offer.last, needs.inputs, needs.output), []).append(offer)
    yield from groups.values()


def _covers(graph: Graph, offers: Mapping[int, Sequence[Offer]], limits: Sequence[int | None]) -> list[_Cover]:
    """All covers worth keeping. limits: bytes in the order of MEMORIES; without any, there is one at most."""
    root = roots(graph)
    last_read = _last_reads(graph, root)
    count = len(graph.operators)
    states: list[dict[Layouts, list[_Cover]]] = [{} for _ in range(count + 1)]
    states[0][()] = [_Cover(0.0, (0,) * len(MEMORIES), ())]
    unlimited = all(limit is None for limit in limits)
    for position, operator in enumerate(graph.operators):
        for layouts, covers in states[position].items():
            kept = [min(covers, key=lambda c: (c.cycles, c.held))] if unlimited else _front(covers)
            known = dict(layouts)
            if operator.is_alias:
                # A view shows the bytes as they are, and those who read it count on NHWC.
                if known.get(root[operator.inputs[0].index], NHWC) == NHWC:
                    states[position + 1].setdefault(layouts, []).extend(kept)
                continue
            for offer in offers.get(position, ()):
                after = _after(offer, known, root, last_read, graph)
                if after is None:
                    continue
                longer = [cover.extended(offer) for cover in kept]
                fitting = [c for c in longer if all(x is None or h <= x for h, x in zip(c.held, limits))]
                states[offer.last + 1].setdefault(after, []).extend(fitting)
        states[position] = {}
    final = [cover for covers in states[count].values() for cover in covers]
    return final if unlimited else _front(final)


def _after(
    offer: Offer, known: Mapping[int, Layout], root: Mapping[int, int], last_read: Mapping[int, int], graph: Graph
) -> Layouts | None:
    """The layouts after a step; None where it cannot read what is there or leaves what nobody may get."""
    needs = offer.plan.needs
    made = {operator.output.index for operator in offer.run}
    inputs = [tensor.index for operator in offer.run for tensor in operator.inputs if tensor.index not in made]
    if any(known.get(root[index], NHWC) != wanted for index, wanted in zip(inputs, needs.inputs)):
        return None
    output = root[offer.run[-1].output.index]
    if needs.output != NHWC and any(output == root[index] for index in graph.kept):
        return None
    waiting = {tensor: layout for tensor, layout in known.items() if last_read.get(tensor, -1) > offer.last}
    if needs.output != NHWC:
        waiting[output] = needs.output
    return tuple(sorted(waiting.items(), key=lambda item: item[0]))


def _front(covers: Sequence[_Cover]) -> list[_Cover]:
    """Those that no other one beats, at most MAX_COVERS: by ascending cycles."""
    front: list[_Cover] = []
    ranked = sorted(covers, key=lambda c: (c.cycles, c.held))
    if len({cover.held[1:] for cover in ranked}) <= 1:
        # They differ in flash alone, as nearly always: one that comes later has to need less of it than all before.
        for cover in ranked:
            if not front or cover.held[0] < front[-1].held[0]:
                front.append(cover)
    else:
        for cover in ranked:
            if not any(kept.beats(cover) for kept in front):
                front.append(cover)
    if len(front) <= MAX_COVERS:
        return front
    # Even steps of flash between the least and the most, and the quickest cover within each.
    flash = [cover.held[0] for cover in front]
    low, width = min(flash), max(1, -(-(max(flash) - min(flash)) // (MAX_COVERS - 2)))
    thinned: dict[tuple[int, ...], _Cover] = {}
    for cover in front:
        thinned.setdefault(((cover.held[0] - low) // width,), cover)
    smallest = min(front, key=lambda c: (c.held, c.cycles))
    return [*thinned.values(), *([] if smallest in thinned.values() else [smallest])]


def notes(offers: Offers, choice: Choice) -> Mapping[int, str]:
    """Operator index -> why a kernel that is made for it does not compute it, where that is worth telling.

    That is: it cannot, it would be quicker but does not fit, or it could have left products out.
    """
    found: dict[int, str] = {}
    for step in choice.steps:
        for operator in step.run:
            told = [f"{name}: {reason}" for name, reason in offers.refusals.get(operator.index, {}).items()]
            for name, rival in offers.considered.get(operator.index, {}).items():
                if len(step.run) > 1 or name == step.plan.kernel:
                    continue
                if rival.cost.cycles < step.cost.cycles:
                    more = rival.cost.flash_bytes - step.cost.flash_bytes
                    scratch = rival.cost.ram_bytes
                    rather = "more" if more >= 0 else "fewer"
                    told.append(f"{name} needs {abs(more):,} {rather} bytes of flash and {scratch:,} bytes of scratch")
                elif rival.plan.grouping is not None and step.plan.grouping is None:
                    told.append(f"{name} is estimated to be no quicker")
            if told:
                found[operator.index] = "; ".join(told)
    return found
