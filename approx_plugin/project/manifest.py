"""The list of what was generated: path and sha256 of every file. It tells the tool's files from the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from approx_plugin.errors import ProjectError
from approx_plugin.hashes import sha256

FILE_NAME = "approx_manifest.json"
FORMAT = 1
_GENERATOR = "approx-plugin"


def is_safe_path(path: str) -> bool:
    """Whether `path` is a relative POSIX path that stays below the root, in its shortest spelling."""
    pure = PurePosixPath(path)
    return (
        bool(path)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and "\\" not in path
        and ":" not in path
        and str(pure) == path
        and path != "."
    )


def manifest_text(files: Mapping[str, bytes]) -> bytes:
    """The manifest of `files` (path below the root -> content), sorted, the manifest itself not in it."""
    return listing({path: sha256(content) for path, content in files.items()})


def listing(digests: Mapping[str, str]) -> bytes:
    """The manifest of files by their sha256."""
    listed = dict(sorted(digests.items()))
    return (json.dumps({"format": FORMAT, "generator": _GENERATOR, "files": listed}, indent=2) + "\n").encode()


def read_manifest(path: Path) -> dict[str, str] | None:
    """Path -> sha256 of the manifest file at `path`; None where there is none.

    Raises ProjectError for a manifest that is not in the form that `manifest_text` writes: acting on a damaged one
    could delete or overwrite files of the user.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProjectError("cannot read the manifest", where=path, why=str(error.strerror)) from error
    try:
        record: Any = json.loads(content)
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    files = record.get("files") if isinstance(record, dict) else None
    if not isinstance(record, dict) or record.get("generator") != _GENERATOR or not isinstance(files, dict):
        raise _damaged(path, "it does not have the fields of a manifest")
    if record.get("format") != FORMAT:
        raise ProjectError(
            f"the manifest has format {record.get('format')!r}, this version writes format {FORMAT}",
            where=path,
            hint="generate into another directory, or use the version that made the project",
        )
    for name, digest in files.items():
        if not isinstance(digest, str) or len(digest) != 64 or not is_safe_path(name) or name == FILE_NAME:
            raise _damaged(path, f"its entry {name!r} is not a path below the project with a sha256")
    return dict(files)


def _damaged(path: Path, why: str) -> ProjectError:
    return ProjectError(
        "the manifest is damaged",
        where=path,
        why=why,
        hint="restore it (version control, backup), or generate into an empty directory",
    )
