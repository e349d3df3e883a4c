"""Which paths cannot be worked with: those that a compiler's list of files, a report or a message cannot hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from approx_plugin.errors import ProjectError, raise_all
from approx_plugin.request import Request
from approx_plugin.spec.spec import Spec

CATEGORIES = {"Cc": "a control character", "Cs": "a byte that is not UTF-8", "Zl": "a line break", "Zp": "a line break"}
"""By Unicode's general category. An undecodable byte of a name is a lone surrogate in Python (PEP 383)."""


def check_paths(request: Request, spec: Spec | None = None) -> None:
    """Raise ProjectError for paths with a line break, a control character or a byte that is not UTF-8.

    spec: with the paths that approx.yaml names, once it has been read.
    """
    raise_all(
        ProjectError(
            f"the path of {thing} holds {fault}",
            where=_shown(path),
            why="compilers, build files and reports cannot name it",
            hint="rename the file or folder",
        )
        for thing, path in _paths(request, spec)
        for fault in [_fault(str(path))]
        if fault
    )


def _paths(request: Request, spec: Spec | None) -> Iterator[tuple[str, Path]]:
    """What is named and where it lies, absolute, each place once."""
    named: list[tuple[str, Path | None]] = [
        ("the spec", spec.file if spec else request.spec),
        ("the output", request.out or (spec.project.directory if spec else None)),
        ("your project", request.into or (spec.project.into if spec else None)),
        ("the console", request.console),
        ("the CMSIS-NN", request.cmsis_nn or (spec.cmsis_nn if spec else None)),
    ]
    if spec:
        named.append(("the model", spec.model))
        named += [(f"data.{name}", source.file) for name, source in (spec.data.sources if spec.data else {}).items()]
    told = set[Path]()
    for thing, path in named:
        if path is not None and path not in told:
            told.add(path)
            yield thing, path.absolute()


def _fault(text: str) -> str:
    if "\n" in text or "\r" in text:
        return "a line break"
    faults = [CATEGORIES.get(unicodedata.category(character), "") for character in text if character != "\t"]
    return next(filter(None, faults), "")


def _shown(path: Path) -> str:
    """The path with escapes in the place of what cannot be shown."""
    return "".join(_escaped(character) if _fault(character) else character for character in str(path))


def _escaped(character: str) -> str:
    undecodable = unicodedata.category(character) == "Cs"
    return f"\\x{ord(character) & 0xFF:02x}" if undecodable else character.encode("unicode_escape").decode()
