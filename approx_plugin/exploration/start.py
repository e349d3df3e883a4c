"""Where a search begins whose exact network does not fit the board: designs that just do.

What a layer's levels cost in accuracy is not known yet, because single layers cannot be measured with everything else
exact. So two guesses compete: the same level for all layers, and the levels that get the bytes for the least sum of
squares (losses grow faster than what is left out, about with its square).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from approx_plugin.exploration.design import Candidates
from approx_plugin.exploration.pricing import Pricing


def starts(ladders: Sequence[Candidates], prices: Pricing) -> tuple[tuple[int, ...], ...]:
    """Levels of all layers (0: exact) of designs that fit; none if even the highest levels do not.

    ladders: of each layer, what drops more and more.
    """
    tops = tuple(len(ladder) for ladder in ladders)

    def fits(levels: Sequence[int]) -> bool:
        return prices.total(tuple(ladder[k - 1] for ladder, k in zip(ladders, levels) if k)).fits

    if not fits(tops):
        return ()
    even = [tuple(min(level, top) for top in tops) for level in range(max(tops, default=0) + 1)]
    found = [even[_first(lambda at: fits(even[at]), len(even))]]
    path = _thrifty(ladders, prices)
    found.append(path[_first(lambda at: fits(path[at]), len(path))])
    return tuple(dict.fromkeys(found))


def _first(holds: Callable[[int], bool], count: int) -> int:
    """The first of `count` places at which something holds that holds from there on; it does at the last one."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


def _thrifty(ladders: Sequence[Candidates], prices: Pricing) -> list[tuple[int, ...]]:
    """Designs of falling size, from all exact to all at their highest level: most flash for the least squares first."""
    exact = prices.total(()).flash_bytes
    sizes = [[exact, *(prices.total((step,)).flash_bytes for step in ladder)] for ladder in ladders]
    levels = [0] * len(ladders)
    path = [tuple(levels)]
    while any(level < len(ladder) for level, ladder in zip(levels, ladders)):
        rated = [
            ((size[level] - size[higher]) / (higher**2 - level**2), -place, higher)
            for place, (size, level) in enumerate(zip(sizes, levels))
            for higher in range(level + 1, len(size))
        ]
        _, place, higher = max(rated)
        levels[-place] = higher
        path.append(tuple(levels))
    return path
