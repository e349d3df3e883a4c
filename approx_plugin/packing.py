"""The verb packs: fetch what a project needs, say what it is, and hold a board of ours against its part's pack."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards
from approx_plugin.errors import Location
from approx_plugin.library.provider import resolve
from approx_plugin.packs.comparison import differences
from approx_plugin.packs.fetch import Wish, described, fetch
from approx_plugin.packs.library import LIBRARY, locked_library
from approx_plugin.packs.lookup import is_part
from approx_plugin.packs.store import Store
from approx_plugin.session import Session
from approx_plugin.spec.order import store_of


def packs(session: Session) -> None:
    """Fetch ARM::CMSIS-NN and the pack of the board's part; hold a board of ours against its part's pack."""
    spec, store = session.spec, store_of(session.spec)
    name = session.request.board or spec.board
    known = name.lower() in known_boards()
    part = session.board.mcu if known else name if is_part(name) and spec.pdsc is None else ""
    wishes = [Wish(*LIBRARY, version=spec.packs.cmsis_nn or "")]
    wishes += [Wish(part=part, optional=known)] if part else []
    locked = fetch(store, spec.packs.index, wishes, session.say)
    folder = locked_library(store)
    assert folder is not None
    library = resolve((), folder, Location(str(store.lock)))
    lines = [f"CMSIS-NN {library.version}: {folder}", *_on_board(session.board, store, known)]
    session.show(
        "\n".join(lines),
        {
            "lock": str(store.lock),
            "cmsis_nn": str(folder),
            "packs": [
                {
                    "vendor": one.reference.vendor,
                    "name": one.reference.name,
                    "version": one.reference.version,
                    "sha256": one.sha256,
                    "devices": list(one.devices),
                }
                for one in locked
            ],
            "notes": lines[1:],
        },
    )


def _on_board(board: Board, store: Store, known: bool) -> Iterator[str]:
    """What packs say about the board. known: it is one of ours."""
    if not known:
        sizes = ", ".join(f"{memory.name} {memory.length >> 10} KiB" for memory in board.memories)
        yield f"{board.name}: {board.core}, {board.fpu or 'no FPU'}, {board.clock_hz / 1e6:g} MHz; {sizes}"
        return
    description = described(store, board.mcu)
    if description is None:
        yield f"note: no pack at hand has {board.mcu}: {board.name} is not held against one"
        return
    found = list(differences(board, description.device(board.mcu)))
    for difference in found:
        yield f"note: {board.name} and {description.title} differ in {difference}"
    if not found:
        yield f"{board.name} agrees with {description.title}"
