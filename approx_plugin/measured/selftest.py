"""The self-test: a project of its own that measures microbenchmarks on a board. The verb `selftest`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script
from approx_plugin.boards.sources import BSP, board_sources, core_sources
from approx_plugin.boards.startup import startup
from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.cubeide.cproject import cproject_text
from approx_plugin.cubeide.project_file import encoding_text, project_text
from approx_plugin.cubeide.settings import Settings
from approx_plugin.measured.microbenchmarks import MICROBENCHMARKS, assembly
from approx_plugin.project.writer import write
from approx_plugin.provenance import paragraph
from approx_plugin.resources import resource_root

SOURCES = "board/selftest"
APPLICATION = ("console", "syscalls", "sysmem", "system")
"""What of Core/ the self-test needs: it has no network."""

README = """\
# {name}

{provenance}

Import it into STM32CubeIDE (*File > Import... > General > Existing Projects into Workspace*), build *Release*, and run
it on the board. It prints, on the board's virtual COM port ({baud} baud, 8N1), what each of {count} microbenchmarks
takes. Compare that with the virtual board:

    scons approx=1 board={board} port=/dev/ttyACM0 measure
    scons approx=1 board={board} console=recorded.txt measure
"""


def folder(project: Path) -> Path:
    """`build/digits` -> `build/digits_selftest`."""
    return project.with_name(f"{project.name}_selftest")


def project_files(board: Board, name: str) -> Mapping[str, bytes]:
    """Path below the project's root -> content, without the manifest. Same board, same bytes."""
    assert board.console is not None
    settings = Settings(name=name, board=board, include_dirs=("Core/Inc", BSP), symbols=(board.define,))
    what = f"an STM32CubeIDE project for {board.name} ({board.mcu}) that measures runs of instructions"
    texts = {
        ".project": project_text(name, board.series),
        ".cproject": cproject_text(settings),
        ".settings/org.eclipse.core.resources.prefs": encoding_text(),
        settings.linker_script: linker_script(board),
        settings.startup: startup(board),
        "Core/Src/microbenchmarks.S": assembly(),
        "README.md": README.format(
            name=name,
            provenance=paragraph(what),
            baud=board.console.baud,
            count=len(MICROBENCHMARKS),
            board=board.id,
        ),
    }
    own = resource_root() / SOURCES
    files = {path: file for path, file in core_sources().items() if Path(path).stem in APPLICATION}
    files.update(board_sources(board))
    files.update({"Core/Src/main.c": own / "main.c", "Core/Inc/microbenchmarks.h": own / "microbenchmarks.h"})
    found = {path: text.encode() for path, text in texts.items()}
    found.update({path: file.read_bytes() for path, file in files.items()})
    return dict(sorted(found.items()))


def make(
    board: Board, directory: Path, objects: Path, workers: int | None, force: bool, say: Callable[[str], None]
) -> BuildResult | None:
    """Write the project into `directory` and build it below `objects`; None where no compiler is found.

    Raises as `project.writer.write` and `build`.
    """
    written = write(project_files(board, directory.name), directory, force)
    say(f"{directory}: {len(written.written)} files written, {len(written.unchanged)} unchanged")
    if shutil.which(COMPILER) is None:
        say(f"{COMPILER} was not found: the project is written, but not built")
        return None
    built = build(directory, "Release", objects, workers)
    say(f"Release: {built.size.flash_bytes:,} B flash, {built.size.ram_bytes:,} B RAM ({built.compiler}): {built.elf}")
    return built
