"""The verb packs: what is fetched, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards
from approx_plugin.errors import Location
from approx_plugin.library.provider import resolve
from approx_plugin.packs.comparison import differences
from approx_plugin.packs.fetch import Wish, described, fetch
from approx_plugin.packs.library import LIBRARY, locked_library
from approx_plugin.packs.lookup import is_part
from approx_plugin.request import Request
from approx_plugin.spec.order import store_of
from approx_plugin.spec.spec import Spec


def fetch_packs(request: Request, spec: Spec, board: Callable[[], Board], say: Callable[[str], None]) -> None:
    """Fetch ARM::CMSIS-NN and the pack of the board's part; hold a board of ours against its part's pack.

    board: the board of the spec, asked for once its pack is there.
    """
    store = store_of(spec)
    name = request.board or spec.board
    known = name.lower() in known_boards()
    part = board().mcu if known else name if is_part(name) and spec.pdsc is None else ""
    wishes = [Wish(*LIBRARY, version=spec.packs.cmsis_nn or "")]
    wishes += [Wish(part=part, optional=known)] if part else []
    locked = fetch(store, spec.packs.index, wishes, say)
    library = locked_library(store)
    assert library is not None and locked
    found = resolve((), library, Location(str(store.lock)))
    say(f"CMSIS-NN {found.version}: {library}")
    description = described(store, part) if known else None
    if description is not None:
        found_differences = list(differences(board(), description.device(part)))
        for difference in found_differences:
            say(f"note: {board().name} and {description.title} differ in {difference}")
        if not found_differences:
            say(f"{board().name} agrees with {description.title}")
    elif known:
        say(f"note: no pack at hand has {part}: {board().name} is not held against one")
    elif not known:
        made = board()
        sizes = ", ".join(f"{memory.name} {memory.length >> 10} KiB" for memory in made.memories)
        say(f"{made.name}: {made.core}, {made.fpu or 'no FPU'}, {made.clock_hz / 1e6:g} MHz; {sizes}")
