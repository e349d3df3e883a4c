"""What packs do not say, as data: board/families/*.yaml (memories, clocks) and board/cores.yaml (cores)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approx_plugin.boards.board import Emulator
from approx_plugin.boards.memory import Memory, size_of
from approx_plugin.boards.timing import SECTION, BoardTiming, build_timing, timing_mistakes, whole
from approx_plugin.documents.checked import Checked, load
from approx_plugin.documents.schema import Schema, load_schema
from approx_plugin.errors import BoardError
from approx_plugin.resources import resource_root


@dataclass(frozen=True)
class Family:
    """A file of board/families; its schema says what the fields mean. name: of the file, without .yaml."""

    name: str
    parts: tuple[str, ...]
    core: str
    clock_hz: int
    reset_hz: int
    costs: str
    interrupts: int
    ignored: tuple[str, ...]
    section: Mapping[str, Any]

    def timing(self, memories: tuple[Memory, ...]) -> BoardTiming:
        """How a part's memories answer. memories: of the part, FLASH and RAM among them."""
        return build_timing(self.section, memories)


@dataclass(frozen=True)
class Core:
    """An entry of board/cores.yaml; its schema says what the fields mean. fpus: gcc's -mfpu by "single", "double"."""

    cpu: str
    fpus: Mapping[str, str]
    dsp: bool
    interrupts: int
    costs: str
    emulator: Emulator


def family_of(part: str, root: Path | None = None) -> Family | None:
    """The family of a part by the longest start of its name; None for a part of none. root: `resource_root()`.

    Raises BoardError, or several, for files with mistakes.
    """
    fitting = [
        (len(start), family)
        for family in families(root or resource_root())
        for start in family.parts
        if part.upper().startswith(start)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


@functools.cache
def families(root: Path) -> tuple[Family, ...]:
    """All of them, by name. Raises as `family_of`."""
    return tuple(_family(file) for file in sorted((root / "board" / "families").glob("*.yaml")))


def _family(file: Path) -> Family:
    checked = load(file, _family_schema(), BoardError)
    checked.raise_mistakes(timing_mistakes(checked))
    values = checked.values
    return Family(
        name=file.stem,
        parts=tuple(values["parts"]),
        ignored=tuple(values["ignored"]),
        section=values[SECTION],
        **{key: values[key] for key in ("core", "clock_hz", "reset_hz", "costs", "interrupts")},
    )


def _family_schema() -> Schema:
    """The schema with the timing of a whole board.yaml in it: a schema refers to nothing outside of its file."""
    own, board = load_schema("family"), whole(load_schema("board"))
    timing = {**board["properties"][SECTION], "description": own["properties"][SECTION]["description"]}
    return {**own, "properties": {**own["properties"], SECTION: timing}, "definitions": board["definitions"]}


def cores(root: Path | None = None) -> Mapping[str, Core]:
    """The cores by the names that packs give them. Raises BoardError, or several, for a file with mistakes."""
    return _cores((root or resource_root()) / "board" / "cores.yaml")


@functools.cache
def _cores(file: Path) -> Mapping[str, Core]:
    checked: Checked = load(file, load_schema("cores"), BoardError)
    checked.raise_mistakes()
    return {name: _core(values) for name, values in checked.values.items()}


def _core(values: Mapping[str, Any]) -> Core:
    emulator = values["emulator"]

    def region(name: str, kind: str) -> Memory:
        part = emulator[kind]
        return Memory(name, "flash" if kind == "code" else "ram", part["origin"], size_of(part["length"]))

    return Core(
        cpu=values["cpu"],
        fpus={kind: values[kind] for kind in ("single", "double") if kind in values},
        dsp=values.get("dsp", False),
        interrupts=values["interrupts"],
        costs=values.get("costs", ""),
        emulator=Emulator(emulator["machine"], region("CODE", "code"), region("DATA", "data")),
    )
