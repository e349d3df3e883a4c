"""Collects all files of an output project. Nothing is written here; the same arguments give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script
from approx_plugin.boards.sources import BSP, board_sources, core_sources, device_header
from approx_plugin.boards.startup import startup
from approx_plugin.cubeide.cproject import cproject_text
from approx_plugin.cubeide.project_file import encoding_text, project_text
from approx_plugin.cubeide.settings import FAST_OPTIMIZATION, Settings
from approx_plugin.errors import ProjectError
from approx_plugin.kernels.names import UNNAMED, Names
from approx_plugin.kernels.program import Program
from approx_plugin.library.provider import CmsisNn
from approx_plugin.project.readme import readme_text
from approx_plugin.reference.vectors import TestVectors, vectors_text
from approx_plugin.resources import resource_root

NETWORK_FOLDER = "Middlewares/Approx"
LIBRARY_FOLDER = "Middlewares/CMSIS-NN"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def collect(
    program: Program,
    board: Board,
    provider: CmsisNn,
    vectors: TestVectors,
    project_name: str,
    *,
    extra: Mapping[str, str],
    fast: str = FAST_OPTIMIZATION,
) -> Mapping[str, bytes]:
    """The whole project: path below its root -> content, without the manifest (`write` adds it).

    extra: further text files, for instance the report.
    fast:  optimization of kernels and library: see `Settings`.

    Raises ProjectError for a name that is not one of an Eclipse project, ValueError if two files claim one path.
    """
    if not _NAME.fullmatch(project_name):
        raise ProjectError(
            f'"{project_name}" cannot be the name of a project',
            why="the IDE builds paths and makefiles with it",
            hint="start with a letter, and use letters, digits, '_', '-' and '.' only",
        )
    settings = Settings(
        name=project_name,
        board=board,
        include_dirs=(
            "Core/Inc",
            BSP,
            f"{NETWORK_FOLDER}/Inc",
            *(f"{LIBRARY_FOLDER}/{folder}" for folder in provider.include_dirs),
        ),
        symbols=(board.define,),
        fast=fast,
    )
    generated = {
        ".project": project_text(project_name, board.series),
        ".cproject": cproject_text(settings),
        ".settings/org.eclipse.core.resources.prefs": encoding_text(),
        settings.linker_script: linker_script(board),
        settings.startup: startup(board),
        **({f"{BSP}/device.h": device_header(board)} if board.generic else {}),
        "Core/Src/test_vectors.c": vectors_text(vectors),
        "README.md": readme_text(
            project_name,
            board,
            provider,
            network=program.graph.name,
            header=program.names.header,
            script=settings.linker_script,
            has_report=bool(extra),
        ),
    }
    return _merged(
        _encoded(generated, ""),
        _encoded(program.sources, NETWORK_FOLDER),
        _encoded(extra, ""),
        {path: _renamed(program.names, content) for path, content in _copied(core_sources()).items()},
        _copied(board_sources(board)),
        _copied(runtime_sources()),
        _copied({f"{LIBRARY_FOLDER}/{path}": file for path, file in provider.files.items()}),
    )


def _encoded(texts: Mapping[str, str], folder: str) -> dict[str, bytes]:
    return {f"{folder}/{path}" if folder else path: text.encode() for path, text in texts.items()}


def _copied(files: Mapping[str, Path]) -> dict[str, bytes]:
    return {path: file.read_bytes() for path, file in files.items()}


def _renamed(names: Names, content: bytes) -> bytes:
    """A source of the application, which is written for a network with the default name."""
    return content if names == UNNAMED else names.renamed(content.decode()).encode()


def runtime_sources() -> dict[str, Path]:
    """The static part of the network's code: path in the project -> file of the repository."""
    root = resource_root()
    files = sorted((root / NETWORK_FOLDER).glob("*/*.[ch]"))
    return {path.relative_to(root).as_posix(): path for path in files}


def _merged(*parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """All parts, sorted by path. Names that differ only in case collide too: not every file system keeps them apart."""
    files: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for part in parts:
        for path, content in part.items():
            clash = owners.setdefault(path.casefold(), path)
            if clash != path or path in files:
                raise ValueError(f"two files for one path: {clash} and {path}")
            files[path] = content
    return dict(sorted(files.items()))
