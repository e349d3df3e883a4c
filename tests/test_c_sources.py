"""All C of the repository, and the C that it generates: one dialect, one layout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from c_dialect import C11, WARNINGS
from networks import conv_graph, preferring

from approx_plugin.model.graph import Graph
from approx_plugin.reference.vectors import make_vectors, vectors_text
from approx_plugin.tflite.reader import read_graph

FOLDERS = ("Core", "Middlewares", "board", "approx_plugin", "tests")
COMPILER = "arm-none-eabi-gcc"


def check(compiler: str, *arguments: object) -> None:
    """Compile without output; not one warning."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    command = [compiler, C11, *WARNINGS, "-fsyntax-only", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]


def test_layout(root: Path) -> None:
    """As `.clang-format` has it, by the release that the development tools pin: others lay out differently."""
    pinned = re.search(r'"clang-format==([^"]+)"', (root / "pyproject.toml").read_text(encoding="utf-8"))
    assert pinned
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("clang-format", path=places)
    if program is None:
        pytest.skip("needs clang-format, which `pip install .[dev]` brings")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    if pinned[1] not in version:
        pytest.skip(f"needs clang-format {pinned[1]}, this is: {version.strip()}")
    files = sorted(str(file) for folder in FOLDERS for file in (root / folder).rglob("*.[ch]"))
    assert len(files) > 40
    command = [program, "--dry-run", "--Werror", *files]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[:4000]


def test_the_cycle_model(root: Path) -> None:
    check("gcc", *sorted((root / "approx_plugin/virtual_board/native").glob("*.c")))


@pytest.mark.parametrize("processor", [(), ("-march=native",)])
def test_the_products_on_the_host(root: Path, processor: tuple[str, ...]) -> None:
    check("gcc", *processor, root / "approx_plugin/native/src/products.c")


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m0plus"])
def test_the_runtime(root: Path, core: str) -> None:
    runtime = root / "Middlewares/Approx"
    check(COMPILER, f"-mcpu={core}", "-mthumb", f"-I{runtime}/Inc", runtime / "Src/approx_runtime.c")


def graphs(root: Path) -> list[Graph]:
    """Networks of many kinds of layers, and one odd convolution."""
    rng = np.random.default_rng(3)
    odd = conv_graph(rng, size=(7, 5), channels=(1, 3), kernel=(3, 2), stride=(2, 1), zero_points=(9, -3))
    return [*(read_graph(root / "models" / f"{name}.tflite") for name in ("digits_cnn", "cifar10_dscnn")), odd]


@pytest.mark.parametrize(("core", "backend"), [("cortex-m4", "assembly"), ("cortex-m4", "c"), ("cortex-m0plus", "c")])
def test_generated_code(root: Path, core: str, backend: str, tmp_path: Path) -> None:
    includes = [
        tmp_path / "Inc",
        root / "Core/Inc",
        root / "Middlewares/Approx/Inc",
        root / "Middlewares/CMSIS-NN/Include",
    ]
    for graph in graphs(root):
        inputs = np.zeros((2, *graph.input_tensor.shape[1:]), np.int8)
        texts = {**sources(graph, backend), "Src/test_vectors.c": vectors_text(make_vectors(graph, inputs))}
        for path, text in texts.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        files = [tmp_path / path for path in texts if path.endswith(".c")]
        check(COMPILER, f"-mcpu={core}", "-mthumb", *(f"-I{include}" for include in includes), *files)


def sources(graph: Graph, backend: str) -> Mapping[str, str]:
    """The generated files of a network whose convolutions are all unpacked."""
    program = preferring(graph, "unpacked", "cortex-m4", backend)
    assert "unpacked" in {step.kernel for step in program.steps}
    return program.sources
