"""What a person's program takes of the memories by itself: what is left is what a network may have.

The program is built from its `.cproject` by the public compiler, beside the project. What a network of ours takes in it
already is not counted: the linker's map tells it from the rest by its folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.build.build import BuildResult, build
from approx_plugin.errors import ProjectError
from approx_plugin.kernels.needs import DTCM, FLASH, RAM, Bytes
from approx_plugin.merging.host import Host

SPARE = {FLASH: 2 * 1024, RAM: 1024}
"""Bytes for what a network's estimate does not hold: the hook, library functions that nobody else calls, padding."""


@dataclass(frozen=True)
class Application:
    """flash, ram: bytes of everything but the network. network_flash, network_ram: what that takes in the same build.

    RAM includes what the linker script reserves for heap and stack.
    """

    flash: int
    ram: int
    network_flash: int
    network_ram: int
    built: BuildResult


def application(host: Host, build_dir: Path, workers: int | None) -> Application:
    """Build the project's program and measure it.

    build_dir: for objects and the program, outside of the project. Raises ProjectError for a project without a
    .cproject, ToolError where it cannot be built here.
    """
    if not host.is_managed:
        raise ProjectError(
            "a CMake project is not built here",
            where=host.directory,
            why="its build is a program of its own",
            hint="write budget: {flash: ..., ram: ...}",
        )
    made = build(host.directory, host.configuration, build_dir, workers)
    flash, ram = (_of(host.folder, sources) for sources in (made.size.flash_by_source, made.size.ram_by_source))
    return Application(made.size.flash_bytes - flash, made.size.ram_bytes - ram, flash, ram, made)


def _of(folder: str, sources: Mapping[str, int]) -> int:
    return sum(size for source, size in sources.items() if source.startswith(f"{folder}/"))


def left(host: Host, taken: Application | None) -> Bytes:
    """Bytes by kind of memory that a network may take. Kinds whose size nobody knows are not in it.

    There is no memory next to the core for it: a linker script that was not made for it has no such section.
    """
    found = {DTCM: 0}
    for kind, region in ((FLASH, host.flash), (RAM, host.ram)):
        if region is not None:
            used = 0 if taken is None else taken.flash if kind == FLASH else taken.ram
            found[kind] = max(0, region.length - used - SPARE[kind])
    return found
