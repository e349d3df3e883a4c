"""`explain`: which kernels were considered for a layer, what each would cost, and why one of them was taken."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from approx_plugin.errors import SpecError
from approx_plugin.exploration.offers import Offer
from approx_plugin.kernels.program import Step
from approx_plugin.model.operator import Operator
from approx_plugin.pipeline.lowered import Lowered

TAKEN = "taken"


@dataclass(frozen=True)
class Considered:
    """A kernel's quickest plan for a layer. cycles: estimated; bytes of flash, and of scratch in the arena.

    verdict: "taken", or why not. approximated: whether products are left out.
    """

    kernel: str
    variant: str
    cycles: int
    flash: int
    scratch: int
    approximated: bool
    verdict: str


@dataclass(frozen=True)
class Explanation:
    """layer: name and kind; board: whose model the cycles are of; step: all layers that the one function computes.

    refused: kernel -> why it cannot, though it is made for such layers.
    """

    layer: str
    kind: str
    shapes: str
    macs: int
    board: str
    step: tuple[str, ...]
    considered: tuple[Considered, ...]
    refused: dict[str, str]
    note: str


def find_layer(operators: tuple[Operator, ...], wanted: str) -> Operator:
    """By name or index. Raises SpecError with what may have been meant."""
    for operator in operators:
        if wanted in (operator.name, str(operator.index)):
            return operator
    names = [operator.name for operator in operators]
    near = get_close_matches(wanted, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(names[:12])}{', ...' if names[12:] else ''}"
    raise SpecError(f"there is no layer '{wanted}'", hint=hint)


def explain(lowered: Lowered, board: str, wanted: str) -> Explanation:
    """The explanation of a layer. board: whose prices they are. Raises SpecError for an unknown layer."""
    operator = find_layer(lowered.program.graph.operators, wanted)
    step = lowered.program.step_of().get(operator.index)
    source = " and ".join("x".join(map(str, tensor.shape[1:])) for tensor in operator.inputs)
    return Explanation(
        operator.name,
        operator.kind,
        f"{source} -> {'x'.join(map(str, operator.output.shape[1:]))}",
        operator.macs,
        board,
        tuple(one.name for one in step.operators) if step else (),
        _considered(lowered, operator, step),
        dict(lowered.refusals.get(operator.index, {})),
        _note(lowered, operator, step),
    )


def _considered(lowered: Lowered, operator: Operator, step: Step | None) -> tuple[Considered, ...]:
    found = lowered.considered.get(operator.index, {})
    taken = next((one for one in lowered.choice.steps if step and one.plan is step.plan), None)
    rows = []
    if taken is not None:
        rows.append(_row(taken, TAKEN))
    for offer in sorted(found.values(), key=lambda one: one.cost.cycles):
        if taken is None or offer.plan.kernel != taken.plan.kernel or len(taken.run) > 1:
            rows.append(_row(offer, _verdict(offer, taken)))
    return tuple(rows)


def _row(offer: Offer, verdict: str) -> Considered:
    cost = offer.cost
    return Considered(
        offer.plan.kernel,
        offer.plan.variant or "",
        round(cost.cycles),
        cost.flash_bytes,
        cost.ram_bytes,
        offer.candidate is not None,
        verdict,
    )


def _verdict(offer: Offer, taken: Offer | None) -> str:
    """Why an offer was not taken, as far as prices tell."""
    if taken is None:
        return "its output is another view of its input: nothing is computed"
    if len(taken.run) > 1:
        return f"the layer is computed together with others, by {taken.plan.kernel}"
    if offer.cost.cycles >= taken.cost.cycles:
        factor = offer.cost.cycles / taken.cost.cycles if taken.cost.cycles else 1.0
        return "no quicker" if factor < 1.005 else f"{factor:.2f} times as many cycles"
    if taken.candidate is not None and offer.candidate is None:
        return "computes the exact layer"
    more = offer.cost.flash_bytes - taken.cost.flash_bytes
    if more > 0:
        return f"{more:,} more bytes of flash than the choice allows"
    if offer.cost.ram_bytes > taken.cost.ram_bytes:
        return f"{offer.cost.ram_bytes - taken.cost.ram_bytes:,} more bytes of scratch than the choice allows"
    return "its neighbours want another layout of the data"


def _note(lowered: Lowered, operator: Operator, step: Step | None) -> str:
    if step is None:
        return "its output is another view of its input: nothing is computed"
    return lowered.notes.get(operator.index, "")


def text(explanation: Explanation) -> str:
    """In blocks of lines that fit 80 columns as far as names allow."""
    lines = [
        f"{explanation.layer}: {explanation.kind}, {explanation.shapes}, {explanation.macs:,} MACs",
        f"prices: cycles of one inference, estimated for {explanation.board}; bytes",
    ]
    if len(explanation.step) > 1:
        lines.append(f"computed by one function: {', '.join(explanation.step)}")
    if explanation.considered:
        lines += ["", f"{'kernel':<10} {'cycles':>12} {'flash':>9} {'scratch':>9}  verdict"]
    for row in explanation.considered:
        mark = ", approximated" if row.approximated else ""
        lines.append(f"{row.kernel:<10} {row.cycles:>12,} {row.flash:>9,} {row.scratch:>9,}  {row.verdict}{mark}")
        if row.variant:
            lines.append(f"{'':<10} {row.variant}")
    lines += [f"{kernel}: cannot, {reason}" for kernel, reason in explanation.refused.items()]
    if explanation.note:
        lines += ["", f"note: {explanation.note}"]
    return "\n".join(part for line in lines for part in _folded(line))


def _folded(line: str) -> list[str]:
    """A line in parts of at most 80 columns; one that fits stays as it is, with all its blanks."""
    return [line] if len(line) <= 80 else textwrap.wrap(line, 80, subsequent_indent="  ")


def document(explanation: Explanation) -> dict[str, Any]:
    """The same as plain values."""
    return asdict(explanation)
