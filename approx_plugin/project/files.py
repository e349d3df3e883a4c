"""What lies at a path of a project, seen without following links: what lies behind one is not part of the project."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.errors import ProjectError
from approx_plugin.hashes import sha256


def leaves(directory: Path, path: str) -> bool:
    """Whether a folder on the way from `directory` to `path` (POSIX, below it) is a symbolic link."""
    folder = directory
    for part in path.split("/")[:-1]:
        folder = folder / part
        if folder.is_symlink():
            return True
    return False


def content_at(directory: Path, path: str) -> bytes | None:
    """The bytes of the regular file at `path`; None where there is no such file, or only through a link.

    Raises ProjectError if it cannot be read.
    """
    file = directory / path
    if leaves(directory, path) or file.is_symlink() or not file.is_file():
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectError("cannot read a file of the project", where=file, why=str(error.strerror)) from error


def is_unedited(directory: Path, path: str, digest: str) -> bool:
    """Whether a regular file with this sha256 lies at `path`; one that cannot be read does not count."""
    try:
        found = content_at(directory, path)
    except ProjectError:
        return False
    return found is not None and sha256(found) == digest


def is_real_folder(path: Path) -> bool:
    """Whether `path` is a folder, and not by a link."""
    return path.is_dir() and not path.is_symlink()
