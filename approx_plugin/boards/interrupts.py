"""Tables of interrupts: board/common/interrupts/<device>.yaml."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.documents.checked import load
from approx_plugin.documents.schema import load_schema
from approx_plugin.errors import BoardError
from approx_plugin.resources import resource_root


def tables(root: Path | None = None) -> tuple[str, ...]:
    """The names of all tables below `root`, sorted. root: `resource_root()` where it is not given."""
    return tuple(sorted(path.stem for path in folder(root).glob("*.yaml")))


def folder(root: Path | None = None) -> Path:
    """Where the tables lie."""
    return (root or resource_root()) / "board" / "common" / "interrupts"


def load_interrupts(name: str, root: Path | None = None) -> tuple[str | None, ...]:
    """The names of interrupts by position, None in the gaps.

    Raises BoardError, or several, for a table with mistakes.
    """
    table = load(folder(root) / f"{name}.yaml", load_schema("interrupts"), BoardError)
    table.raise_mistakes()
    names = {int(position): handler for position, handler in table.values.items()}
    return tuple(names.get(position) for position in range(max(names) + 1))
