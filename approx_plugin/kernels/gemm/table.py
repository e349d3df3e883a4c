"""Weights and constants in the order in which the code reads them.

For each pair of output channels A and B: a word for each slot, or two, then the constants. See `rolled/pairs.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.pairs import Int64Array, Numbers, channel_pairs, constants
from approx_plugin.kernels.rolled.table import pairs_of, words_of


def stream(numbers: Numbers, pairs: Int64Array) -> npt.NDArray[np.uint32]:
    """All words. pairs: of taps, int64 [slots, 2], -1 for none."""
    present = pairs >= 0
    parts: list[npt.NDArray[np.uint32]] = []
    for first, second in channel_pairs(len(numbers.weights)):
        a = np.where(present, numbers.weights[first][pairs], 0)
        b = np.where(present, numbers.weights[second][pairs], 0)
        if numbers.packed:
            both = 256 * a + b
            parts.append(pairs_of(both[:, 0], both[:, 1]))
        else:
            parts.append(np.stack([pairs_of(a[:, 0], a[:, 1]), pairs_of(b[:, 0], b[:, 1])], axis=1).reshape(-1))
        parts.append(words_of(constants(numbers, (first, second))))
    return np.concatenate(parts)
