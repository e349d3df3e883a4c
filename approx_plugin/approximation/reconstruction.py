"""The second-order update: leave groups of products out, and let the coefficients that stay take up what they did.

With the curvature H of an output's error (`moments.py`), leaving out the group p of a channel's coefficients u costs
u_p^T (H^-1_pp)^-1 u_p, and the others move by -H^-1_:p (H^-1_pp)^-1 u_p (B. Hassibi, D. G. Stork, "Second order
derivatives for network pruning: Optimal Brain Surgeon", NIPS 1992; for groups and layer by layer: E. Frantar, D.
Alistarh, "Optimal Brain Compression", NeurIPS 2022). The cheapest groups go first, some at a time. What is left is
rounded one coefficient after the other, each rounding error taken up by the ones that follow (E. Frantar and others,
"GPTQ", 2022). Needs calibration inputs and no labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Float64Array, IntArray
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping
from approx_plugin.approximation.moments import Moments
from approx_plugin.approximation.skipping import made
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier

ROUNDS = 80
"""Steps in which the groups go: after each of them what the others cost is found anew."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stage:
    """What is left after some groups have gone.

    dropped: bool [operands]; coefficients: float64 [channels, operands]; cost: the highest that a group had so far, in
    squared output steps.
    """

    dropped: BoolArray
    coefficients: Float64Array
    cost: float


@dataclass(frozen=True, eq=False)
class Elimination:
    """Of channels that lose their groups together. channels: which; stages: ascending, the first one is the start."""

    channels: npt.NDArray[np.int64]
    stages: tuple[Stage, ...]


def eliminate(
    coefficients: Float64Array, inverse: Float64Array, groups: npt.NDArray[np.int64], weights: Float64Array
) -> tuple[Stage, ...]:
    """The groups go one after the other, for all channels at once, until none is left.

    coefficients: [channels, operands]; inverse: of the curvature, [operands, operands]; groups: [operands], from 0 on;
    weights: [channels], what a squared error of each channel counts.
    """
    left, inverse = coefficients.copy(), inverse.copy()
    members = _members(groups)
    standing = np.ones(len(members), np.bool_)
    dropped = np.zeros(len(groups), np.bool_)
    stages = [Stage(dropped.copy(), left.copy(), 0.0)]
    highest = 0.0
    together = max(1, len(members) // ROUNDS)
    while standing.any():
        numbers = np.flatnonzero(standing)
        costs = _costs(left, inverse, [members[number] for number in numbers], weights)
        order = np.argsort(costs, kind="stable")[:together]
        highest = max(highest, float(costs[order].max()))
        gone = np.concatenate([members[numbers[place]] for place in order])
        solved = np.linalg.solve(inverse[np.ix_(gone, gone)], inverse[gone])
        left -= left[:, gone] @ solved
        inverse -= inverse[:, gone] @ solved
        left[:, gone] = 0.0
        # What is gone must not come back by rounding errors, and must not be singular where others are looked at.
        inverse[gone] = 0.0
        inverse[:, gone] = 0.0
        dropped[gone] = True
        standing[numbers[order]] = False
        stages.append(Stage(dropped.copy(), left.copy(), highest))
    return tuple(stages)


def _members(groups: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The operands of each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _costs(
    left: Float64Array, inverse: Float64Array, members: Sequence[npt.NDArray[np.int64]], weights: Float64Array
) -> Float64Array:
    """What leaving out each of the groups would cost now."""
    found = np.empty(len(members))
    sizes = np.array([len(one) for one in members])
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        index = np.stack([members[place] for place in places])
        blocks = inverse[index[:, :, None], index[:, None, :]]
        parts = left[:, index].transpose(1, 2, 0)  # [groups, size, channels]
        solved = np.linalg.solve(blocks, parts)
        found[places] = ((parts * solved).sum(axis=1) * weights).sum(axis=1)
    return np.maximum(found, 0.0)


def rounded(
    wanted: Float64Array, kept: BoolArray, curvature: Float64Array, limits: tuple[int, int]
) -> npt.NDArray[np.int64]:
    """Whole numbers within the limits, whose errors are taken up by those that follow.

    wanted: [channels, operands], 0 where not kept; kept: bool [operands]; curvature: [operands, operands].
    """
    places = np.flatnonzero(kept)
    result = np.zeros(wanted.shape, np.int64)
    if not len(places):
        return result
    inverse = np.linalg.inv(curvature[np.ix_(places, places)])
    # Row i is what remains of the inverse's row i, scaled, once the coefficients before it are set.
    upper = np.linalg.cholesky(inverse).T
    left = wanted[:, places].copy()
    for number, place in enumerate(places):
        value = np.clip(np.rint(left[:, number]), *limits)
        result[:, place] = value.astype(np.int64)
        error = (left[:, number] - value) / upper[number, number]
        left[:, number + 1 :] -= np.outer(error, upper[number, number + 1 :])
    return result


def eliminations(operator: Operator, moments: Moments, grouping: Grouping) -> tuple[Elimination, ...]:
    """The whole way down: one for all channels where groups are shared, else one for each channel."""
    coefficients = _flat(grouping.basis.coefficients(operator)).astype(np.float64)
    inverse = np.linalg.inv(moments.curvature)
    groups, weights = grouping.groups.reshape(-1), np.square(output_steps(operator, len(coefficients)))
    every = np.arange(len(coefficients))
    parts = [every] if grouping.shared else [every[number : number + 1] for number in every]
    return tuple(Elimination(part, eliminate(coefficients[part], inverse, groups, weights[part])) for part in parts)


def output_steps(operator: Operator, channels: int) -> Float64Array:
    """How many output steps one unit of each channel's sum is."""
    multipliers: Sequence[Multiplier] = getattr(operator, "multipliers", ())
    steps = [m.mantissa * 2.0 ** (m.shift - 31) for m in multipliers]
    return np.broadcast_to(np.array(steps or [1.0]), (channels,)).astype(np.float64)


def candidates(
    operator: Operator, moments: Moments, grouping: Grouping, shares: Sequence[float]
) -> tuple[Candidate, ...]:
    """One for each share of the products that can be reached, ascending; its `level` is the share.

    All channels of a layer lose what costs least, each measured in its own output steps. Candidates whose coefficients
    the basis cannot hold are left out.
    """
    basis = grouping.basis
    exact = basis.coefficients(operator)
    parts = eliminations(operator, moments, grouping)
    costs = np.unique([stage.cost for part in parts for stage in part.stages])
    found: list[Candidate] = []
    reached = [_gone(exact, parts, float(cost)) for cost in costs]
    total = int(np.count_nonzero(exact))
    for share in shares:
        place = next((n for n, gone in enumerate(reached) if gone >= share * total - 1e-9), None)
        if place is None or share <= 0.0:
            continue
        try:
            found.append(_candidate(operator, moments, grouping, parts, float(costs[place]), share))
        except ValueError:
            continue
    return tuple(found)


def _gone(exact: IntArray, parts: Sequence[Elimination], cost: float) -> int:
    """Products that are left out at a cost."""
    flat = _flat(exact)
    return sum(int(np.count_nonzero(flat[part.channels][:, _stage(part, cost).dropped])) for part in parts)


def _stage(part: Elimination, cost: float) -> Stage:
    """The last one that costs no more."""
    return [stage for stage in part.stages if stage.cost <= cost][-1]


def _candidate(
    operator: Operator,
    moments: Moments,
    grouping: Grouping,
    parts: Sequence[Elimination],
    cost: float,
    share: float,
) -> Candidate:
    basis = grouping.basis
    exact = basis.coefficients(operator)
    left = np.zeros(_flat(exact).shape, np.int64)
    limits = np.iinfo(exact.dtype)
    for part in parts:
        stage = _stage(part, cost)
        # Without the lowest value: int8 weights are -127 to 127 by TensorFlow Lite's specification.
        left[part.channels] = rounded(
            stage.coefficients, ~stage.dropped, moments.curvature, (int(limits.min) + 1, int(limits.max))
        )
    change = (_flat(exact).astype(np.float64) - left) @ moments.mean
    bias = basis.bias(operator) + np.rint(change).astype(np.int64)
    return made(operator, share, grouping, left.reshape(exact.shape).astype(exact.dtype), bias)


def _flat(values: IntArray) -> IntArray:
    """[channels, operands]."""
    return values.reshape(len(values), -1)
