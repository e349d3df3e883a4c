"""Puts a network into a project and takes it out: all of it or nothing, and nobody's file but ours.

The folder follows the rules of every generated project (`project.writer`): files with the bytes of the manifest may be
replaced, others are somebody's. The project's build files get insertions, which are taken out before new ones are made.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from approx_plugin.errors import ProjectError, raise_all
from approx_plugin.hashes import sha256
from approx_plugin.merging import cmake
from approx_plugin.merging.cproject import FILE as CPROJECT
from approx_plugin.merging.cproject import Addition, merge, without
from approx_plugin.merging.host import Host
from approx_plugin.merging.ledger import EditedFile, Ledger, ledger_text, path_of, read_ledger
from approx_plugin.project.files import content_at, leaves
from approx_plugin.project.transaction import change, recover
from approx_plugin.project.writer import plan_of, present_in


@dataclass(frozen=True)
class Wish:
    """What a project is to get. files: path below the folder -> content; owner: as of `Ledger`."""

    addition: Addition
    files: Mapping[str, bytes]
    owner: str


@dataclass(frozen=True)
class MergeResult:
    """What a run did. Paths below the project's root, sorted.

    written, removed, kept: of the folder; edited: build files that were changed. differences: of those, unified.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    edited: tuple[str, ...]
    differences: str

    @property
    def is_nothing(self) -> bool:
        """Whether everything was there already."""
        return not (self.written or self.removed or self.edited)


@dataclass(frozen=True)
class RemoveResult:
    """removed: files; kept: files with somebody's edits; restored: build file -> whether it is again, byte for byte,
    what it was before the first merge.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    restored: Mapping[str, bool]


def check_place(host: Host, owner: str) -> Ledger | None:
    """The ledger of what is in the project. Raises ProjectError where nothing can be merged, before any work begins."""
    recover(host.directory)
    ledger = read_ledger(host.directory, host.folder)
    folder = host.directory / host.folder
    if ledger is None:
        present = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())
        if present or (os.path.lexists(folder) and not folder.is_dir()):
            raise ProjectError(
                f"{host.folder} is there already, and was not generated ({', '.join(present[:5])})",
                where=folder,
                why="files that the tool did not write are never replaced",
                hint="rename or remove that folder",
            )
    elif ledger.owner != owner:
        raise ProjectError(
            f'the project holds the network "{ledger.owner}" already; this is "{owner}"',
            where=folder,
            why="one network's folder is not replaced by another one's",
            hint=f"take it out first (`remove` with its approx.yaml), or write `project: {{name: {ledger.owner}}}`",
        )
    raise_all(_not_editable(host, name) for name in build_files(host) if _is_link(host.directory, name))
    return ledger


def _is_link(root: Path, path: str) -> bool:
    return leaves(root, path) or (root / path).is_symlink()


def _not_editable(host: Host, name: str) -> ProjectError:
    return ProjectError(
        f"{name} is a symbolic link",
        where=host.directory / name,
        why="what lies behind it is not part of the project",
        hint="put the file itself into its place",
    )


def build_files(host: Host) -> tuple[str, ...]:
    """Those that get insertions."""
    return (*((CPROJECT,) if host.is_managed else ()), *((cmake.FILE,) if host.has_cmake else ()))


def put(host: Host, wish: Wish, force: bool = False, dry: bool = False) -> MergeResult:
    """Bring the network in the project up to date, from wherever it is now.

    force: replace files of the folder that somebody has edited. dry: change nothing.
    Raises ProjectError, with the project as it was.
    """
    root = host.directory
    ledger = check_place(host, wish.owner)
    known = dict(ledger.files) if ledger else {}
    files = {f"{host.folder}/{path}": content for path, content in wish.files.items()}
    place = path_of(host.folder)
    present = present_in(root, {*files, *known, place, *build_files(host)})
    plan = plan_of(files, root, known, present, force)
    edits = dict(_edits(host, wish.addition, ledger))
    new = {path: files[path] for path in plan.written}
    new |= {name: after for name, (_, after, _) in edits.items() if sha256(after) != present.get(name)}
    made = Ledger(
        wish.owner,
        wish.addition,
        {path: sha256(content) for path, content in files.items()},
        {name: EditedFile(sha256(b), sha256(a), expanded) for name, (b, a, expanded) in edits.items()},
    )
    text = ledger_text(made)
    if present.get(place) != sha256(text):
        new[place] = text
    if (new or plan.removed) and not dry:
        _change(root, new, plan.removed, present)
    changed = tuple(sorted(name for name in edits if name in new))
    return MergeResult(
        written=plan.written,
        removed=plan.removed,
        kept=plan.kept,
        edited=changed,
        differences="".join(_difference(root, name, present, edits[name]) for name in changed) if dry else "",
    )


def _difference(root: Path, name: str, present: Mapping[str, str], edit: tuple[bytes, bytes, Mapping[str, str]]) -> str:
    """Of a build file that has not been changed yet."""
    now = (content_at(root, name) or b"").decode(errors="replace").splitlines()
    then = edit[1].decode(errors="replace").splitlines()
    return "".join(f"{line}\n" for line in difflib.unified_diff(now, then, name, name, lineterm="", n=1))


def reinsert(host: Host) -> tuple[str, ...]:
    """Give the build files back what a regeneration has taken from them, as the ledger has it; nothing without one.

    A program that calls the network cannot be built, nor measured, without that. Returns the files that were changed.
    Raises ProjectError.
    """
    ledger = read_ledger(host.directory, host.folder)
    if ledger is None:
        return ()
    present = present_in(host.directory, build_files(host))
    edits = {name: after for name, (_, after, _) in _edits(host, ledger.addition, ledger)}
    new = {name: after for name, after in edits.items() if sha256(after) != present.get(name)}
    if new:
        _change(host.directory, new, (), present)
    return tuple(sorted(new))


def _edits(
    host: Host, addition: Addition, ledger: Ledger | None
) -> Iterator[tuple[str, tuple[bytes, bytes, Mapping[str, str]]]]:
    """Build file -> its content without us, with us, and what has to be noted of it."""
    for name in build_files(host):
        content = content_at(host.directory, name) or b""
        file = host.directory / name
        if name == CPROJECT:
            noted = _expanded(ledger, name)
            merged = merge(content, addition, noted, str(file))
            yield name, (without(content, host.folder, noted, str(file)), merged.content, merged.expanded)
        else:
            after = cmake.with_line(content, host.folder, file)
            yield name, (cmake.without_line(content, host.folder), after, {})


def _expanded(ledger: Ledger | None, name: str) -> Mapping[str, str]:
    return ledger.edited[name].expanded if ledger and name in ledger.edited else {}


def missing(host: Host) -> tuple[str, ...]:
    """What of the network is not in the project any more, or not as it was put there, a line each.

    A regeneration by STM32CubeMX may take settings back, and people delete files.
    """
    ledger = read_ledger(host.directory, host.folder)
    if ledger is None:
        return ("no network is in the project",)
    found = []
    for path, digest in ledger.files.items():
        content = content_at(host.directory, path)
        if content is None or sha256(content) != digest:
            found.append(f"{path} {'is gone' if content is None else 'was edited'}")
    for name, (_, after, _) in _edits(host, ledger.addition, ledger):
        if content_at(host.directory, name) != after:
            found.append(f"{name} lacks settings of the network")
    return tuple(found)


def take_out(host: Host, force: bool = False) -> RemoveResult:
    """Remove the network from the project. force: with files of the folder that somebody has edited.

    Raises ProjectError, with the project as it was.
    """
    root = host.directory
    recover(root)
    ledger = read_ledger(root, host.folder)
    known = dict(ledger.files) if ledger else {}
    place = path_of(host.folder)
    present = present_in(root, {*known, place, *build_files(host)})
    kept = sorted(p for p, digest in known.items() if p in present and present[p] != digest and not force)
    removed = sorted(path for path in known if path in present and path not in kept)
    new: dict[str, bytes] = {}
    restored: dict[str, bool] = {}
    for name in build_files(host):
        content = content_at(root, name) or b""
        if name == CPROJECT:
            plain = without(content, host.folder, _expanded(ledger, name), str(root / name))
        else:
            plain = cmake.without_line(content, host.folder)
        if plain != content:
            new[name] = plain
        if ledger and name in ledger.edited:
            restored[name] = sha256(plain) == ledger.edited[name].before
    if ledger and kept:
        new[place] = ledger_text(replace(ledger, files={path: known[path] for path in kept}, edited={}))
    elif place in present:
        removed.append(place)
    if new or removed:
        _change(root, new, removed, present)
    return RemoveResult(tuple(removed), tuple(kept), restored)


def _change(
    root: Path, new: Mapping[str, bytes], removed: list[str] | tuple[str, ...], present: Mapping[str, str]
) -> None:
    try:
        change(root, new, tuple(removed), present)
    except OSError as error:
        raise ProjectError(
            "cannot write the project; nothing was changed",
            where=root,
            why=error.strerror or str(error),
            hint="free disk space, or make the project's folder writable, and run again",
        ) from error
