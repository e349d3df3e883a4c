"""Runs a generated project in QEMU: the same sources and flags, another linker script and console.

What is exchanged is what knows the microcontroller: `Drivers`, the linker script, and the test vectors, of which the
emulator runs more. Everything else, the kernels first of all, is compiled with the very command lines of the board's
build and shares its objects.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from approx_plugin.boards.board import Board, Emulator
from approx_plugin.boards.linker import emulator_linker_script
from approx_plugin.boards.sources import emulator_sources
from approx_plugin.build.build import BuildResult, compile_jobs, link, load_replay, portable
from approx_plugin.build.console import RunResult, joined, parse_console
from approx_plugin.build.objects import Job
from approx_plugin.build.replay import Replay
from approx_plugin.build.toolchain import find_program, last_lines
from approx_plugin.cubeide.managed import SOURCE_TOOLS
from approx_plugin.errors import BoardError, ToolError, VerificationError
from approx_plugin.process import run
from approx_plugin.reference.vectors import TestVectors, vectors_text

QEMU = "qemu-system-arm"
BOARD_FOLDER = "Drivers/"
"""Folder of a project that only the real board can run."""

VECTORS_SOURCE = "Core/Src/test_vectors.c"


def run_in_emulator(
    directory: Path,
    board: Board,
    vectors: TestVectors,
    build_dir: Path,
    *,
    configuration: str = "Release",
    workers: int | None = None,
    timeout: float = 300.0,
) -> RunResult:
    """Build the project in `directory` for the emulator of `board`, run it over `vectors`, and say what it printed.

    Vectors that do not fit into the emulated memory at once are run in several parts; of a sequence, which cannot be
    cut, as many as fit. timeout: seconds a part.

    Raises BoardError if no emulator has the board's core, ToolError if a program is missing, fails, or the firmware
    does not come to its end. Wrong answers are no error here: see `verify`.
    """
    emulator = _emulator(board)
    # The emulator's linker script puts constants into its data memory.
    per_part = max(1, emulator.data.length // 4 // max(1, vectors.bytes // max(1, len(vectors))))
    if vectors.sequence:
        vectors = vectors.part(0, per_part)
    result: RunResult | None = None
    for start in range(0, len(vectors), per_part):
        part = vectors.part(start, start + per_part)
        built = build_for_emulator(directory, board, part, build_dir, configuration=configuration, workers=workers)
        found = run_elf(built.elf, emulator.machine, timeout)
        result = found if result is None else joined(result, found, start)
    if result is None:
        raise ValueError("no test vectors to run")
    return result


def build_for_emulator(
    directory: Path,
    board: Board,
    vectors: TestVectors,
    build_dir: Path,
    *,
    configuration: str = "Release",
    workers: int | None = None,
) -> BuildResult:
    """The project as an ELF for the emulator of `board`; objects that the board's build has in `build_dir` are shared.

    Raises as `run_in_emulator`.
    """
    _emulator(board)
    directory = directory.resolve()
    commands = load_replay(directory, configuration)
    output = build_dir.resolve() / configuration
    own = output / "emulator"
    own.mkdir(parents=True, exist_ok=True)
    script = own / "emulator.ld"
    _write_if_changed(script, emulator_linker_script(board))
    vectors_source = own / "test_vectors.c"
    _write_if_changed(vectors_source, vectors_text(vectors))
    jobs = [
        job
        for job in compile_jobs(commands, directory, output)
        if job.source != VECTORS_SOURCE and not job.source.startswith(BOARD_FOLDER)
    ]
    support = [path for path in emulator_sources().values() if path.suffix in SOURCE_TOOLS]
    jobs += [_extra_job(commands, source, own, directory) for source in (vectors_source, *support)]
    elf = own / f"{commands.project}.elf"
    return link(commands, jobs, directory, script=str(script), elf=elf, workers=workers)


def run_elf(elf: Path, machine: str, timeout: float = 300.0) -> RunResult:
    """Run a program in a QEMU machine until it ends through semihosting, and read its console.

    Raises ToolError if QEMU is missing, or, with the last lines that were printed, if the program is not done after
    `timeout` seconds or crashes.
    """
    command = [
        str(find_program(QEMU)),
        *("-M", machine),
        *("-display", "none"),
        *("-monitor", "none"),
        *("-serial", "none"),
        *("-chardev", "stdio,id=console"),
        *("-semihosting-config", "enable=on,target=native,chardev=console"),
        *("-kernel", str(elf)),
    ]
    try:
        outcome = run(command, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        text = (error.output or b"").decode(errors="replace")
        raise ToolError(
            f"the firmware did not end within {timeout:g} s in {machine}", why=f"its last lines: {last_lines(text)}"
        ) from error
    result = parse_console(outcome.output)
    # The application ends with 0 (pass) or 1 (fail); anything else comes from a fault handler or from QEMU.
    if result.vectors is None or outcome.status not in (0, 1):
        raise ToolError(
            f"the firmware ended without a result in {machine} (status {outcome.status})",
            why=f"its last lines: {last_lines(outcome.output)}",
        )
    return result


def verify(result: RunResult, vectors: TestVectors) -> None:
    """Raise VerificationError, with the mismatches in it, unless the firmware agreed with every one of `vectors`."""
    expected = list(range(len(vectors)))
    complaints = result.mismatches or result.problems
    if result.passed == result.vectors == len(vectors) and list(result.agreed) == expected and not complaints:
        return
    lines = [*result.problems, *(f"vector {wrong.vector}: {wrong.detail}" for wrong in result.mismatches[:10])]
    if len(result.mismatches) > 10:
        lines.append(f"... and {len(result.mismatches) - 10} more")
    if not lines:
        lines.append(f"{len(result.agreed)} of {len(vectors)} vectors were reported as right")
    first = min((w.layer for w in result.mismatches if w.layer is not None), default=None)
    where = f"; the first wrong layer is {first}" if first is not None else ""
    raise VerificationError(
        f"the firmware agrees with the integer reference on {result.passed} of {len(vectors)} vectors{where}",
        why="\n         ".join(lines),
        hint="the reference and the firmware must agree byte for byte: this is a defect of the tool or of the library",
    )


def _emulator(board: Board) -> Emulator:
    if board.emulator is None:
        raise BoardError(
            f'no emulator runs the core of "{board.id}" ({board.core})',
            hint="verify on the board itself, or choose a board with an emulator",
        )
    return board.emulator


def _extra_job(commands: Replay, source: Path, output: Path, directory: Path) -> Job:
    """A C source from outside of the project, compiled as one of the application."""
    mapped = (*portable(commands.application_arguments, directory), f"-ffile-prefix-map={source.parent}=emulator")
    return Job(str(source), output / f"{source.stem}.o", mapped)


def _write_if_changed(path: Path, text: str) -> None:
    content = text.encode()
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
