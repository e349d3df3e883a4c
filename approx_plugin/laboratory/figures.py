"""What a call costs. All cycles are simulated; nothing in here was measured on hardware."""

from __future__ import annotations

from dataclasses import dataclass, fields

from approx_plugin.virtual_board.results import FunctionCost, Stalls

NO_STALLS = Stalls(**{field.name: 0 for field in fields(Stalls)})


@dataclass(frozen=True)
class Figures:
    """Of one call.

    cycles:       with the board's memories.
    ideal_cycles: the same core with memories that never let it wait.
    instructions: executed ones.
    stalls:       cycles among `cycles` in which nothing issued, by cause.
    """

    cycles: int
    ideal_cycles: int
    instructions: int
    stalls: Stalls

    def __add__(self, other: Figures) -> Figures:
        """Both, one after the other."""
        stalls = {f.name: getattr(self.stalls, f.name) + getattr(other.stalls, f.name) for f in fields(Stalls)}
        return Figures(
            self.cycles + other.cycles,
            self.ideal_cycles + other.ideal_cycles,
            self.instructions + other.instructions,
            Stalls(**stalls),
        )


NOTHING = Figures(0, 0, 0, NO_STALLS)


def per_call(function: FunctionCost) -> Figures:
    """The average over the calls of a watched function, rounded. ValueError for a function that was never called."""
    calls = function.calls
    if not calls:
        raise ValueError(f"{function.name} was never called")

    def average(total: int) -> int:
        return (2 * total + calls) // (2 * calls)

    board = function.cost.board
    return Figures(
        average(board.cycles),
        average(function.cost.ideal.cycles),
        average(function.cost.instructions),
        Stalls(**{f.name: average(getattr(board.stalls, f.name)) for f in fields(Stalls)}),
    )
