"""Which generated files are as they were written, and can be taken back. The user's own are never among them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from approx_plugin.errors import ApproxError
from approx_plugin.files import is_real_folder
from approx_plugin.hashes import sha256
from approx_plugin.project.files import is_unedited
from approx_plugin.project.manifest import FILE_NAME, read_manifest
from approx_plugin.project.transaction import STAGING, recover
from approx_plugin.project.writer import is_shared


def is_intact(directory: Path, strict: bool = False) -> bool:
    """Whether every generated file of the project in `directory` is there, as it was written by a run that has ended.

    The IDE edits its own files on the user's behalf. That is no damage, unless `strict`.
    """
    return not (directory / STAGING).exists() and all(
        (directory / path).is_file() if is_shared(path) and not strict else _has(directory / path, expected)
        for path, expected in _listed(directory).items()
    )


def removable(directory: Path) -> list[Path]:
    """The generated files that nobody edited, then the folders that become empty without them, inner ones first.

    Links, and what lies behind them, are the user's: so is all of a `directory` that is itself one. While anything else
    remains, the manifest stays too: it says that the directory may be generated into again, and tells edited files from
    the user's own.
    """
    files = {} if directory.is_symlink() else _listed(directory)
    if not files:
        return []
    clean = {directory / path for path, expected in files.items() if is_unedited(directory, path, expected)}
    manifest = directory / FILE_NAME
    others = [p for p in directory.rglob("*") if p not in clean and p != manifest and not is_real_folder(p)]
    if not others and not manifest.is_symlink():
        clean.add(manifest)
    folders = {parent for path in clean for parent in path.parents if directory in (parent, *parent.parents)}
    empty: list[Path] = []
    for folder in sorted(folders, key=lambda f: (-len(f.parts), f)):
        if all(entry in clean or entry in empty for entry in folder.iterdir()):
            empty.append(folder)
    return [*sorted(clean), *empty]


def remove_generated(directory: Path) -> int:
    """Undo what a killed run has left, then remove what `removable` lists; returns how many files that were."""
    was_killed = is_real_folder(directory / STAGING) and not directory.is_symlink()
    if was_killed:
        recover(directory)
    paths = removable(directory)
    folders = [path for path in paths if is_real_folder(path)]
    files = paths[: len(paths) - len(folders)]
    for path in files:
        path.unlink()
    for folder in folders:
        with contextlib.suppress(OSError):  # somebody has put a file there
            folder.rmdir()
    if was_killed:
        with contextlib.suppress(OSError):  # the project may have been all that it held
            directory.rmdir()
    return len(files)


def _listed(directory: Path) -> dict[str, str]:
    """The manifest's entries; none where there is no readable manifest."""
    try:
        return read_manifest(directory / FILE_NAME) or {}
    except ApproxError:
        return {}


def _has(file: Path, expected: str) -> bool:
    try:
        return sha256(file.read_bytes()) == expected
    except OSError:
        return False
