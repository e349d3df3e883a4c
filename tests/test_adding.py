"""What README promises: an operator, a kernel and a board are added by a file and a registry line, by its words.

Each is added to a copy of the tool in a temporary tree, and used there by the command that a user would type.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = ("approx_plugin", "board", "Core", "Middlewares", "schemas", "models")


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The tool, as a person finds it after cloning."""
    for part in PARTS:
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def approx(copy: Path, *arguments: str) -> str:
    """What `python -m approx_plugin` of the copy says."""
    command = [sys.executable, "-m", "approx_plugin", *arguments]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def spec(copy: Path, board: str, extra: str = "") -> None:
    (copy / "approx.yaml").write_text(
        f"version: 1\nmodel: models/digits_cnn.tflite\nboard: {board}\nmethod: none\n{extra}"
        "project: {name: toy, directory: out}\n"
    )


def test_a_board_is_a_folder(copy: Path) -> None:
    folder = copy / "board" / "my-board"
    folder.mkdir()
    shutil.copyfile(copy / "board" / "TEMPLATE.yaml", folder / "board.yaml")
    shutil.copyfile(copy / "board" / "TEMPLATE.c", folder / "board.c")
    spec(copy, "my-board")
    said = approx(copy, "generate")
    assert "MY-BOARD" in said
    assert "MY-BOARD" in (copy / "out" / "report.txt").read_text(encoding="utf-8")
    assert "MY-BOARD" in (copy / "out" / "Drivers" / "BSP" / "board.c").read_text(encoding="utf-8")
    if shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc"):
        assert "bit-exact" in approx(copy, "verify")
