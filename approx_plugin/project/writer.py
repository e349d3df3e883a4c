"""Puts a project's files on disk: all of them or none, and never over somebody else's.

Whose a file is, is decided by the manifest of the last run: a file whose bytes have the listed sha256 is the tool's and
may be replaced or removed; a listed file with other bytes was edited by the user; any other file is the user's.

A run stages every new file in `.approx_staging` inside the project (the same file system, so that a rename is atomic
and a full disk is noticed before anything changes), moves the old files there, renames the new ones into place, the
manifest last, and undoes all of it if any step fails. A staging folder that a killed run left behind holds the manifest
of what that run was about to write; the next run takes the files named there for the tool's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.errors import ApproxError, ProjectError, raise_all
from approx_plugin.hashes import sha256
from approx_plugin.project.files import content_at, leaves
from approx_plugin.project.manifest import FILE_NAME, is_safe_path, manifest_text, read_manifest

STAGING = ".approx_staging"

IDE_FILES = frozenset({".project", ".cproject", ".settings/org.eclipse.core.resources.prefs"})
"""Files that the IDE edits on the user's behalf. Their edits stay as long as the generated content stays the same."""


@dataclass(frozen=True)
class WriteResult:
    """What a run did. Paths below the project's root, sorted; the manifest is not counted.

    written:   files that are new or have new content.
    unchanged: files that had the right content; they were not touched.
    removed:   files of an earlier run that are not generated any more.
    kept:      files of an earlier run with the user's edits, left alone: those that are not generated any more, and
               the IDE's own files.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...] = ()


def write(files: Mapping[str, bytes], directory: Path, force: bool = False) -> WriteResult:
    """Make the generated part of `directory` equal to `files` (POSIX path below it -> content).

    force: replace generated files that the user edited. Files that the tool did not generate are never replaced.

    Raises ProjectError, with `directory` as it was before: it holds somebody else's files, a generated file was edited,
    the manifest is damaged, the disk is full, or permissions are missing.
    """
    bad = sorted(path for path in files if not is_safe_path(path) or path == FILE_NAME or path.split("/")[0] == STAGING)
    if bad:
        raise ValueError(f"not paths of a project: {bad}")
    if directory.exists() and not directory.is_dir():
        raise ProjectError("the output is a file, not a directory", where=directory, hint="choose another directory")
    known = _generated_before(directory)
    plan = _plan(files, directory, known, force)
    manifest = manifest_text(files)
    fresh_manifest = content_at(directory, FILE_NAME) != manifest
    if not (plan.written or plan.removed or fresh_manifest):
        _remove_staging(directory)
        return plan
    replacements = {path: files[path] for path in plan.written}
    try:
        _apply(directory, replacements, plan.removed, manifest if fresh_manifest else None)
    except OSError as error:
        raise ProjectError(
            "cannot write the project; nothing was changed",
            where=directory,
            why=error.strerror or str(error),
            hint="free disk space, or make the directory writable, and run again",
        ) from error
    return plan


def check(directory: Path, force: bool = False) -> None:
    """Raise the ProjectError that `write` would raise for what is in `directory` already, before there are any files.

    Nobody should wait for a search to learn that its result has no place to go to.
    """
    known = _generated_before(directory)
    if known is None:
        _refuse_foreign(directory)
    elif not force:
        present = {path: content_at(directory, path) for path in known if path not in IDE_FILES}
        edited = [p for p, content in present.items() if content is not None and sha256(content) not in known[p]]
        raise_all(_refusals(directory, edited, [], []))


def _generated_before(directory: Path) -> dict[str, frozenset[str]] | None:
    """Path -> digests that the tool wrote there; None where no run has written into `directory` yet."""
    manifests = [read_manifest(directory / FILE_NAME)]
    # A killed run that had not finished this file had not begun to rename either.
    with contextlib.suppress(ProjectError):
        manifests.append(read_manifest(directory / STAGING / FILE_NAME))
    found = [manifest for manifest in manifests if manifest is not None]
    if not found:
        return None
    paths = sorted({path for manifest in found for path in manifest})
    return {path: frozenset(manifest[path] for manifest in found if path in manifest) for path in paths}


def _plan(
    files: Mapping[str, bytes], directory: Path, known: dict[str, frozenset[str]] | None, force: bool
) -> WriteResult:
    """Sort the paths by what has to be done. Raises ProjectError where the user's files are in the way."""
    if known is None:
        _refuse_foreign(directory)
        known = {}
    written, unchanged, kept = list[str](), list[str](), list[str]()
    edited, foreign, linked = list[str](), list[str](), list[str]()
    for path, content in sorted(files.items()):
        if leaves(directory, path):
            linked.append(path)
            continue
        present = content_at(directory, path)
        if present is None and _is_blocked(directory, path):
            foreign.append(path)
        elif present is None:
            written.append(path)
        elif present == content:
            unchanged.append(path)
        elif sha256(present) in known.get(path, ()) or (force and path in known):
            written.append(path)
        elif path in IDE_FILES and sha256(content) in known.get(path, ()):
            kept.append(path)
        else:
            (edited if path in known else foreign).append(path)
    raise_all(_refusals(directory, edited, foreign, linked))
    removed: list[str] = []
    for path in sorted(set(known) - set(files)):
        present = content_at(directory, path)
        if present is not None:
            (removed if sha256(present) in known[path] else kept).append(path)
    return WriteResult(tuple(written), tuple(unchanged), tuple(removed), tuple(sorted(kept)))


def _refuse_foreign(directory: Path) -> None:
    """Raise ProjectError if a directory without a manifest holds any file."""
    if not directory.exists():
        return
    present = sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*") if not p.is_dir())
    present = [path for path in present if path.split("/")[0] != STAGING]
    if present:
        raise ProjectError(
            f"the output directory holds {len(present)} file(s) that were not generated ({_some(present)})",
            where=directory,
            why=f"there is no {FILE_NAME} in it, so none of its files are known to be safe to replace",
            hint="choose an empty or new directory; your own files may be added to it once it has been generated",
        )


def _refusals(directory: Path, edited: list[str], foreign: list[str], linked: list[str]) -> list[ApproxError]:
    errors: list[ApproxError] = []
    if edited:
        errors.append(
            ProjectError(
                f"{len(edited)} generated file(s) were edited since: {', '.join(edited)}",
                where=directory,
                why="generating again would lose the edits",
                hint="move the edits into files of your own, then delete the edited files to get them generated again; "
                "or overwrite them with force",
            )
        )
    if foreign:
        errors.append(
            ProjectError(
                f"{len(foreign)} file(s) that were not generated are in the way: {', '.join(foreign)}",
                where=directory,
                why="files that the tool did not generate are never replaced",
                hint="rename or move them",
            )
        )
    if linked:
        errors.append(
            ProjectError(
                f"{len(linked)} file(s) would be written through a symbolic link: {', '.join(linked)}",
                where=directory,
                why="what lies behind a link is not part of the project",
                hint="replace the linked folder by a real one",
            )
        )
    return errors


def _some(paths: list[str], limit: int = 5) -> str:
    return ", ".join(paths[:limit]) + (", ..." if len(paths) > limit else "")


def _is_blocked(directory: Path, path: str) -> bool:
    """Whether something that is no regular file lies at `path`, or a file where one of its folders should be."""
    folder = directory
    for part in path.split("/")[:-1]:
        folder = folder / part
        if folder.exists() and not folder.is_dir():
            return True
    return os.path.lexists(directory / path)


def _apply(directory: Path, new: Mapping[str, bytes], removed: tuple[str, ...], manifest: bytes | None) -> None:
    """Stage, then rename. On any exception the directory is put back as it was."""
    undo = contextlib.ExitStack()
    with undo:
        _make_folders(directory, undo)
        _remove_staging(directory)
        staging = directory / STAGING
        staging.mkdir()
        undo.callback(shutil.rmtree, staging, ignore_errors=True)
        staged = dict(new)
        if manifest is not None:
            staged[FILE_NAME] = manifest
        for path, content in staged.items():
            # The manifest's copy for recovery lies at the staging folder's top, the files below `new`.
            target = staging / "new" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if manifest is not None:
            (staging / FILE_NAME).write_bytes(manifest)
        for path in removed:
            _set_aside(directory, path, undo)
        for path in staged:
            _make_folders((directory / path).parent, undo)
            if os.path.lexists(directory / path):
                _set_aside(directory, path, undo)
            (staging / "new" / path).replace(directory / path)
            undo.callback(_unlink, directory / path)
        undo.pop_all()
    shutil.rmtree(directory / STAGING, ignore_errors=True)
    for path in removed:
        _remove_empty(directory, (directory / path).parent)


def _make_folders(folder: Path, undo: contextlib.ExitStack) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for part in reversed(missing):
        part.mkdir()
        undo.callback(_remove_folder, part)


def _set_aside(directory: Path, path: str, undo: contextlib.ExitStack) -> None:
    """Move a file into the staging folder; its place is restored on failure."""
    old = directory / STAGING / "old" / path
    old.parent.mkdir(parents=True, exist_ok=True)
    (directory / path).replace(old)
    undo.callback(old.replace, directory / path)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _remove_folder(folder: Path) -> None:
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


def _remove_staging(directory: Path) -> None:
    """Remove what a killed run left behind. Its set-aside files were generated ones: they are written anew."""
    shutil.rmtree(directory / STAGING, ignore_errors=True)
