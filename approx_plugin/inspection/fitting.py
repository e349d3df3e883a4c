"""Which boards hold a network: with the library and the runtime, the kernels that take least memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.exploration.choice import choose
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.kernels.borders import state_bytes
from approx_plugin.kernels.capacity import flash_budget, ram_budget
from approx_plugin.kernels.needs import DTCM, FLASH, RAM
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.model.graph import Graph

IDEAL = "ideal-"
"""Boards of that name exist for measuring cores: nobody can buy them."""

_SMALL = (BASELINE, "runtime")
"""Kernels that loop over constants, whose code is shared by all layers."""

_UNLIMITED = {FLASH: 1 << 40, RAM: 1 << 40, DTCM: 0}


@dataclass(frozen=True)
class Fit:
    """What the network takes of a board's flash and RAM, and what there is beside all that is not the network.

    flash, ram: bytes of constants and arena (with scratch). flash_room, ram_room: bytes that they may be.
    """

    board: Board
    flash: int
    ram: int
    flash_room: int
    ram_room: int

    @property
    def holds(self) -> bool:
        """Whether it fits."""
        return self.flash <= self.flash_room and self.ram <= self.ram_room

    @property
    def verdict(self) -> str:
        """In words: "holds it", or by how many bytes what is short."""
        short = [
            f"{what} short by {need - room:,} bytes"
            for what, need, room in (("flash", self.flash, self.flash_room), ("RAM", self.ram, self.ram_room))
            if need > room
        ]
        return ", ".join(short) or "holds it"


def fits(graph: Graph) -> tuple[Fit, ...]:
    """One for each board that the tool knows, by name. Raises LookupError for a network that no kernel computes."""
    needs: dict[tuple[object, ...], tuple[int, int]] = {}
    found = []
    for name in known_boards():
        if name.startswith(IDEAL):
            continue
        board = load_board(name)
        key = (board.core, board.dsp, board.float_abi)
        if key not in needs:
            needs[key] = _least(graph, Platform.of(board, "assembly"))
        flash, arena = needs[key]
        borders = graph.input_bytes + graph.output_bytes + state_bytes(graph)
        found.append(Fit(board, flash, arena, flash_budget(board, 0, len(graph.operators)), ram_budget(board, borders)))
    return tuple(found)


def smallest(found: Sequence[Fit]) -> Fit | None:
    """Of those that hold the network the one with least RAM and flash; None if there is none."""
    able = [fit for fit in found if fit.holds]
    return min(able, key=lambda fit: (fit.ram_room, fit.flash_room, fit.board.id), default=None)


def _least(graph: Graph, platform: Platform) -> tuple[int, int]:
    """Bytes of flash and RAM."""
    kernels = tuple(KERNELS[name] for name in _SMALL)
    offers = Market(platform, estimated(platform), None, kernels).offers(graph)
    choice = choose(graph, offers.offers, _UNLIMITED)
    if choice is None:
        raise LookupError("no kernel computes it")
    return choice.flash_bytes, choice.memory.size


def runs_on(graph: Graph, platform: Platform) -> tuple[tuple[str, ...], ...]:
    """For every operator the kernels that can compute it alone; none for a view."""
    return tuple(
        ()
        if operator.is_alias
        else tuple(
            name
            for name, kernel in KERNELS.items()
            if kernel.suits((operator,)) and kernel.refusal((operator,), platform) is None
        )
        for operator in graph.operators
    )
