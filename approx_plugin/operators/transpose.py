"""TRANSPOSE: axes in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.selection import Positions, Selection


@dataclass(frozen=True, eq=False)
class Transpose(Selection):
    """Any order of any number of axes; an alias where only axes of length 1 move."""

    kind: ClassVar[str] = "TRANSPOSE"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`."""
        return np.transpose(positions, reading.axes(source, reading.integers(node, 1)))
