"""Which products a kernel can leave out together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.approximation.basis import Basis
from approx_plugin.model.operator import Operator

Groups = npt.NDArray[np.int64]
"""[*operands]: the number of the group that an operand is in, 0 to groups - 1. A group is dropped as a whole."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """A basis, and what falls together in it.

    title:  what a group is, for reports: "pairs of input channels".
    groups: one number for each operand of an output channel; the same for all output channels.
    shared: whether a group falls for all output channels at once, or for each of them by itself.
    """

    basis: Basis
    title: str
    groups: Groups
    shared: bool = False


def single(basis: Basis, operator: Operator) -> Grouping:
    """Every product by itself, as published."""
    return Grouping(basis, "single products", numbered(basis.coefficients(operator).shape[1:]))


def numbered(operands: Sequence[int]) -> Groups:
    """Every operand in a group of its own. operands: their shape."""
    return np.arange(int(np.prod(operands)), dtype=np.int64).reshape(tuple(operands))
