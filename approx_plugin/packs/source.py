"""Where a pack's description comes from: a .pdsc, a .pack (a zip archive with one in it), or a pack's folder."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from approx_plugin.errors import BoardError, Location
from approx_plugin.files import opened, read_bytes
from approx_plugin.packs.pdsc import Description, parse

LARGEST = 64 << 20
"""Bytes of a description, or of a description of registers: the largest real ones have 4 MB."""


def describe(path: Path, where: Location | None = None) -> Description:
    """The description at `path`. where: the place that names it, for messages.

    Raises BoardError for a path that holds none, and for one that cannot be read.
    """
    text, name = _description(path, where)
    return parse(text, name)


def companion(path: Path, name: str) -> bytes:
    """A file of the pack, by its path within it; empty where the pack's files are not at hand."""
    if not name or ".." in Path(name).parts or Path(name).is_absolute():
        return b""
    try:
        if zipfile.is_zipfile(path):
            with ZipFile(path) as archive:
                return _member(archive, name)
        return read_bytes((path if path.is_dir() else path.parent) / name, LARGEST)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return b""


def header(path: Path, name: str) -> bytes:
    """A device header of the pack, by its name alone; empty where the pack has none, or its files are not at hand."""
    try:
        if zipfile.is_zipfile(path):
            with ZipFile(path) as archive:
                found = [one for one in archive.namelist() if one.lower().endswith(f"/{name}")]
                return _member(archive, min(found)) if found else b""
        folder = path if path.is_dir() else path.parent
        files = sorted(folder.glob(f"Drivers/CMSIS/Device/ST/*/Include/{name}"))
        return read_bytes(files[0], LARGEST) if files else b""
    except (OSError, ValueError, zipfile.BadZipFile):
        return b""


def _description(path: Path, where: Location | None) -> tuple[bytes, str]:
    """The text of the description, and what it is called in messages."""
    if path.is_dir():
        found = sorted(path.glob("*.pdsc"))
        if len(found) != 1:
            raise BoardError(
                f"{path} holds {'no .pdsc' if not found else f'{len(found)} .pdsc files'}",
                where=where,
                hint="name the .pdsc or the .pack itself",
            )
        path = found[0]
    try:
        if path.suffix.lower() != ".pdsc":
            with opened_archive(path, where) as archive:
                name = description_name(archive, path, where)
                return _member(archive, name), f"{path}/{name}"
        return read_bytes(path, LARGEST), str(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BoardError(f"{path} cannot be read: {why}", where=where, hint="name an existing .pdsc or .pack") from None


@contextmanager
def opened_archive(path: Path, where: Location | None = None) -> Iterator[ZipFile]:
    """A .pack. Raises BoardError for what is none, OSError for what cannot be read."""
    try:
        with opened(path) as stream, ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise BoardError(
            f"{path} is no pack",
            where=where,
            why=f"it is no whole zip archive: {error}",
            hint="fetch it again: a download may have been cut off, or a page of a proxy may have taken its place",
        ) from None


def description_name(archive: ZipFile, path: Path, where: Location | None = None) -> str:
    """The name of the one .pdsc at the root of a pack. Raises BoardError where there is none."""
    found = [name for name in archive.namelist() if name.lower().endswith(".pdsc") and "/" not in name]
    if len(found) != 1:
        raise BoardError(
            f"{path} is no pack",
            where=where,
            why=f"{'no' if not found else 'more than one'} .pdsc lies at its root",
            hint="name a .pack as its vendor publishes it",
        )
    return found[0]


def _member(archive: ZipFile, name: str) -> bytes:
    """A file of an archive. Raises ValueError for one that is too large, KeyError for one that is not there."""
    if archive.getinfo(name).file_size > LARGEST:
        raise ValueError(f"{name} is larger than {LARGEST >> 20} MiB")
    return archive.read(name)
