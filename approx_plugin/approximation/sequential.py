"""The coefficients that are left, solved once more behind layers that are approximated themselves.

Each layer's candidate was made for the inputs of the exact network. In a design it gets others. From the first layer to
the last, the coefficients that are kept are chosen anew, so that with the inputs that really come the layer's sums are
as close as can be to those of the exact network: with a the exact operands, a' those that come, and u the exact
coefficients, the best ones solve u' E[a' a'^T] = u E[a a'^T] over what is kept, and the bias takes up the mean. What is
dropped stays dropped, so the cost in cycles stays what it is. (Sequential calibration as in GPTQ; the target is the
exact network's output, as in J.-H. Luo and others, "ThiNet", ICCV 2017.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Float64Array
from approx_plugin.approximation.candidate import Candidate, apply
from approx_plugin.approximation.moments import DAMPING
from approx_plugin.approximation.reconstruction import rounded
from approx_plugin.approximation.skipping import made
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.reference.executor import BATCH, Activations, advance, enter

Candidates = tuple[Candidate, ...]


Known = dict[tuple[bytes, ...], Candidate]
"""The fingerprints of a design's candidates up to a layer -> what was made of the last of them."""


def solved_again(
    graph: Graph, candidates: Sequence[Candidate], inputs: Int8Array, known: Known | None = None
) -> Candidates:
    """The candidates of a design, ascending by layer, with coefficients and biases for each other.

    graph: the exact network; inputs: int8 [images, ...], not empty. Layers whose groups fall for each output channel by
    itself stay as they are: every channel would need a solution of its own. known: of other designs of the same network
    with the same inputs; what these have in common is not solved anew, and what is found is added.
    """
    if not len(inputs):
        raise ValueError("at least one image is needed")
    exact = [enter(graph, inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
    actual, found = list(exact), list[Candidate]()
    known = {} if known is None else known
    for number, candidate in enumerate(candidates):
        layer = candidate.layer
        key = tuple(one.operator.fingerprint for one in candidates[: number + 1])
        if key in known:
            found.append(known[key])
            continue
        exact = [advance(graph, state, layer) for state in exact]
        changed = apply(graph, found)
        actual = [advance(changed, state, layer) for state in actual]
        operator = graph.operators[layer]
        if candidate.grouping.shared and found:
            source = operator.inputs[0].index
            found.append(_solved(operator, candidate, _values(exact, source), _values(actual, source)))
        else:
            found.append(candidate)
        known[key] = found[-1]
    return tuple(found)


def _values(states: Sequence[Activations], tensor: int) -> list[Int8Array]:
    return [state.values[tensor] for state in states]


def _solved(
    operator: Operator, candidate: Candidate, exact: Sequence[Int8Array], actual: Sequence[Int8Array]
) -> Candidate:
    basis = candidate.grouping.basis
    given = basis.coefficients(operator)
    flat = given.reshape(len(given), -1).astype(np.float64)
    kept = (candidate.coefficients.reshape(len(given), -1) != 0).any(axis=0)
    if not kept.any():
        return candidate
    both = _Moments(operator, candidate, np.flatnonzero(kept))
    for one, other in zip(exact, actual):
        both.add(one, other)
    curvature, across, mean, actual_mean = both.result()
    wanted = np.zeros_like(flat)
    # Symmetric and positive: noise on the inputs is part of it.
    wanted[:, kept] = np.linalg.solve(curvature, (flat @ across).T).T
    limits = np.iinfo(given.dtype)
    whole = np.zeros((flat.shape[1],) * 2)
    whole[np.ix_(kept, kept)] = curvature
    left = rounded(wanted, kept, whole, (int(limits.min) + 1, int(limits.max)))
    bias = basis.bias(operator) + np.rint(flat @ mean - left[:, kept] @ actual_mean).astype(np.int64)
    try:
        return made(operator, candidate.level, candidate.grouping, left.reshape(given.shape).astype(given.dtype), bias)
    except ValueError:
        return candidate


class _Moments:
    """Sums over samples: of the operands that come, and of those of the exact network with them."""

    def __init__(self, operator: Operator, candidate: Candidate, kept: npt.NDArray[np.int64]) -> None:
        self._operator, self._basis, self._kept = operator, candidate.grouping.basis, kept
        operands = self._basis.coefficients(operator)[0].size
        self._samples, self._inputs = 0, 0
        self._input_sum = self._input_squares = 0.0
        self._mean, self._actual_mean = np.zeros(operands), np.zeros(len(kept))
        self._own, self._across = np.zeros((len(kept),) * 2), np.zeros((operands, len(kept)))

    def add(self, exact: Int8Array, actual: Int8Array) -> None:
        """A batch of both inputs."""
        wide = exact.astype(np.float64)
        self._inputs += wide.size
        self._input_sum += float(wide.sum())
        self._input_squares += float(np.vdot(wide, wide))
        basis, operator = self._basis, self._operator
        for one, other in zip(basis.operands(operator, exact), basis.operands(operator, actual)):
            # Single precision serves sums that are only ever divided by their number, and is twice as quick.
            own, there = np.ascontiguousarray(other[:, self._kept], np.float32), one.astype(np.float32)
            self._samples += len(one)
            self._mean += one.sum(axis=0)
            self._actual_mean += other[:, self._kept].sum(axis=0)
            self._own += own.T @ own
            self._across += there.T @ own

    def result(self) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """E[a' a'^T], E[a a'^T], both without the means, as they count in outputs; and both means."""
        effects = self._basis.effects(self._operator)
        together = effects.T @ effects / len(effects)
        average = effects.mean(axis=0)
        mean, actual = average * (self._mean / self._samples), average[self._kept] * (self._actual_mean / self._samples)
        variance = self._input_squares / self._inputs - (self._input_sum / self._inputs) ** 2
        noise = self._basis.noise(self._operator) * (DAMPING * max(variance, 1.0))
        across = together[:, self._kept] * (self._across / self._samples + noise[:, self._kept]) - np.outer(
            mean, actual
        )
        own_noise, own_together = (square[np.ix_(self._kept, self._kept)] for square in (noise, together))
        own = own_together * (self._own / self._samples + own_noise) - np.outer(actual, actual)
        return own, across, mean, actual
