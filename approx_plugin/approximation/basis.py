"""What an operator's sums are made of: operands, and the coefficients that they are multiplied with.

What can be left out is a product of a coefficient with an operand. Which operands there are depends on how a kernel
computes: the taps of a direct convolution, transformed points, pairs of inputs. Statistics, significance and skipping
speak of a `Basis` and never ask which one it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.model.operator import Operator
from approx_plugin.model.tensor import Int8Array

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[Any]
"""Of an integer type that holds a basis' coefficients."""


@dataclass(frozen=True)
class Basis(ABC):
    """A way to write every output of an operator as bias + sum over operands of coefficient * operand.

    Where a sample has several outputs (a tile), each of them counts the operands with factors of its own: `effects`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """As in reports and in design.json."""

    @abstractmethod
    def suits(self, operator: Operator) -> bool:
        """Whether the operator can be written in this basis."""

    @abstractmethod
    def coefficients(self, operator: Operator) -> IntArray:
        """Integers [output channels, *operands]."""

    @abstractmethod
    def bias(self, operator: Operator) -> npt.NDArray[np.int64]:
        """int64 [output channels], in units of a coefficient times an operand."""

    @abstractmethod
    def operands(self, operator: Operator, inputs: Int8Array) -> Iterator[Float64Array]:
        """What the coefficients are multiplied with, a few images at a time.

        inputs: int8 [images, ...], the operator's input. Yields float64 [samples, operands] of whole numbers; a sample
        is one place at which the sums are computed, and the operands are flat, in the order of the coefficients'.
        """

    def effects(self, operator: Operator) -> Float64Array:
        """float64 [outputs of a sample, operands], flat: by what an operand counts in each output."""
        return np.ones((1, self.coefficients(operator)[0].size))

    def noise(self, operator: Operator) -> Float64Array:
        """float64 [operands, operands]: the operands' covariance where all inputs are independent and vary by 1."""
        return np.eye(self.coefficients(operator)[0].size)

    @abstractmethod
    def rebuild(self, operator: Operator, coefficients: IntArray, bias: npt.NDArray[np.int64]) -> Operator:
        """The operator that computes with these instead: it takes the place of `operator` in the graph.

        It need not be of the same kind: its `compute` equals, bit for bit, what a kernel makes of the coefficients.
        Raises ValueError for coefficients that this basis cannot hold.
        """

    @abstractmethod
    def uses(self, operator: Operator) -> int:
        """How often each coefficient is multiplied in one inference: the number of samples of an image."""
