"""What README promises: an operator, a kernel and a board are added by a file and a registry line, by its words.

Each is added to a copy of the tool in a temporary tree, and used there by the command that a user would type.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tflite_writer import ModelBuilder

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


def spec(copy: Path, board: str, model: str = "models/digits_cnn.tflite") -> None:
    (copy / "approx.yaml").write_text(
        f"version: 1\nmodel: {model}\nboard: {board}\nmethod: none\nproject: {{name: toy, directory: out}}\n"
    )


def replace_once(path: Path, old: str, new: str) -> None:
    """Edit a file of the copy: `old` has to be there once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


SIGN = '''
"""NEG: -x."""

from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.fixed_point import Int64Array
from approx_plugin.operators.table import Table, of_reals


@dataclass(frozen=True, eq=False)
class Negate(Table):
    kind: ClassVar[str] = "NEG"

    @classmethod
    def values(cls, node: Node, source: Tensor, result: Tensor) -> Int64Array:
        return of_reals(source, result, lambda x: -x)
'''
"""The short way that operators/TEMPLATE.py names for what treats every element by itself."""


def negated() -> bytes:
    """A network of one NEG."""
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 3), 0.5, -3)
    builder.output(builder.layer("NEG", [x], (1, 4, 4, 3), scale=0.25, zero_point=7))
    return builder.build()


def test_an_operator_is_a_file_and_a_line(copy: Path) -> None:
    (copy / "neg.tflite").write_bytes(negated())
    (copy / "approx_plugin" / "operators" / "neg.py").write_text(SIGN, encoding="utf-8")
    registry = copy / "approx_plugin" / "operators" / "registry.py"
    replace_once(registry, "    MirrorPad,\n", "    MirrorPad,\n    Negate,\n")
    line = "from approx_plugin.operators.mul import Mul\n"
    replace_once(registry, line, line + "from approx_plugin.operators.neg import Negate\n")
    spec(copy, "nucleo-u575zi-q", "neg.tflite")
    approx(copy, "generate")
    assert "neg_0" in (copy / "out" / "report.txt").read_text(encoding="utf-8")
    if shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc"):
        assert "bit-exact" in approx(copy, "verify")


def test_the_template_of_an_operator_is_read_by_a_line(copy: Path) -> None:
    """Without a kernel the network is refused by the operator's name, not by a traceback."""
    (copy / "neg.tflite").write_bytes(negated())
    operators = copy / "approx_plugin" / "operators"
    shutil.copyfile(operators / "TEMPLATE.py", operators / "neg.py")
    replace_once(operators / "registry.py", "    MirrorPad,\n", "    MirrorPad,\n    Negate,\n")
    line = "from approx_plugin.operators.mul import Mul\n"
    replace_once(operators / "registry.py", line, line + "from approx_plugin.operators.neg import Negate\n")
    spec(copy, "nucleo-u575zi-q", "neg.tflite")
    command = [sys.executable, "-m", "approx_plugin", "generate"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode != 0 and "NEG" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
def test_a_kernel_is_a_file_and_a_line(copy: Path) -> None:
    kernels = copy / "approx_plugin" / "kernels"
    shutil.copyfile(kernels / "TEMPLATE.py", kernels / "loop.py")
    replace_once(kernels / "registry.py", "    Runtime(),\n", "    Runtime(),\n    Loop(),\n")
    line = "from approx_plugin.kernels.kernel import Kernel\n"
    replace_once(kernels / "registry.py", line, line + "from approx_plugin.kernels.loop import Loop\n")
    command = [sys.executable, "-m", "approx_plugin.laboratory", "--kernel", "template", "--core", "cortex-m4"]
    done = subprocess.run(
        [*command, "--layers", "40", "--backend", "c"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Before it is calibrated it is in no program, and the report says why.
    spec(copy, "nucleo-u575zi-q")
    approx(copy, "generate")
    assert "template: no calibrated costs of" in (copy / "out" / "report.txt").read_text(encoding="utf-8")


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
