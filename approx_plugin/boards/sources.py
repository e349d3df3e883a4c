"""Which of the repository's static C files go into a project, and which into the firmware that the emulator runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.provenance import block_comment
from approx_plugin.resources import resource_root

BSP = "Drivers/BSP"
GENERIC_HEADERS = ("board.h", "cortex_m.h", "registers.h")
"""What of board/common a part alone can use: nothing that knows pins or a UART."""


def board_sources(board: Board, root: Path | None = None) -> Mapping[str, Path]:
    """Path in the project -> file of the repository, for the board support package. root: `resource_root()`."""
    root = root or resource_root()
    if board.generic:
        return {**_headers(root, GENERIC_HEADERS), f"{BSP}/board.c": board.source_folder / "board.c"}
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


def device_header(board: Board) -> str:
    """Drivers/BSP/device.h of a generic board: what its board.c does not know."""
    return (
        f"{block_comment(f'the part that Drivers/BSP/board.c runs on, {board.mcu}')}\n"
        "#ifndef DEVICE_H\n#define DEVICE_H\n\n"
        f'#define DEVICE_NAME "{board.name}"\n'
        f"#define DEVICE_RESET_HZ {board.reset_hz}u /* the core clock after a reset; 0: not known */\n\n"
        "#endif\n"
    )


def _headers(root: Path, names: tuple[str, ...] = ()) -> dict[str, Path]:
    """Those of board/common: all of them, or those of these names."""
    found = sorted((root / "board" / "common").glob("*.h"))
    return {f"{BSP}/{path.name}": path for path in found if not names or path.name in names}


def _below(root: Path, folder: Path, pattern: str) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in sorted(folder.glob(pattern))}
