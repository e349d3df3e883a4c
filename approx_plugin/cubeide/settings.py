"""What a project's build is made of, before it becomes XML: folders, symbols, and the two configurations."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script_name
from approx_plugin.boards.startup import startup_name

SOURCE_FOLDERS = ("Core", "Drivers", "Middlewares")
"""Folders that the IDE compiles. A folder that is not listed is silently left out of the build."""

FAST_FOLDER = "Middlewares"
"""Kernels and library: optimised for speed in both configurations, so that Debug shows the timing of Release."""

FAST_OPTIMIZATION = "o3"


@dataclass(frozen=True)
class Configuration:
    """A build configuration.

    name:         as the IDE shows it, also the name of the build folder.
    kind:         "debug" or "release", the tail of the tool chain's id.
    optimization: of the application; `FAST_FOLDER` has `Settings.fast`.
    debug_level:  "g3" or "g0".
    symbols:      defined beside those of the project.
    """

    name: str
    kind: str
    optimization: str
    debug_level: str
    symbols: tuple[str, ...]


CONFIGURATIONS = (
    Configuration("Debug", "debug", "og", "g3", ("DEBUG",)),
    Configuration("Release", "release", "o2", "g0", ()),
)


@dataclass(frozen=True)
class Settings:
    """A project's build.

    include_dirs: below the project's root, in the order of search.
    symbols:      of both configurations.
    fast:         optimization of `FAST_FOLDER`.
    """

    name: str
    board: Board
    include_dirs: tuple[str, ...]
    symbols: tuple[str, ...]
    fast: str = FAST_OPTIMIZATION

    @property
    def linker_script(self) -> str:
        """Path of the linker script."""
        return linker_script_name(self.board)

    @property
    def startup(self) -> str:
        """Path of the startup file."""
        return f"Core/Startup/{startup_name(self.board)}"
