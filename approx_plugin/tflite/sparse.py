"""Constants that are stored sparse, as TensorFlow Lite's pruned models have them, made dense.

Source: the comments on SparsityParameters and DimensionMetadata in TensorFlow Lite's schema. Dimensions are stored one
inside the other, in an order of the file's own; some are cut into blocks, whose inside comes as further dimensions.
Each level is dense (all indexes) or compressed (the indexes that exist, by segments).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dense:
    """A level with all its indexes. size: how many."""

    size: int


@dataclass(frozen=True, eq=False)
class Compressed:
    """A level with some indexes: of place p of the level above, indices[segments[p]:segments[p + 1]]."""

    segments: Numbers
    indices: Numbers


Level = Union[Dense, Compressed]


@dataclass(frozen=True, eq=False)
class Sparsity:
    """How a constant is stored.

    order:  the dimension of each level; those from the rank on are the insides of blocks.
    blocks: the dimension that each of those cuts.
    levels: from the outside in.
    """

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


def densified(stored: npt.NDArray[Any], shape: Sequence[int], sparsity: Sparsity) -> npt.NDArray[Any]:
    """The array of `shape`, zeros where nothing is stored. stored: the values, in the order of the levels.

    Raises ValueError where the description does not fit the shape or the values.
    """
    rank, order = len(shape), sparsity.order
    if sorted(order) != list(range(rank + len(sparsity.blocks))) or len(order) != len(sparsity.levels):
        raise ValueError("the order of its dimensions does not fit its shape")
    if any(not 0 <= dimension < rank for dimension in sparsity.blocks):
        raise ValueError("its blocks cut dimensions that it does not have")
    places, coordinates = np.zeros(1, np.int64), np.zeros((1, len(order)), np.int64)
    for dimension, level in zip(order, sparsity.levels):
        parents, places, indices = _entered(places, level)
        coordinates = coordinates[parents]
        coordinates[:, dimension] = indices
    found = coordinates[:, :rank].copy()
    for number, dimension in enumerate(sparsity.blocks):
        level = sparsity.levels[order.index(rank + number)]
        if not isinstance(level, Dense):
            raise ValueError("the inside of a block is not dense")
        found[:, dimension] = found[:, dimension] * level.size + coordinates[:, rank + number]
    if len(places) > stored.size or (found < 0).any() or (found >= np.array(shape)).any():
        raise ValueError("its values do not fit its shape")
    dense = np.zeros(shape, stored.dtype)
    dense[tuple(found.T)] = stored[places]
    return dense


def _entered(places: Numbers, level: Level) -> tuple[Numbers, Numbers, Numbers]:
    """One level further in: for each element the number of its parent, its own place, and its index."""
    if isinstance(level, Dense):
        if level.size < 1 or len(places) * level.size > 1 << 26:
            raise ValueError(f"a level of {level.size} elements")
        parents = np.repeat(np.arange(len(places)), level.size)
        indices = np.tile(np.arange(level.size), len(places))
        return parents, places[parents] * level.size + indices, indices
    segments = level.segments
    if len(segments) < int(places.max(initial=-1)) + 2 or (np.diff(segments) < 0).any() or (segments < 0).any():
        raise ValueError("its segments do not fit")
    starts, counts = segments[places], segments[places + 1] - segments[places]
    if segments.max(initial=0) > len(level.indices):
        raise ValueError("its segments do not fit its indices")
    parents = np.repeat(np.arange(len(places)), counts)
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    reached = np.repeat(starts, counts) + inside
    return parents, reached, level.indices[reached]
