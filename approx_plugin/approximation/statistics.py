"""What the operands of operators look like over the calibration set.

The sums are sums of integers and are kept as integers: they do not depend on how the images were cut into batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Basis, Float64Array
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array
from approx_plugin.reference.executor import BATCH, advance, enter

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """The operands a of one operator in a basis, over all images and all samples of each.

    Operands have the shape of one output channel's coefficients: for taps [kernel_h, kernel_w, in_channels].
    samples: how many.
    sums, squares: int64 [*operands]: sum of a, sum of a*a.
    ratios: float64 [out_channels, *operands]: mean of |p_i / sum_k p_k|, p = coefficient * a, the bias left out; None
        unless it was asked for. A sample at which an output channel's sum is 0 says nothing about that channel and is
        left out of its mean; a channel without any other sample has NaN.
    """

    samples: int
    sums: Int64Array
    squares: Int64Array
    ratios: Float64Array | None = None

    @property
    def mean(self) -> Float64Array:
        """E[a], [*operands]."""
        return self.sums / self.samples

    @property
    def second_moment(self) -> Float64Array:
        """E[a^2], [*operands]."""
        return self.squares / self.samples


@dataclass(frozen=True, eq=False)
class Statistics:
    """layers: by operator index; images: how many calibration images they stand for."""

    layers: Mapping[int, LayerStatistics]
    images: int


class _Accumulator:
    """Running sums of one layer: bounded memory, whatever the number of images."""

    def __init__(self, operator: Operator, basis: Basis, ratios: bool) -> None:
        self._operator, self._basis = operator, basis
        coefficients = basis.coefficients(operator)
        self._shape = coefficients.shape[1:]
        self._weights = coefficients.reshape(len(coefficients), -1).astype(np.float64)
        operands = self._weights.shape[1]
        self._samples = 0
        self._sums = np.zeros(operands, np.int64)
        self._squares = np.zeros(operands, np.int64)
        self._ratios = np.zeros_like(self._weights) if ratios else None
        self._counted = np.zeros(len(self._weights), np.int64)

    def add(self, inputs: Int8Array) -> None:
        """Take in a batch of the layer's inputs."""
        for operands in self._basis.operands(self._operator, inputs):
            self._add(operands)

    def _add(self, operands: Float64Array) -> None:
        """operands: [samples, operands], whole numbers. Their sums stay far below 2**53, so they are exact."""
        self._samples += len(operands)
        self._sums += operands.sum(axis=0).astype(np.int64)
        self._squares += np.einsum("so,so->o", operands, operands).astype(np.int64)
        if self._ratios is None:
            return
        totals = np.abs(operands @ self._weights.T)
        counted = totals != 0
        inverse = np.divide(1.0, totals, out=np.zeros_like(totals), where=counted)
        # |p_i / sum p| = |w_i| * |a_i| * |1 / sum p|: |w_i| is the same in every sample and comes in at the end.
        self._ratios += inverse.T @ np.abs(operands)
        self._counted += counted.sum(axis=0)

    def result(self) -> LayerStatistics:
        """The statistics of all that was taken in."""
        ratios: Float64Array | None = None
        if self._ratios is not None:
            counted = self._counted[:, None]
            mean = np.divide(self._ratios, counted, out=np.full_like(self._ratios, np.nan), where=counted != 0)
            ratios = (np.abs(self._weights) * mean).reshape(-1, *self._shape)
        return LayerStatistics(
            self._samples, self._sums.reshape(self._shape), self._squares.reshape(self._shape), ratios
        )


def gather(graph: Graph, bases: Mapping[int, Basis], inputs: Int8Array, *, ratios: bool = False) -> Statistics:
    """The statistics of some operators of `graph`.

    bases: operator index -> the basis in which its operands are looked at. inputs: int8 [images, *input_shape[1:]], at
    least one image. ratios: whether the mean of |p_i / sum p| is wanted too (costs two more passes over all products).
    The integer sums do not depend on the batches; the ratios are float64 sums in a fixed order.
    """
    if not len(inputs):
        raise ValueError("statistics need at least one image")
    accumulators = {index: _Accumulator(graph.operators[index], bases[index], ratios) for index in sorted(bases)}
    for start in range(0, len(inputs), BATCH):
        state = enter(graph, inputs[start : start + BATCH])
        for index, accumulator in accumulators.items():
            state = advance(graph, state, index)
            accumulator.add(state.values[graph.operators[index].inputs[0].index])
    return Statistics({index: accumulator.result() for index, accumulator in accumulators.items()}, len(inputs))
