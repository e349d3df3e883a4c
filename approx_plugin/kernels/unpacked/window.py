"""Which operand words are in registers when: an optimal window over straight-line code.

The order of the uses is known, so Belady's rule is to be had: the word that is needed again last makes room (L. A.
Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5(2), 1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """One slot's turn.

    slot:  which.
    loads: (register, word) to load first; a word is named by its distance from the block's base, in elements.
    operands: the register of every pixel's word.
    """

    slot: int
    loads: tuple[tuple[int, int], ...]
    operands: tuple[int, ...]


def allocate(slots: Sequence[int], offsets: Sequence[int], pixels: Sequence[int], registers: int) -> list[Use]:
    """The loads and operand registers (0 .. registers-1) of `slots` in their order.

    offsets: of every slot number; pixels: of the block's pixels, at most `registers` of them.
    """
    words = [[offsets[slot] + pixel for pixel in pixels] for slot in slots]
    upcoming: dict[int, list[int]] = {}
    for turn in range(len(words) - 1, -1, -1):
        for word in words[turn]:
            upcoming.setdefault(word, []).append(turn)
    held: dict[int, int] = {}
    free = list(range(registers - 1, -1, -1))
    never = len(words)
    uses = []
    for turn, needed in enumerate(words):
        for word in needed:
            upcoming[word].pop()
        loads = []
        for word in needed:
            if word in held:
                continue
            if not free:
                victim = max(
                    (w for w in held if w not in needed),
                    key=lambda w: (upcoming[w][-1] if upcoming[w] else never, held[w]),
                )
                free.append(held.pop(victim))
            register = free.pop()
            held[word] = register
            loads.append((register, word))
        uses.append(Use(slots[turn], tuple(loads), tuple(held[word] for word in needed)))
    return uses


def count_loads(uses: Sequence[Use]) -> int:
    """Words loaded in all."""
    return sum(len(use.loads) for use in uses)
