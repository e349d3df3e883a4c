"""Which outputs are computed together, and the table in that order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.rolled.pairs import Numbers, channel_pairs, constants
from approx_plugin.kernels.rolled.table import pairs_of, words_of


@dataclass(frozen=True)
class Groups:
    """outputs, inputs: of the layer; most: pairs of outputs that are computed together at most.

    The last group begins early enough to be whole: some outputs are then computed twice.
    """

    outputs: int
    inputs: int
    most: int

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The first output of each pair of a group, counted from the group's first output."""
        pairs = channel_pairs(self.outputs)
        if len(pairs) <= self.most:
            return tuple(first for first, _ in pairs)
        return tuple(range(0, 2 * self.most, 2))

    @property
    def pairs(self) -> int:
        """Of a group."""
        return len(self.offsets)

    @property
    def step(self) -> int:
        """Outputs of a group."""
        return min(2 * self.pairs, self.outputs)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The first output of each group."""
        return tuple(min(first, self.outputs - self.step) for first in range(0, self.outputs, self.step))

    @property
    def words(self) -> int:
        """Words of two inputs each, four inputs at a time."""
        return 2 * -(-self.inputs // 4)

    def stream(self, numbers: Numbers) -> npt.NDArray[np.uint32]:
        """For each group: for every word of inputs a word of each pair, then the constants pair by pair."""
        weights = np.zeros((self.outputs, 2 * self.words), np.int64)
        weights[:, : self.inputs] = numbers.weights
        first = np.arange(0, 2 * self.words, 4)[:, None]
        taps = np.stack([first + np.array([0, 2]), first + np.array([1, 3])], axis=1).reshape(-1, 2)
        parts: list[npt.NDArray[np.uint32]] = []
        for start in self.starts:
            both = [(start + offset, min(start + offset + 1, self.outputs - 1)) for offset in self.offsets]
            words = []
            for a, b in both:
                value = 256 * weights[a][taps] + weights[b][taps]
                words.append(pairs_of(value[:, 0], value[:, 1]))
            parts.append(np.stack(words, axis=1).reshape(-1))
            parts += [words_of(constants(numbers, pair)) for pair in both]
        return np.concatenate(parts)
