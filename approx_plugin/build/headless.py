"""The last word on a project, where STM32CubeIDE is installed: import and build it headless."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.build.toolchain import last_lines
from approx_plugin.cubeide.managed import read_managed
from approx_plugin.errors import ToolError
from approx_plugin.process import run

VARIABLE = "STM32CUBEIDE"
"""Environment variable that may name the IDE's program or its headless wrapper."""

PROGRAMS = ("stm32cubeide", "headless-build.sh", "stm32cubeidec")
_APPLICATION = "org.eclipse.cdt.managedbuilder.core.headlessbuild"
_LAUNCHER = ("--launcher.suppressErrors", "-nosplash", "-application", _APPLICATION)


@dataclass(frozen=True)
class HeadlessBuild:
    """program: what was run; configurations: what it built; log: everything it printed."""

    program: Path
    configurations: tuple[str, ...]
    log: str


def find_cubeide() -> Path | None:
    """The IDE's program: by the environment variable STM32CUBEIDE, else on the PATH; None if it is not installed."""
    for name in (os.environ.get(VARIABLE, ""), *PROGRAMS):
        found = shutil.which(name) if name else None
        if found:
            return Path(found)
    return None


def build_in_cubeide(directory: Path, timeout: float = 1800.0) -> HeadlessBuild:
    """Import the project in `directory` into a fresh workspace and build all its configurations in STM32CubeIDE.

    The IDE makes its build folders (Debug, Release) in the project. Raises ToolError if the IDE is missing, does not
    take the project, or fails to build it.
    """
    program = find_cubeide()
    if program is None:
        raise ToolError(
            "STM32CubeIDE was not found",
            why=f"none of {', '.join(PROGRAMS)} is on the PATH",
            hint=f"put its directory on the PATH, or set {VARIABLE} to its program",
        )
    directory = directory.resolve()
    project = read_managed(directory)
    names = tuple(c.name for c in project.configurations)
    builds = [argument for name in names for argument in ("-build", f"{project.name}/{name}")]
    # The wrapper script names the application itself.
    launcher = () if program.suffix == ".sh" else _LAUNCHER
    with tempfile.TemporaryDirectory(prefix="cubeide-workspace-") as workspace:
        command = [str(program), *launcher, "-data", workspace, "-import", str(directory), *builds]
        try:
            outcome = run(command, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"STM32CubeIDE did not end within {timeout:g} s") from error
    if outcome.status or "doesn't appear to be a CDT project" in outcome.output:
        raise ToolError(
            f"STM32CubeIDE failed to import or build the project (status {outcome.status})",
            where=directory,
            why=last_lines(outcome.output),
        )
    return HeadlessBuild(program, names, outcome.output)
