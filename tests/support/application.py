"""A small application in C or C++ around generated networks, built and run on this computer with the sanitizers."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from arm_call import ROOT, portable_subset
from host_call import SANITIZERS

from approx_plugin.kernels.program import Program

C_WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
CPP_WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def need(program: str) -> str:
    """The path of a compiler, or no test."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program}")
    return found


def write_sources(programs: Sequence[Program], folder: Path) -> list[Path]:
    """All sources of some networks in one folder; those that have to be compiled."""
    texts: dict[str, str] = {}
    for program in programs:
        for path, text in program.sources.items():
            assert texts.setdefault(path, text) == text, f"two networks want different files at {path}"
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return [folder / path for path in texts if path.endswith((".c", ".s"))]


def includes(folder: Path) -> list[str]:
    """The include paths that a project has."""
    return [f"-I{folder / 'Inc'}", f"-I{ROOT / 'Middlewares/Approx/Inc'}", f"-I{portable_subset().include}"]


def run_application(
    programs: Sequence[Program], folder: Path, text: str, given: npt.NDArray[np.int8], suffix: str = ".c"
) -> npt.NDArray[np.int8]:
    """What the application writes for what it reads. text: its source; suffix: .c or .cpp.

    The networks are C in any case; nothing of theirs or of the application's gives a warning.
    """
    gcc, application = need("gcc"), folder / f"application{suffix}"
    sources = write_sources(programs, folder)
    application.write_text(text, encoding="utf-8")
    objects = [str(folder / f"{number}.o") for number, _ in enumerate(sources)]
    for source, target in zip(sources, objects):
        compiled([gcc, "-std=c11", *C_WARNINGS, *SANITIZERS, *includes(folder), "-c", str(source), "-o", target])
    compiler, standard = (gcc, "-std=c11") if suffix == ".c" else (need("g++"), "-std=c++11")
    warnings = C_WARNINGS if suffix == ".c" else CPP_WARNINGS
    program = str(folder / "application")
    compiled(
        [
            compiler,
            standard,
            *warnings,
            *SANITIZERS,
            *includes(folder),
            str(application),
            *objects,
            *runtime(),
            "-o",
            program,
        ]
    )
    done = subprocess.run([program], input=np.ascontiguousarray(given).tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr.decode(errors="replace")[-4000:])
    return np.frombuffer(done.stdout, np.int8)


@functools.lru_cache(maxsize=1)
def runtime() -> list[str]:
    """The objects of what all networks share, and of the portable subset: made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = []
    for file in (*sorted((ROOT / "Middlewares/Approx/Src").glob("*.c")), *portable_subset().sources):
        made.append(str(folder / f"{file.stem}.o"))
        compiled([need("gcc"), "-std=c11", *SANITIZERS, *includes(folder), "-c", str(file), "-o", made[-1]])
    return made


def compiled(command: Sequence[str]) -> None:
    """A compilation without a complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
