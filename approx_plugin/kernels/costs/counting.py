"""What is counted: how often a kernel does what costs time, and what its repeated sweeps cost a cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from approx_plugin.boards.timing import Cache


@dataclass(frozen=True)
class Work:
    """kind: which coefficients apply, e.g. "unpacked" or "cmsis_nn convolution"; counts: by the coefficient's name.

    assumed: coefficients that apply where a board has none for this kind; None: a board has to have them.
    """

    kind: str
    counts: Mapping[str, float]
    assumed: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Memories:
    """What stands between the core and its memories. None: no wait states there, nothing to be missed.

    code: instruction fetches; constants: weights read from flash; activations: the RAM.
    """

    code: Cache | None = None
    constants: Cache | None = None
    activations: Cache | None = None


IDEAL = Memories()


def missed_bytes(cache: Cache | None, footprint: npt.ArrayLike, sweeps: float) -> npt.NDArray[np.float64]:
    """Bytes that `sweeps` runs over `footprint` neighbouring bytes fetch into the cache, which is cold at first.

    footprint: any shape; the result has the same. LRU and a cyclic sweep: a set of `ways` lines keeps all of its lines
    or, if one more falls into it, none.
    """
    if cache is None:
        return np.zeros_like(np.asarray(footprint, np.float64))
    lines, thrashed = _lines(cache, footprint)
    again = max(sweeps - 1.0, 0.0)
    return (lines + again * thrashed) * float(cache.line_bytes)


def swept_again(cache: Cache | None, footprint: float, sweeps: float) -> float:
    """The same for bytes that were written just before: only what did not stay is fetched."""
    if cache is None:
        return 0.0
    return float(_lines(cache, footprint)[1]) * cache.line_bytes * sweeps


def _lines(cache: Cache, footprint: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lines of the footprint, and those of them that every sweep loses."""
    size = np.asarray(footprint, np.float64)
    lines = np.ceil(size / cache.line_bytes)
    sets = cache.bytes // (cache.line_bytes * cache.ways)
    deep, further = np.divmod(lines, sets)
    thrashed = np.where(deep > cache.ways, lines, 0.0)
    thrashed = np.where(deep == cache.ways, further * (cache.ways + 1), thrashed)
    return lines, np.minimum(thrashed, lines)
