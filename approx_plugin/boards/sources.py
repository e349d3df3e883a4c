"""Which of the repository's static C files go into a project, and which into the firmware that the emulator runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.resources import resource_root

BSP = "Drivers/BSP"


def board_sources(board: Board, root: Path | None = None) -> Mapping[str, Path]:
    """Path in the project -> file of the repository, for the board support package. root: `resource_root()`."""
    root = root or resource_root()
    return {
        **_headers(root),
        f"{BSP}/stm32.c": root / "board" / "common" / "stm32.c",
        f"{BSP}/board.c": board.source_folder / "board.c",
    }


def emulator_sources(root: Path | None = None) -> Mapping[str, Path]:
    """The same for QEMU: it takes the place of `board_sources` in the build, everything else is the project's."""
    root = root or resource_root()
    return {**_headers(root), f"{BSP}/board.c": root / "board" / "emulator" / "board.c"}


def core_sources(root: Path | None = None) -> Mapping[str, Path]:
    """Path in the project -> file of the repository, for the application (all of it but the generated vectors)."""
    root = root or resource_root()
    return _below(root, root / "Core", "*/*.[ch]")


def _headers(root: Path) -> dict[str, Path]:
    return {f"{BSP}/{path.name}": path for path in sorted((root / "board" / "common").glob("*.h"))}


def _below(root: Path, folder: Path, pattern: str) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in sorted(folder.glob(pattern))}
