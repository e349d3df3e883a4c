"""Which weights share a word, and which products an output is the sum of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.planes.geometry import Geometry
from approx_plugin.kernels.rolled.table import pairs_of

Tap = tuple[int, int]
"""A weight's place in the window: (along the paired direction, along the slid one)."""


class Multiplication(NamedTuple):
    """One instruction: a word of the plane times a word of weights, added to an output's sum.

    output: row of outputs in the group. tap: column of the window. row: of words, from the group's first one on.
    """

    output: int
    tap: int
    row: int
    mnemonic: str
    word: int


@dataclass(frozen=True)
class Arrangement:
    """words: what stands in the lower and in the upper half of each word of weights. products: by the rows of outputs
    that are computed together, 1 to `Geometry.group`.
    """

    words: tuple[tuple[Tap | None, Tap | None], ...]
    products: tuple[tuple[Multiplication, ...], ...]

    def table(self, weights: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """uint32 [channels, words] of weights int64 [paired taps, slid taps, channels], each within int16."""
        nothing = np.zeros(weights.shape[2], np.int64)
        columns = [
            pairs_of(*(nothing if tap is None else weights[tap[0], tap[1]] for tap in word)) for word in self.words
        ]
        return np.stack(columns, axis=1)


def arrangement(layout: Geometry) -> Arrangement:
    """The words: pairs that meet whole words of the plane first; what is left shares words as it comes."""
    found = list(layout.products(layout.group))
    words: list[tuple[Tap | None, Tap | None]] = []
    halves: dict[Tap, tuple[int, str]] = {}
    for tap in range(layout.slid.taps):
        for pair in sorted({(p.low, p.high) for p in found if p.low is not None and p.high is not None}):
            assert pair[0] is not None
            assert pair[1] is not None
            low, high = (pair[0], tap), (pair[1], tap)
            halves[low], halves[high] = (len(words), "b"), (len(words), "t")
            words.append((low, high))
    singles = {p.low if p.high is None else p.high for p in found if p.low is None or p.high is None}
    rest = [
        (one, tap)
        for tap in range(layout.slid.taps)
        for one in sorted(single for single in singles if single is not None)
        if (one, tap) not in halves
    ]
    for number in range(0, len(rest), 2):
        pair_of = rest[number : number + 2]
        halves.update({tap: (len(words), half) for tap, half in zip(pair_of, "bt")})
        words.append((pair_of[0], pair_of[1] if len(pair_of) > 1 else None))
    products = tuple(_products(layout, outputs, words, halves) for outputs in range(1, layout.group + 1))
    return Arrangement(tuple(words), products)


def _products(
    layout: Geometry,
    outputs: int,
    words: Sequence[tuple[Tap | None, Tap | None]],
    halves: dict[Tap, tuple[int, str]],
) -> tuple[Multiplication, ...]:
    """Tap after tap along the slid direction."""
    made = []
    number = {word: index for index, word in enumerate(words)}
    for tap in range(layout.slid.taps):
        for product in layout.products(outputs):
            low, high = product.low, product.high
            if low is not None and high is not None:
                made.append(Multiplication(product.output, tap, product.row, "smlad", number[(low, tap), (high, tap)]))
                continue
            single = high if low is None else low
            assert single is not None
            word, half = halves[single, tap]
            mnemonic = f"smla{'t' if low is None else 'b'}{half}"
            made.append(Multiplication(product.output, tap, product.row, mnemonic, word))
    return tuple(made)
