"""A kernel for every layer, the memory plan, the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from approx_plugin.approximation.candidate import apply
from approx_plugin.errors import raise_all
from approx_plugin.exploration.choice import Choice, notes
from approx_plugin.exploration.design_file import FILE_NAME, load_design
from approx_plugin.exploration.offers import Offer
from approx_plugin.exploration.pricing import taken
from approx_plugin.kernels.capacity import shortages
from approx_plugin.kernels.interfaces.registry import with_interfaces
from approx_plugin.kernels.lowering import lower
from approx_plugin.kernels.names import Names
from approx_plugin.kernels.program import Program
from approx_plugin.pipeline.designed import Designed
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.spec.order import Order, board_place


@dataclass(frozen=True, eq=False)
class Lowered:
    """program: what is generated; choice: how it was put together; notes: operator index -> what to tell about it.

    considered: operator index -> kernel -> its quickest plan for the operator as it was lowered.
    refusals: operator index -> kernel -> why it cannot compute it although it is made for such.
    """

    program: Program
    choice: Choice
    notes: Mapping[int, str]
    considered: Mapping[int, Mapping[str, Offer]]
    refusals: Mapping[int, Mapping[str, str]]


def lower_design(inputs: Inputs, designed: Designed) -> Lowered:
    """The program on the board. Raises CapacityError if it does not fit."""
    plans, choice = inputs.plans, inputs.plans.choice(designed.candidates)
    if taken(choice) != designed.candidates:
        # A design of another board, say: here an exact kernel would be chosen, but the network is given.
        plans = inputs.plans_of(designed.graph)
        choice = plans.choice(())
    skipping = {op.index for offer in choice.steps if offer.plan.grouping is not None for op in offer.run}
    skipped = sum(candidate.skipped_macs for candidate in designed.candidates if candidate.layer in skipping)
    program = lower(
        designed.graph,
        [offer.plan for offer in choice.steps],
        inputs.platform,
        inputs.graph.macs,
        inputs.graph.macs - skipped,
        Names(inputs.spec.name),
    )
    program = with_interfaces(program, inputs.spec.api)
    place = board_place(inputs.request, inputs.spec)
    raise_all(shortages(program, inputs.room, place))
    approximated = inputs.market.collect((candidate.operator,) for candidate in designed.candidates)
    considered = {**plans.offers.considered, **approximated.considered}
    return Lowered(program, choice, notes(plans.offers, choice), considered, plans.offers.refusals)


def lowered_again(order: Order) -> Lowered:
    """The program of a project that is there, by the design that its generation has left in it."""
    inputs = read(order)
    file = order.directory / FILE_NAME
    candidates = load_design(file, inputs.graph).candidates if file.is_file() else ()
    return lower_design(inputs, Designed(apply(inputs.graph, candidates), candidates, None, None))
