"""Puts a project's files on disk: all of them or none, and never over somebody else's.

Whose a file is, is decided by the manifest of the last run: a file whose bytes have the listed sha256 is the tool's and
may be replaced or removed; a listed file with other bytes was edited by the user; any other file is the user's.

All changes of a run are one (see `transaction`), the manifest among them. What a killed run has left is undone before
anything is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.errors import ApproxError, ProjectError, raise_all
from approx_plugin.hashes import sha256
from approx_plugin.project.files import content_at, leaves
from approx_plugin.project.manifest import FILE_NAME, is_safe_path, manifest_text, read_manifest
from approx_plugin.project.transaction import STAGING, change, recover

IDE_FILES = frozenset({".project", ".cproject", ".settings/org.eclipse.core.resources.prefs"})
"""Files that the IDE edits on the user's behalf. Their edits stay as long as the generated content stays the same."""


BUILT = "Release/"
"""Folder of what was built. Whoever builds there too, the IDE for instance, may replace it, and so may the next run."""


def is_shared(path: str) -> bool:
    """Whether somebody else may change a generated file without that being an edit by the user."""
    return path in IDE_FILES or path.startswith(BUILT)


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
    try:
        recover(directory)
        known = read_manifest(directory / FILE_NAME)
        present = present_in(directory, {*files, *(known or {}), FILE_NAME})
        plan = plan_of(files, directory, known, present, force)
        new = {path: files[path] for path in plan.written}
        manifest = manifest_text(files)
        if present.get(FILE_NAME) != sha256(manifest):
            new[FILE_NAME] = manifest
        if new or plan.removed:
            change(directory, new, plan.removed, present)
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
    recover(directory)
    known = read_manifest(directory / FILE_NAME)
    if known is None:
        _refuse_foreign(directory)
    elif not force:
        present = present_in(directory, {path for path in known if not is_shared(path)})
        edited = [path for path, digest in present.items() if digest != known[path]]
        raise_all(_refusals(directory, edited, [], []))


def present_in(directory: Path, paths: Iterable[str]) -> dict[str, str]:
    """The sha256 of the regular files at `paths`, sorted; paths without one are left out."""
    found = ((path, content_at(directory, path)) for path in sorted(paths))
    return {path: sha256(content) for path, content in found if content is not None}


def plan_of(
    files: Mapping[str, bytes],
    directory: Path,
    known: Mapping[str, str] | None,
    present: Mapping[str, str],
    force: bool,
) -> WriteResult:
    """Sort the paths by what has to be done. Raises ProjectError where the user's files are in the way.

    known: by the manifest, None without one; present: what is there, of `files` and of `known`: path -> sha256.
    """
    if known is None:
        _refuse_foreign(directory)
        known = {}
    written, unchanged, kept = list[str](), list[str](), list[str]()
    edited, foreign, linked = list[str](), list[str](), list[str]()
    for path, content in sorted(files.items()):
        digest, found = sha256(content), present.get(path)
        if leaves(directory, path):
            linked.append(path)
        elif found is None and _is_blocked(directory, path):
            foreign.append(path)
        elif found == digest:
            unchanged.append(path)
        elif found in (None, known.get(path)) or (force and path in known):
            written.append(path)
        elif is_shared(path) and digest == known.get(path):
            kept.append(path)
        elif path.startswith(BUILT):
            written.append(path)
        else:
            (edited if path in known else foreign).append(path)
    if (directory / FILE_NAME).is_symlink():
        linked.append(FILE_NAME)
    raise_all(_refusals(directory, edited, foreign, linked))
    removed: list[str] = []
    for path in sorted(set(known) - set(files)):
        if path in present:
            (removed if present[path] == known[path] else kept).append(path)
    return WriteResult(tuple(written), tuple(unchanged), tuple(removed), tuple(sorted(kept)))


def _refuse_foreign(directory: Path) -> None:
    """Raise ProjectError if a directory without a manifest holds any file."""
    if not directory.exists():
        return
    present = sorted(p.relative_to(directory).as_posix() for p in directory.rglob("*") if not p.is_dir())
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
