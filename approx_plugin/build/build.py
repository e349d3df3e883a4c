"""Builds a project as STM32CubeIDE would, from its `.project` and `.cproject` alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.build.elf_size import Size, measure
from approx_plugin.build.objects import CompiledObject, Job, compile_all
from approx_plugin.build.overflow import overflowed
from approx_plugin.build.replay import Replay, replay
from approx_plugin.build.toolchain import COMPILER, compiler_version, find_program, first_lines
from approx_plugin.cubeide.managed import read_managed
from approx_plugin.errors import ProjectError, ToolError
from approx_plugin.hashes import sha256
from approx_plugin.process import run


@dataclass(frozen=True)
class BuildResult:
    """A linked program.

    elf, map_file: absolute paths.
    compiled, reused: how many objects were made anew and how many were still right.
    warnings:      lines of the compiler and the linker, those of reused objects included.
    compiler:      its version.
    """

    elf: Path
    map_file: Path
    size: Size
    compiled: int
    reused: int
    warnings: tuple[str, ...]
    compiler: str


def build(
    directory: Path, configuration: str = "Release", build_dir: Path | None = None, workers: int | None = None
) -> BuildResult:
    """Compile and link one configuration of the project in `directory`.

    build_dir: where `<configuration>/` with objects, map and ELF is made; None: in the project, as the IDE does.
    workers:   compilers at a time; None: one a processor.

    Raises ProjectError if the project's files cannot be read, ToolError if a program is missing or fails.
    """
    directory = directory.resolve()
    commands = load_replay(directory, configuration)
    output = (build_dir or directory).resolve() / configuration
    jobs = compile_jobs(commands, directory, output)
    elf = output / f"{commands.project}.elf"
    return link(commands, jobs, directory, script=commands.linker_script, elf=elf, workers=workers)


def load_replay(directory: Path, configuration: str) -> Replay:
    """The command lines of a configuration. Raises ProjectError if there is nothing to compile or no linker script."""
    project = read_managed(directory)
    commands = replay(project, project.configuration(configuration), directory)
    if not commands.compilations:
        raise ProjectError("the source folders hold nothing to compile", where=directory / ".cproject")
    if not commands.linker_script or not (directory / commands.linker_script).is_file():
        raise ProjectError(
            f'the linker script "{commands.linker_script}" does not exist', where=directory / ".cproject"
        )
    return commands


def compile_jobs(commands: Replay, directory: Path, output: Path) -> list[Job]:
    """The compilations with their objects below `output`, in the folders of their sources."""
    return [
        Job(c.source, (output / c.source).with_suffix(".o"), portable(c.arguments, directory))
        for c in commands.compilations
    ]


def portable(arguments: tuple[str, ...], directory: Path) -> tuple[str, ...]:
    """Arguments that also keep the project's place out of the object, so that it is the same wherever it was built."""
    # gcc hands only the second form on to the assembler.
    return (*arguments, f"-ffile-prefix-map={directory}=.", f"-fdebug-prefix-map={directory}=.")


def link(
    commands: Replay, jobs: Sequence[Job], directory: Path, *, script: str, elf: Path, workers: int | None
) -> BuildResult:
    """Compile `jobs` and link them with a linker script (relative to `directory`, or absolute) to `elf`."""
    compiler = find_program(COMPILER)
    objects = compile_all(jobs, compiler, directory, workers)
    map_file, listing, record = (elf.with_suffix(end) for end in (".map", ".objects", ".link.json"))
    paths = sorted(str(o.job.object) for o in objects)
    command = [
        str(compiler),
        "-o",
        str(elf),
        f"@{listing}",
        *commands.link_arguments,
        f"-T{script}",
        # The map goes to standard output: gcc would part its name at commas, and ld put another one for a %.
        "-Wl,-Map=-",
        *commands.link_tail,
    ]
    version = compiler_version(compiler)
    digests = [sha256(Path(path).read_bytes()) for path in paths]
    key: list[object] = [version, command, paths, digests, sha256((directory / script).read_bytes())]
    warnings = _known_link(record, key, elf, map_file)
    if warnings is None:
        record.unlink(missing_ok=True)
        elf.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text("".join(map(_quoted, paths)), encoding="utf-8")
        outcome = run(command, cwd=directory, printed=map_file)
        if outcome.status:
            elf.unlink(missing_ok=True)
            too_large = overflowed(outcome.output, elf.name)
            if too_large is not None:
                raise too_large
            raise ToolError(
                f"the linker failed on {elf.name} (status {outcome.status})",
                why=first_lines(outcome.output),
                hint=f"the command, in {directory}: {shlex.join(command)}",
            )
        warnings = [line for line in outcome.output.splitlines() if "warning:" in line]
        record.write_text(json.dumps({"key": key, "elf": sha256(elf.read_bytes()), "warnings": warnings}))
    return BuildResult(
        elf=elf,
        map_file=map_file,
        size=measure(elf, map_file, {str(job.object): job.source for job in jobs}),
        compiled=sum(not o.reused for o in objects),
        reused=sum(o.reused for o in objects),
        warnings=(*_warnings(objects), *warnings),
        compiler=version,
    )


def _quoted(path: str) -> str:
    """A line of gcc's response file that stands for one argument, whatever is in it."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"\n'


def _warnings(objects: Sequence[CompiledObject]) -> list[str]:
    return [line for o in objects for line in o.warnings]


def _known_link(record: Path, key: list[object], elf: Path, map_file: Path) -> list[str] | None:
    """The linker's warnings if the last link had the same inputs and its results are still there."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        same = content["key"] == key and map_file.is_file() and content["elf"] == sha256(elf.read_bytes())
        return list(content["warnings"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
