"""How the operands of an operator vary together over the calibration set: what the second-order update stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from approx_plugin.approximation.basis import Basis, Float64Array
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.reference.executor import BATCH, advance, enter

DAMPING = 0.005
"""Variance of the noise that is added to every input, as a share of the inputs' own: calibration images are few."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Of one operator in a basis, over all outputs of all samples; operands flat.

    curvature: float64 [operands, operands]; c^T curvature c is the variance of an output's change where the
    coefficients change by c, noise on the inputs included: its mean can be taken up by the bias.
    mean: float64 [operands]; c . mean is that mean.
    """

    curvature: Float64Array
    mean: Float64Array


class _Accumulator:
    """Running sums of one operator."""

    def __init__(self, operator: Operator, basis: Basis) -> None:
        self._operator, self._basis = operator, basis
        operands = basis.coefficients(operator)[0].size
        self._samples, self._inputs = 0, 0
        self._sums = np.zeros(operands)
        self._products = np.zeros((operands, operands))
        self._input_sum = self._input_squares = 0.0

    def add(self, inputs: Int8Array) -> None:
        """Take in a batch of the operator's inputs."""
        wide = inputs.astype(np.float64)
        self._inputs += wide.size
        self._input_sum += float(wide.sum())
        self._input_squares += float(np.vdot(wide, wide))
        for operands in self._basis.operands(self._operator, inputs):
            self._samples += len(operands)
            self._sums += operands.sum(axis=0)
            self._products += operands.T @ operands

    def result(self) -> Moments:
        """The moments of all that was taken in."""
        effects = self._basis.effects(self._operator)
        together = effects.T @ effects / len(effects)
        mean = effects.mean(axis=0) * (self._sums / self._samples)
        variance = self._input_squares / self._inputs - (self._input_sum / self._inputs) ** 2
        noise = self._basis.noise(self._operator) * (DAMPING * max(variance, 1.0))
        curvature = together * (self._products / self._samples + noise) - np.outer(mean, mean)
        return Moments(curvature, mean)


def gather_moments(graph: Graph, bases: Mapping[int, Basis], inputs: Int8Array) -> dict[int, Moments]:
    """By operator index. bases: in which basis each is looked at. inputs: int8 [images, *input_shape[1:]], not empty.

    Holds a float64 matrix [operands, operands] for each operator.
    """
    if not len(inputs):
        raise ValueError("moments need at least one image")
    accumulators = {index: _Accumulator(graph.operators[index], bases[index]) for index in sorted(bases)}
    for start in range(0, len(inputs), BATCH):
        state = enter(graph, inputs[start : start + BATCH])
        for index, accumulator in accumulators.items():
            state = advance(graph, state, index)
            accumulator.add(state.values[graph.operators[index].inputs[0].index])
    return {index: accumulator.result() for index, accumulator in accumulators.items()}
