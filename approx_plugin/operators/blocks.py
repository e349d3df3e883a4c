"""DEPTH_TO_SPACE, SPACE_TO_DEPTH, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND: blocks of pixels become another axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.selection import FILLED, Positions, Selection


def _block(node: Node) -> int:
    block = reading.option(node, "BlockSize")
    if block < 1:
        raise UnsupportedError(f"block size {block}", reading.REEXPORT_HINT)
    return block


@dataclass(frozen=True, eq=False)
class DepthToSpace(Selection):
    """Channels to blocks of pixels: [n, h, w, b * b * c] to [n, h * b, w * b, c]."""

    kind: ClassVar[str] = "DEPTH_TO_SPACE"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`; axes [n, h, b, w, b, c]."""
        block = _block(node)
        count, height, width, channels = positions.shape
        split = positions.reshape(count, height, width, block, block, channels // (block * block))
        return split.transpose(0, 1, 3, 2, 4, 5)

    @classmethod
    def shaped(cls, positions: Positions) -> tuple[int, ...]:
        """See `Selection.shaped`."""
        count, height, down, width, across, channels = positions.shape
        return count, height * down, width * across, channels


@dataclass(frozen=True, eq=False)
class SpaceToDepth(Selection):
    """Blocks of pixels to channels: [n, h * b, w * b, c] to [n, h, w, b * b * c]."""

    kind: ClassVar[str] = "SPACE_TO_DEPTH"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`; axes [n, h, w, b, b, c]."""
        block = _block(node)
        count, height, width, channels = positions.shape
        split = positions.reshape(count, height // block, block, width // block, block, channels)
        return split.transpose(0, 1, 3, 2, 4, 5)

    @classmethod
    def shaped(cls, positions: Positions) -> tuple[int, ...]:
        """See `Selection.shaped`."""
        count, height, width, down, across, channels = positions.shape
        return count, height, width, down * across * channels


@dataclass(frozen=True, eq=False)
class SpaceToBatch(Selection):
    """Pixels that lie a block apart become a map of their own, in front of all others; zero points around the input."""

    kind: ClassVar[str] = "SPACE_TO_BATCH_ND"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`. Source: TensorFlow's definition of SpaceToBatchND."""
        blocks = reading.integers(node, 1)
        amounts = np.array(reading.integers(node, 2)).reshape(len(blocks), 2)
        rest = positions.ndim - 1 - len(blocks)
        if min(blocks) < 1 or amounts.min() < 0 or rest < 0 or amounts.max() > sum(positions.shape):
            raise UnsupportedError(f"blocks {blocks}", reading.REEXPORT_HINT)
        around = np.pad(positions, [(0, 0), *map(tuple, amounts.tolist()), *[(0, 0)] * rest], constant_values=FILLED)
        split = [around.shape[0]]
        for extent, block in zip(around.shape[1:], blocks):
            split += [extent // block, block]
        parts = around.reshape(*split, *around.shape[1 + len(blocks) :])
        axes = range(len(blocks))
        order = [2 + 2 * i for i in axes] + [0] + [1 + 2 * i for i in axes]
        moved = parts.transpose(*order, *range(len(split), parts.ndim))
        return moved.reshape(-1, *moved.shape[len(blocks) + 1 :])


@dataclass(frozen=True, eq=False)
class BatchToSpace(Selection):
    """The way back from SPACE_TO_BATCH_ND; rows and columns at the edges are cut off."""

    kind: ClassVar[str] = "BATCH_TO_SPACE_ND"

    @classmethod
    def picked(cls, node: Node, source: Tensor, positions: Positions) -> Positions:
        """See `Selection.picked`. Source: TensorFlow's definition of BatchToSpaceND."""
        blocks = reading.integers(node, 1)
        crops = np.array(reading.integers(node, 2)).reshape(len(blocks), 2).tolist()
        number = len(blocks)
        maps = positions.reshape(*blocks, -1, *positions.shape[1:])
        order = [number]
        for axis in range(number):
            order += [number + 1 + axis, axis]
        moved = maps.transpose(*order, *range(2 * number + 1, maps.ndim))
        extents = [extent * block for extent, block in zip(positions.shape[1:], blocks)]
        whole = moved.reshape(moved.shape[0], *extents, *positions.shape[1 + number :])
        if any(min(pair) < 0 or sum(pair) >= extent for pair, extent in zip(crops, extents)):
            raise UnsupportedError(f"crops {crops}", reading.REEXPORT_HINT)
        kept = [slice(None), *(slice(before, extent - after) for (before, after), extent in zip(crops, extents))]
        return np.asarray(whole[tuple(kept)])
