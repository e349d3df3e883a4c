"""Which CMSIS-NN a project is built with: the user's, or the portable subset that comes with the tool.

Of the user's library the files that a network needs are named here, and copied on the user's machine into the user's
project, its licence with them. Nothing of it is part of the tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from approx_plugin import __version__
from approx_plugin.errors import Location, SpecError
from approx_plugin.library.c_symbols import CFile, read_c
from approx_plugin.resources import resource_root

LIBRARY = "CMSIS-NN"
SUBSET = "portable subset"

_HEADER = "Include/arm_nnfunctions.h"
_SUBSET_MARK = "APPROX_PORTABLE_CMSIS_NN"
# Where a CMSIS-NN lies in the trees that people have: its own checkout or pack, a CMSIS, an STM32CubeMX project.
_PLACES = ("", "CMSIS-NN", "NN", "CMSIS/NN", "Drivers/CMSIS/NN", "Middlewares/CMSIS-NN")
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "License.txt")
# Headers of compilers that the library names in quotes, in branches for those compilers.
_COMPILER_HEADERS = frozenset({"iccarm_builtin.h", "intrin.h"})
_GET_THE_LIBRARY = "Get CMSIS-NN 7 or later: by scons packs, or from https://github.com/ARM-software/CMSIS-NN"


@dataclass(frozen=True)
class CmsisNn:
    """The files of a CMSIS-NN that a set of functions needs.

    provider:     `LIBRARY` or `SUBSET`.
    version:      the release of the library as its pack description says, else the revision of its main header;
                  the tool's version for the subset.
    functions:    what was asked for, sorted.
    files:        place below Middlewares/CMSIS-NN/ in the project, with `/` -> file on disk. Sorted. Headers are
                  complete; sources are those that the functions reach on any core.
    include_dirs: directories for the compiler, below Middlewares/CMSIS-NN/.
    """

    provider: str
    version: str
    functions: tuple[str, ...]
    files: Mapping[str, Path]
    include_dirs: tuple[str, ...] = ("Include",)

    @property
    def sources(self) -> tuple[str, ...]:
        """Those of `files` that are compiled."""
        return tuple(name for name in self.files if name.endswith(".c"))

    @property
    def is_baseline(self) -> bool:
        """Whether cycles measured with it say something about CMSIS-NN."""
        return self.provider == LIBRARY


def resolve(functions: Sequence[str], directory: Path | None, where: Location) -> CmsisNn:
    """The files that `functions` need: of the library in `directory`, of the portable subset for None.

    directory: the library's root, or a tree that holds it as CMSIS/NN or CMSIS-NN.
    where:     the place in the spec (or on the command line) that named the directory, for messages.

    Raises SpecError for a directory that is none, holds no CMSIS-NN, or one that is too old or not complete.
    """
    root = resource_root() / "Middlewares" / "CMSIS-NN" if directory is None else _find(directory, where)
    headers = _read(root, "Include", ".h")
    sources = _read(root, "Source", ".c")
    is_subset = any(_SUBSET_MARK in text.inline for text in headers.values())
    wanted = tuple(sorted(set(functions)))
    _check_functions(wanted, sources.values(), is_subset, root, where)
    chosen = _closure(wanted, headers, sources, root, where)

    names = [*headers, *chosen, *_included(root, {**headers, **{n: sources[n] for n in chosen}}, where)]
    files = {name: root / name for name in names}
    licence = _licence(root, directory)
    if licence:
        files["LICENSE"] = licence
    if is_subset:
        files["README.md"] = root / "README.md"
        version = __version__ if directory is None else "unknown"
    else:
        version = _version(root)
    present = {name: files[name] for name in sorted(files) if files[name].is_file()}
    return CmsisNn(SUBSET if is_subset else LIBRARY, version, wanted, MappingProxyType(present))


def _find(directory: Path, where: Location) -> Path:
    """The library's root in what the user named."""
    if not directory.is_dir():
        why = "it is a file" if directory.exists() else "there is no such directory"
        raise SpecError(
            f"{directory} is not the directory of a CMSIS-NN", where=where, why=why, hint=f"{_GET_THE_LIBRARY}."
        )
    for place in _PLACES:
        if (directory / place / _HEADER).is_file():
            return directory / place
    raise SpecError(
        f"{directory} holds no CMSIS-NN",
        where=where,
        why=f"{_HEADER} is neither there nor in {', '.join(_PLACES[1:])} below it",
        hint=f"Name the directory that holds Include/ and Source/. {_GET_THE_LIBRARY}.",
    )


def _read(root: Path, folder: str, suffix: str) -> dict[str, CFile]:
    """All files with a suffix below a folder, by their place below the root, in sorted order."""
    found = sorted((path.relative_to(root).as_posix(), path) for path in (root / folder).rglob(f"*{suffix}"))
    return {name: read_c(path.read_text(encoding="utf-8", errors="replace")) for name, path in found}


def _check_functions(
    functions: Iterable[str], sources: Iterable[CFile], is_subset: bool, root: Path, where: Location
) -> None:
    """Raise SpecError where the library lacks one of the functions."""
    defined = frozenset[str]().union(*(text.exported for text in sources))
    missing = [name for name in functions if name not in defined]
    if not missing:
        return
    if is_subset:
        what = f"the portable subset of CMSIS-NN lacks {', '.join(missing)}"
        raise SpecError(what, where=where, hint=f"Name the directory of the library. {_GET_THE_LIBRARY}.")
    if not defined:
        what, why = f"the CMSIS-NN in {root} is not complete", "its folder Source/ holds no functions"
    else:
        what = f"the CMSIS-NN in {root} ({_version(root)}) lacks {', '.join(missing)}"
        why = "it is older than CMSIS-NN 7, or parts of it were removed"
    raise SpecError(what, where=where, why=why, hint=f"{_GET_THE_LIBRARY}.")


def _closure(
    functions: Sequence[str], headers: Mapping[str, CFile], sources: Mapping[str, CFile], root: Path, where: Location
) -> tuple[str, ...]:
    """The sources that the functions reach, through other sources and through inline functions and macros of headers.

    Raises SpecError for a function that is reached and declared, but defined nowhere.
    """
    home = {symbol: name for name, text in reversed(list(sources.items())) for symbol in text.exported}
    inline = {symbol: used for text in headers.values() for symbol, used in text.inline.items()}
    declared = frozenset[str]().union(*(text.declared for text in headers.values()))
    chosen: set[str] = set()
    seen: set[str] = set()
    missing: set[str] = set()
    waiting = set(functions)
    while waiting:
        symbol = waiting.pop()
        seen.add(symbol)
        name = home.get(symbol)
        if name is not None and name not in chosen:
            chosen.add(name)
            waiting |= sources[name].identifiers - seen
        elif symbol in inline:
            waiting |= inline[symbol] - seen
        elif name is None and symbol in declared:
            missing.add(symbol)
    if missing:
        raise SpecError(
            f"the CMSIS-NN in {root} is not complete: {', '.join(sorted(missing))} undefined",
            where=where,
            why="other functions that the network needs may call them",
            hint=f"{_GET_THE_LIBRARY}.",
        )
    return tuple(sorted(chosen))


def _included(root: Path, texts: Mapping[str, CFile], where: Location) -> tuple[str, ...]:
    """Headers beside the sources that `texts` include, directly or not. Raises SpecError for one that is missing."""
    found: dict[str, CFile] = {}
    missing: set[str] = set()
    waiting = dict(texts)
    while waiting:
        name, text = waiting.popitem()
        for included in text.includes:
            beside = ((root / name).parent / included).resolve()
            if (root / "Include" / included).is_file() or included in _COMPILER_HEADERS:
                continue
            if not beside.is_file() or root.resolve() not in beside.parents:
                missing.add(f"{included} (in {name})")
                continue
            place = beside.relative_to(root.resolve()).as_posix()
            if place not in texts and place not in found:
                found[place] = waiting[place] = read_c(beside.read_text(encoding="utf-8", errors="replace"))
    if missing:
        raise SpecError(
            f"the CMSIS-NN in {root} includes what it does not hold: {', '.join(sorted(missing))}",
            where=where,
            why="early versions need other parts of CMSIS",
            hint=f"{_GET_THE_LIBRARY}.",
        )
    return tuple(found)


def _licence(root: Path, directory: Path | None) -> Path | None:
    """The licence at the library's root, or above it up to what the user named."""
    for folder in (root, *root.parents):
        for name in _LICENCES:
            if (folder / name).is_file():
                return folder / name
        if folder == (directory or root):
            break
    return None


def _version(root: Path) -> str:
    """The release in the pack description, else revision and date of the main header, else "unknown"."""
    for description in sorted(root.glob("*.pdsc")):
        release = re.search(r'<release\s+version="([^"]+)"', description.read_text(encoding="utf-8", errors="replace"))
        if release and release[1] != "0.0.0":  # the value in the library's repository, between releases
            return release[1]
    header = (root / _HEADER).read_text(encoding="utf-8", errors="replace")
    revision = re.search(r"\$Revision:\s*V?\.?\s*([\w.]+)", header)
    if not revision:
        return "unknown"
    date = re.search(r"\$Date:\s*([^$\n*]+)", header)
    return f"arm_nnfunctions.h {revision[1]}" + (f" of {date[1].strip()}" if date else "")
