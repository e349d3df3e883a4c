"""The files of the folder that a project gets: network, runtime, hook, library, and how CMake builds them.

The library's functions keep their names where the project has no others of that name. Where it has, its own CMSIS-NN
is left to its own callers, and the copy for the network gets private names: a header that the compiler includes before
any file of the folder renames them, so that no source is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from approx_plugin.kernels.program import Program
from approx_plugin.library.c_symbols import read_c
from approx_plugin.library.provider import CmsisNn
from approx_plugin.project.tree import NETWORK_FOLDER, runtime_sources
from approx_plugin.provenance import block_comment
from approx_plugin.resources import resource_root

LIBRARY = "CMSIS-NN"
PRIVATE_NAMES = "approx_private_names.h"
HOOK = "Middlewares/Hook"


def contents(program: Program, library: Mapping[str, Path], hidden: Iterable[str] = ()) -> Mapping[str, bytes]:
    """Path below the folder -> content, sorted.

    library: files of CMSIS-NN, none for a project with its own. hidden: functions of it that get private names.
    """
    root = resource_root()
    files = {path: text.encode() for path, text in program.sources.items()}
    for path, file in runtime_sources().items():
        files[path.removeprefix(f"{NETWORK_FOLDER}/")] = file.read_bytes()
    for file in sorted((root / HOOK).glob("*/*.[ch]")):
        text = program.names.renamed(file.read_text(encoding="utf-8"))
        files[file.relative_to(root / HOOK).as_posix()] = text.encode()
    for path, file in library.items():
        files[f"{LIBRARY}/{path}"] = file.read_bytes()
    if hidden:
        files[f"Inc/{PRIVATE_NAMES}"] = _renaming(hidden).encode()
    return dict(sorted(files.items()))


def include_dirs(folder: str, provider: CmsisNn) -> tuple[str, ...]:
    """What the sources of the folder need, below the project's root."""
    return (f"{folder}/Inc", *(f"{folder}/{LIBRARY}/{inner}" for inner in provider.include_dirs))


def exported(provider: CmsisNn) -> frozenset[str]:
    """The functions and objects that the library's sources define for others."""
    return frozenset(s for path in provider.sources for s in exported_by(provider.files[path]))


def exported_by(file: Path) -> frozenset[str]:
    """Of one C file."""
    return read_c(file.read_text(encoding="utf-8", errors="replace")).exported


def _renaming(names: Iterable[str]) -> str:
    """The header that the compiler includes first."""
    comment = block_comment("names for this copy of CMSIS-NN that no other copy in the program has")
    lines = "\n".join(f"#define {name} approx_private_{name}" for name in sorted(names))
    return f"{comment}\n#ifndef APPROX_PRIVATE_NAMES_H\n#define APPROX_PRIVATE_NAMES_H\n\n{lines}\n\n#endif\n"
