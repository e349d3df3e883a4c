"""Changes several files of a project as one: all of them, or none, whatever happens on the way.

Every new file is written to `.approx_staging/new` inside the project first: the same file system, so that a rename is
atomic and a full disk is noticed before anything changes. Then a journal says what is about to be done. What has to go
moves to `.approx_staging/old`, the new files move into place, and the journal is deleted: that is the moment from which
the change holds. If anything fails before, all is moved back. A run that was killed leaves its journal, by which the
next one moves back what it finds. A file that somebody has put into a place that was empty then is not ours: it stays,
and the manifest does not list it any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from approx_plugin.errors import ProjectError
from approx_plugin.files import is_real_folder
from approx_plugin.hashes import sha256
from approx_plugin.project.files import is_unedited, leaves
from approx_plugin.project.manifest import FILE_NAME, is_safe_path, listing, read_manifest

STAGING = ".approx_staging"
"""Folder inside the project; nothing of the user's ever lies in it."""

_JOURNAL = "journal.json"
_HERE = "."


@dataclass(frozen=True)
class _Journal:
    """new: path -> sha256 of what comes there; removed: paths; folders: that the change makes, "." for the project's.

    All paths are below the project's folder.
    """

    new: Mapping[str, str]
    removed: Sequence[str]
    folders: Sequence[str]


def change(directory: Path, new: Mapping[str, bytes], removed: Sequence[str], present: Mapping[str, str]) -> None:
    """Put the files `new` (path -> content) into `directory` and take `removed` out of it, with folders left empty.

    present: path -> sha256 of the file that is expected at a path of either. Nothing is expected at the others.
    Raises ProjectError if anything else lies there, OSError where the file system fails; nothing has changed then.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _stage(directory, new, removed, is_new=directory in made)
        _move(directory, new, removed, present)
        (directory / STAGING / _JOURNAL).unlink()
        shutil.rmtree(directory / STAGING, ignore_errors=True)
    except BaseException:
        recover(directory)
        for folder in made:
            _remove_folder(folder)
        raise


def recover(directory: Path) -> None:
    """Undo what a change that did not come to its end has left in `directory`. Raises OSError, ProjectError."""
    staging = directory / STAGING
    if not is_real_folder(staging):
        return
    journal = _read(staging / _JOURNAL)
    if journal is not None:
        for path, digest in journal.new.items():
            staged = staging / "new" / path
            if not os.path.lexists(staged) and is_unedited(directory, path, digest):
                staged.parent.mkdir(parents=True, exist_ok=True)
                (directory / path).replace(staged)
        _disown(directory, [path for path in (*journal.new, *journal.removed) if not _restore(directory, path)])
        for folder in sorted(journal.folders, key=len, reverse=True):
            _remove_folder(directory / folder)
        (staging / _JOURNAL).unlink()
    shutil.rmtree(staging)
    if journal is not None and _HERE in journal.folders:
        _remove_folder(directory)


def _stage(directory: Path, new: Mapping[str, bytes], removed: Sequence[str], *, is_new: bool) -> None:
    """Write everything that is new, then the journal."""
    staging = directory / STAGING
    for path, content in new.items():
        staged = staging / "new" / path
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(content)
        with contextlib.suppress(OSError):  # there is none yet, or the file system keeps no modes
            shutil.copymode(directory / path, staged)
    folders = {str(parent) for path in new for parent in Path(path).parents if not (directory / parent).exists()}
    journal = _Journal(
        {path: sha256(content) for path, content in new.items()},
        tuple(removed),
        (*sorted(folders), *([_HERE] if is_new else [])),
    )
    staging.mkdir(exist_ok=True)
    draft = staging / f"{_JOURNAL}.new"
    draft.write_text(json.dumps(asdict(journal)), encoding="utf-8")
    draft.replace(staging / _JOURNAL)


def _move(directory: Path, new: Mapping[str, bytes], removed: Sequence[str], present: Mapping[str, str]) -> None:
    for path in removed:
        _set_aside(directory, path, present)
        _remove_empty(directory, (directory / path).parent)
    for path in new:
        place = directory / path
        if path in present:
            _set_aside(directory, path, present)
        if os.path.lexists(place) or leaves(directory, path):
            raise _was_changed(directory, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        (directory / STAGING / "new" / path).replace(place)


def _set_aside(directory: Path, path: str, present: Mapping[str, str]) -> None:
    """Move a file into the staging folder, and make sure that it is the one that was expected."""
    old = directory / STAGING / "old" / path
    old.parent.mkdir(parents=True, exist_ok=True)
    if not is_unedited(directory, path, present[path]):
        raise _was_changed(directory, path)
    (directory / path).replace(old)
    if not is_unedited(old.parent, old.name, present[path]):
        raise _was_changed(directory, path)


def _was_changed(directory: Path, path: str) -> ProjectError:
    return ProjectError(
        f"{path} was changed while the project was being written; nothing was changed otherwise",
        where=directory,
        hint="run again",
    )


def _restore(directory: Path, path: str) -> bool:
    """Move a file back that was set aside. False: it was, and something else has come to its place."""
    old, place = directory / STAGING / "old" / path, directory / path
    if not os.path.lexists(old):
        return True
    if os.path.lexists(place) or leaves(directory, path):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    old.replace(place)
    return True


def _disown(directory: Path, paths: Sequence[str]) -> None:
    """Take `paths` out of the manifest, which has been restored: what lies there now is somebody else's."""
    known = read_manifest(directory / FILE_NAME) if paths else None
    if known:
        draft = directory / STAGING / f"{FILE_NAME}.new"
        draft.write_bytes(listing({path: digest for path, digest in known.items() if path not in paths}))
        draft.replace(directory / FILE_NAME)


def _read(journal: Path) -> _Journal | None:
    """A journal; None where there is none, and for what no run has written."""
    try:
        found = _Journal(**json.loads(journal.read_text(encoding="utf-8")))
        paths = [*found.new, *found.removed, *(folder for folder in found.folders if folder != _HERE)]
        return found if all(map(is_safe_path, paths)) else None
    except (OSError, ValueError, TypeError):
        return None


def _remove_folder(folder: Path) -> None:
    """Remove a folder if it is empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _remove_empty(directory: Path, folder: Path) -> None:
    """Remove `folder` and what is above it, up to `directory` exclusively, as far as they are empty."""
    while folder != directory:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
