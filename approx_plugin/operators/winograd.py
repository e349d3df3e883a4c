"""Minimal filtering of 3x3 convolutions, in integers, tile by tile: Winograd's for stride 1, Karatsuba's for stride 2.

A tile of outputs is A^T [U * V] A', summed over the input channels, with the transformed weights U = G g G'^T and the
transformed input V = B^T d B' of the patch d under the tile. G is scaled so that U is whole: the sums come out times
`Transform.scale`. Source: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", CVPR 2016; the
vertical and the horizontal direction may have different sizes here. With stride 2 two outputs share an input, and one
of six products is saved by (a - c) x + c (x + y) = a x + c y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
AnyArray = npt.NDArray[Any]

Rows = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Direction:
    """F(m, 3) along one axis: m outputs of n inputs by p products; with stride 1 n and p are m + 2.

    weights: G [p, 3], times `scale`; inputs: B^T [p, n]; outputs: A^T [m, p].
    """

    outputs_at_once: int
    scale: int
    weights: Rows
    inputs: Rows
    outputs: Rows
    stride: int = 1


F2 = Direction(
    2,
    2,
    ((2, 0, 0), (1, 1, 1), (1, -1, 1), (0, 0, 2)),
    ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    ((1, 1, 1, 0), (0, 1, -1, -1)),
)

F4 = Direction(
    4,
    24,
    ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24)),
    (
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
    ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
)


STRIDED = Direction(
    2,
    1,
    ((1, 0, 0), (0, 1, 0), (1, 0, 1), (0, 0, 1), (0, -1, 0)),
    ((1, 0, -1, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 1, 0, -1), (0, 0, 0, 1, 0)),
    ((1, 1, 1, 0, 0), (0, 0, 1, -1, -1)),
    2,
)


@dataclass(frozen=True)
class Transform:
    """Both directions, with the same stride. Points are numbered row by row."""

    name: str
    vertical: Direction
    horizontal: Direction

    @property
    def tile(self) -> tuple[int, int]:
        """Outputs of a tile: (rows, columns)."""
        return self.vertical.outputs_at_once, self.horizontal.outputs_at_once

    @property
    def patch(self) -> tuple[int, int]:
        """Inputs under a tile: (rows, columns)."""
        return len(self.vertical.inputs[0]), len(self.horizontal.inputs[0])

    @property
    def stride(self) -> tuple[int, int]:
        """Of the convolution."""
        return self.vertical.stride, self.horizontal.stride

    @property
    def step(self) -> tuple[int, int]:
        """Inputs from one tile to the next: (rows, columns)."""
        return self.tile[0] * self.stride[0], self.tile[1] * self.stride[1]

    @property
    def grid(self) -> tuple[int, int]:
        """Points: (rows, columns)."""
        return len(self.vertical.inputs), len(self.horizontal.inputs)

    @property
    def points(self) -> int:
        """Products of a tile for each pair of input and output channel."""
        return self.grid[0] * self.grid[1]

    @cached_property
    def sums(self) -> tuple[tuple[int, ...], ...]:
        """Points that count the same in every output, and can be added up before: numbered row by row."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for point, column in enumerate(self.outputs.T.tolist()):
            alike.setdefault(tuple(column), []).append(point)
        return tuple(map(tuple, alike.values()))

    @property
    def scale(self) -> int:
        """By what a sum is larger than that of the direct convolution."""
        return self.vertical.scale * self.horizontal.scale

    @cached_property
    def outputs(self) -> Int64Array:
        """int64 [outputs of a tile, points]: what each point's sum counts in each output."""
        return np.kron(np.array(self.vertical.outputs), np.array(self.horizontal.outputs)).astype(np.int64)

    @cached_property
    def inputs(self) -> Int64Array:
        """int64 [points, inputs of a patch]: V of a patch, row by row."""
        return np.kron(np.array(self.vertical.inputs), np.array(self.horizontal.inputs)).astype(np.int64)

    def weights(self, filters: npt.NDArray[Any]) -> Int64Array:
        """U, int64 [output channels, points, input channels], of filters [output channels, 3, 3, input channels]."""
        down, across = np.array(self.vertical.weights, np.int64), np.array(self.horizontal.weights, np.int64)
        made: Int64Array = np.einsum("pr,orsc,qs->opqc", down, filters.astype(np.int64), across)
        return np.reshape(made, (len(filters), self.points, filters.shape[3]))

    def transformed(self, patches: AnyArray) -> AnyArray:
        """V [..., points, channels] of patches [..., rows, columns, channels], in their type."""
        half = _combined(self.vertical.inputs, patches, -3)
        whole = _combined(self.horizontal.inputs, half, -2)
        return whole.reshape(*whole.shape[:-3], self.points, whole.shape[-1])


def _combined(rows: Rows, values: AnyArray, axis: int) -> AnyArray:
    """Each row's combination of the slices along an axis: most of its factors are 0, 1 or -1."""
    slices = [np.take(values, place, axis) for place in range(values.shape[axis])]
    made = []
    for row in rows:
        total: AnyArray | None = None
        for factor, part in zip(row, slices):
            if factor:
                term = part if factor == 1 else factor * part
                total = term if total is None else total + term
        assert total is not None
        made.append(total)
    return np.stack(made, axis)


T22 = Transform("t22", F2, F2)
"""F(2x2, 3x3): 16 products for 4 outputs."""

T42 = Transform("t42", F4, F2)
"""F(4x2, 3x3): 24 products for 8 outputs."""

P22 = Transform("p22", STRIDED, STRIDED)
"""3x3 with stride 2: 25 products for 4 outputs instead of 36."""

TRANSFORMS = {transform.name: transform for transform in (T22, T42)}
"""Those in which a layer may stay, by name: see `TransformedConv2D`."""
