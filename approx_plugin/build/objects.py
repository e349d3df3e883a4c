"""Compiles sources to objects, each only when something that went into it changed.

Beside every object lies a record: the command, the compiler's version, the sha256 of every file that was read, and the
warnings. An object is used again if all of that is still true; time stamps play no part.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approx_plugin.build.toolchain import compiler_version, first_lines
from approx_plugin.errors import ApproxError, ToolError, raise_all
from approx_plugin.hashes import sha256
from approx_plugin.process import Processes

TARGET = "object"
"""What stands for the object in a make dependency file."""

_NAME = re.compile(r"(?:\\[ \t]|[^ \t])+")
_BLANK = re.compile(r"(\\+)([ \t])")


@dataclass(frozen=True)
class Job:
    """One compilation. source: as the compiler gets it, relative to the working directory; object: absolute."""

    source: str
    object: Path
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class CompiledObject:
    """An object that is up to date. reused: nothing had to be compiled. warnings: the compiler's, one a line."""

    job: Job
    reused: bool
    warnings: tuple[str, ...]


def compile_all(
    jobs: Sequence[Job], compiler: Path, directory: Path, workers: int | None = None
) -> tuple[CompiledObject, ...]:
    """Bring every job's object up to date, in `workers` processes at a time (None: one a processor).

    No compiler runs any more when this returns or raises.

    Raises ToolError, or an ErrorGroup of them for several failing sources (at most five are told).
    """
    for folder in {job.object.parent for job in jobs}:
        folder.mkdir(parents=True, exist_ok=True)
    version = compiler_version(compiler)
    compilers = Processes()

    def attempt(job: Job) -> object:
        try:
            return _compile(job, compiler, version, directory, compilers)
        except ApproxError as error:
            return error

    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        try:
            results = list(pool.map(attempt, jobs))
        except BaseException:  # an interrupt, which reaches this thread only
            compilers.stop()
            raise
    raise_all([result for result in results if isinstance(result, ApproxError)][:5])
    return tuple(result for result in results if isinstance(result, CompiledObject))


def _compile(job: Job, compiler: Path, version: str, directory: Path, compilers: Processes) -> CompiledObject:
    # The project's place is mapped out of the objects, so it is no reason to compile again.
    key = [version, job.source, *(argument.replace(str(directory), ".") for argument in job.arguments)]
    record = job.object.with_suffix(".json")
    known = _read(record)
    if known and known.get("command") == key and job.object.is_file() and _holds(known, directory):
        return CompiledObject(job, True, tuple(known["warnings"]))
    record.unlink(missing_ok=True)
    dependencies = job.object.with_suffix(".d")
    naming = (f"-MF{dependencies}", "-MT", TARGET)
    command = [str(compiler), *job.arguments, *naming, "-o", str(job.object), job.source]
    outcome = compilers.run(command, cwd=directory)
    if outcome.status:
        job.object.unlink(missing_ok=True)
        raise ToolError(
            f"the compiler failed on {job.source} (status {outcome.status})",
            why=first_lines(outcome.output),
            hint=f"the command, in {directory}: {shlex.join(command)}",
        )
    warnings = tuple(line for line in outcome.output.splitlines() if "warning:" in line)
    inputs = {name: _digest(directory / name) for name in sorted(_inputs(dependencies))}
    content = {"command": key, "inputs": inputs, "warnings": warnings}
    record.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return CompiledObject(job, False, warnings)


def _read(record: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and {"command", "inputs", "warnings"} <= set(content) else None


def _holds(record: dict[str, Any], directory: Path) -> bool:
    """Whether every file that was read is still there with the same content; one that was not found never is."""
    return bool(record["inputs"]) and all(d and _digest(directory / n) == d for n, d in record["inputs"].items())


def _digest(path: Path) -> str:
    try:
        return sha256(path.read_bytes())
    except OSError:
        return ""


def _inputs(dependencies: Path) -> set[str]:
    """The prerequisites of the first rule of a make dependency file; the rules behind it are -MP's empty ones."""
    text = dependencies.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    rule = text.split("\n", 1)[0].removeprefix(f"{TARGET}:")
    return {_unquoted(name) for name in _NAME.findall(rule)}


def _unquoted(name: str) -> str:
    """A name as gcc quotes it for make (`munge` in libcpp/mkdeps.c), without the quotes.

    Backslashes are doubled in front of a blank only, which is then escaped itself.
    """
    name = _BLANK.sub(lambda found: "\\" * (len(found[1]) // 2) + found[2], name)
    return name.replace("\\#", "#").replace("$$", "$")
