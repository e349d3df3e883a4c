"""The digits example in a folder of a test, and the command line run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "digits_cnn.tflite"
IMAGES = ROOT / "models" / "digits.npz"
SETS = ("calibration", "exploration", "confirmation")


class Done(NamedTuple):
    """What a program did."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both of its streams."""
        return self.out + self.err


def data(file: Path = IMAGES) -> dict[str, Any]:
    """The three sets of the digits."""
    return {name: {"file": str(file), "images": f"{name}_images", "labels": f"{name}_labels"} for name in SETS}


def spec(**changes: Any) -> dict[str, Any]:
    """A small search on the digits; `changes` replace keys, None removes one."""
    values: dict[str, Any] = {
        "version": 1,
        "model": str(MODEL),
        "board": "nucleo-u575zi-q",
        "target": {"max_accuracy_drop": 1.0},
        "data": data(),
        "method": "significance",
        "search": {"seed": 1, "evaluations": 24},
        "project": {"name": "digits", "directory": "out"},
        "verify": {"images": 10},
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def exact(**changes: Any) -> dict[str, Any]:
    """The network as it is, with random inputs: what takes the least time."""
    return spec(**{"method": "none", "data": None, "target": None, "search": None, "verify": {"images": 5}, **changes})


def write_spec(folder: Path, values: dict[str, Any]) -> Path:
    """approx.yaml in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "approx.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without a CMSIS-NN and with this checkout's package, changed."""
    kept = {key: value for key, value in os.environ.items() if key not in {"CMSIS_NN_PATH", "PYTHONPATH"}}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def command_line(*arguments: object, cwd: Path, **changes: str) -> Done:
    """`python -m approx_plugin` in a process of its own; `changes` of its environment."""
    command = [sys.executable, "-m", "approx_plugin", *map(str, arguments)]
    return run(command, cwd, environment(**changes))


def run(command: list[str], cwd: Path, env: dict[str, str], timeout: float = 300) -> Done:
    """Any program."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory: path -> content."""
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def times(directory: Path) -> dict[str, tuple[int, int]]:
    """Every file below a directory: path -> when it was written, and its inode."""
    stats = {p: p.stat() for p in directory.rglob("*") if p.is_file()}
    return {p.relative_to(directory).as_posix(): (s.st_mtime_ns, s.st_ino) for p, s in stats.items()}


def report(directory: Path) -> dict[str, Any]:
    """report.json of a project."""
    content: dict[str, Any] = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    return content
