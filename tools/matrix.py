#!/usr/bin/env python3
"""Runs the tests under every Python that the project supports, as far as it is installed here.

    tools/matrix.py                                   all versions, all tests
    tools/matrix.py --python 3.9 --python 3.13        these versions only
    tools/matrix.py tests/spec -k locations           arguments go on to pytest

Interpreters are looked for as `python3.X` on the PATH, among pyenv's versions, and with `uv python find`. Each gets a
virtual environment of its own below .matrix/, which is made anew when the interpreter or pyproject.toml changes. A
version that is not installed is named as skipped. The exit status is 1 if the tests of any version fail or cannot be
set up, 2 if no version is installed, else 0.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
EXTRAS = "tflite,packs,training,test"
PASSED, FAILED, NOT_SET_UP, SKIPPED = "passed", "FAILED", "NOT SET UP", "SKIPPED"


@dataclass(frozen=True)
class Result:
    """What became of one version. note: the interpreter, or why there is none; seconds: of the tests."""

    version: str
    outcome: str
    note: str
    seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="other arguments go on to pytest"
    )
    parser.add_argument("--python", action="append", choices=VERSIONS, help="a version; may be given several times")
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where the environments are kept")
    options, rest = parser.parse_known_args(arguments)
    results = []
    for version in options.python or VERSIONS:
        results.append(run_version(version, options.folder.resolve(), rest))
        print(line(results[-1]), flush=True)
    print("", *map(line, results), sep="\n")
    return status(results)


def status(results: Sequence[Result]) -> int:
    """2 if nothing was run, 1 if something failed."""
    if all(result.outcome == SKIPPED for result in results):
        return 2
    return int(any(result.outcome in (FAILED, NOT_SET_UP) for result in results))


def line(result: Result) -> str:
    """One line of the table."""
    took = f", {result.seconds:.0f} s" if result.seconds else ""
    return f"Python {result.version:<5} {result.outcome:<11} {result.note}{took}"


def run_version(version: str, folder: Path, arguments: Sequence[str]) -> Result:
    """Set up one version and run the tests with it."""
    interpreter = find(version, os.environ)
    if interpreter is None:
        return Result(version, SKIPPED, f"there is no python{version} on the PATH, in pyenv, or known to uv")
    python = environment(version, interpreter, folder)
    if python is None:
        return Result(version, NOT_SET_UP, str(interpreter))
    start = time.monotonic()
    command = [str(python), "-m", "pytest", "-q", "-n", "auto", *arguments]
    # The environment's own programs first: tests call scons.
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=False)
    outcome = PASSED if done.returncode == 0 else FAILED
    return Result(version, outcome, str(interpreter), time.monotonic() - start)


def find(version: str, environ: Mapping[str, str]) -> Path | None:
    """The first interpreter that runs and is of this version."""
    return next((place for place in candidates(version, environ) if says(place) == version), None)


def candidates(version: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where it may be; what lies there need not run: pyenv's shims exist for versions that are not activated."""
    name, path = f"python{version}", environ.get("PATH", "")
    for folder in path.split(os.pathsep):
        if folder and (Path(folder) / name).is_file():
            yield Path(folder) / name
    pyenv = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"))
    uv = shutil.which("uv", path=path)
    if uv:
        done = subprocess.run([uv, "python", "find", version], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode == 0:
            yield Path(done.stdout.strip())


def says(interpreter: Path) -> str | None:
    """The version that it says it is; None if it does not run."""
    command = [str(interpreter), "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def environment(version: str, interpreter: Path, folder: Path) -> Path | None:
    """The interpreter of the version's virtual environment, with the package and all that tests need; None on failure.

    The stamp notes what was installed for which interpreter: without it, the environment is made anew.
    """
    place = folder / version
    stamp, wanted = place / "installed", f"{interpreter} {EXTRAS}\n{(ROOT / 'pyproject.toml').read_text('utf-8')}"
    python = place / "bin" / "python"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted and says(python) == version:
        return python
    print(f"Python {version}: installing into {place}", flush=True)
    steps = (
        [str(interpreter), "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-e", f"{ROOT}[{EXTRAS}]"],
    )
    for step in steps:
        if subprocess.run(step, cwd=ROOT, check=False).returncode:
            return None
    stamp.write_text(wanted, "utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
