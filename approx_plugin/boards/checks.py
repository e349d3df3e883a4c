"""What the schema of board.yaml cannot say: names, regions that overlap, bits outside of a mask."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.boards.memory import beyond_addresses, size_of
from approx_plugin.boards.timing import timing_mistakes
from approx_plugin.documents.checked import Checked
from approx_plugin.documents.document import Keys
from approx_plugin.errors import ApproxError


def board_mistakes(checked: Checked, board_id: str) -> Iterator[ApproxError]:
    """Every mistake that the checks below find. board_id: the name of the board's folder."""
    yield from _name(checked, board_id)
    yield from _memories(checked)
    yield from _flags(checked)
    yield from timing_mistakes(checked)


def _name(checked: Checked, board_id: str) -> Iterator[ApproxError]:
    name = checked.get("name")
    if name is not None and name.lower() != board_id:
        what = f"the board's folder is '{board_id}', but its name is '{name}'"
        yield checked.error(("name",), what, hint=f"call the folder '{name.lower()}'")


def _memories(checked: Checked) -> Iterator[ApproxError]:
    memories = checked.get("memories") or ()
    for kind in ("flash", "ram"):
        if memories and all(memory["kind"] != kind for memory in memories):
            hint = "the first flash holds the program, the first ram data and stack: write both"
            yield checked.error(("memories",), f"there is no memory of kind {kind}", hint=hint)
    for index, memory in enumerate(memories):
        keys: Keys = ("memories", index)
        yield from _range(checked, keys)
        for other in memories[:index]:
            if memory["name"] == other["name"]:
                what = f"two memories are called '{memory['name']}'"
                yield checked.error((*keys, "name"), what, hint="give every memory a name of its own")
            end, other_end = (one["origin"] + size_of(one["length"]) for one in (memory, other))
            if memory["origin"] < other_end and other["origin"] < end:
                what = f"the memories '{other['name']}' and '{memory['name']}' overlap"
                yield checked.error((*keys, "origin"), what, hint="mend the origin or the length of one of them")
    for part in ("code", "data"):
        yield from _range(checked, ("emulator", part))


def _range(checked: Checked, keys: Keys) -> Iterator[ApproxError]:
    """A region of addresses that there are."""
    region = checked.get(*keys)
    if region and beyond_addresses(region["origin"], size_of(region["length"])):
        what = "the memory ends beyond the last address, 0xffffffff"
        yield checked.error((*keys, "length"), what, hint="write a smaller length")


def _flags(checked: Checked) -> Iterator[ApproxError]:
    for index, flag in enumerate(checked.get("ready_flags") or ()):
        if flag.get("value", 0) & ~flag["mask"]:
            what = f"the value {flag['value']:#x} has bits outside of the mask {flag['mask']:#x}"
            hint = "write only bits of the mask, or a larger mask"
            yield checked.error(("ready_flags", index, "value"), what, hint=hint)
