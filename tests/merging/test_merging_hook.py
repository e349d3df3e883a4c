"""The hook that an application calls: one dialect of C, every core, and headers that C++ can read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from c_dialect import C11, WARNINGS

COMPILER = "arm-none-eabi-gcc"


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m33", "cortex-m7"])
def test_it_compiles_without_a_warning(root: Path, core: str) -> None:
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}")
    includes = [f"-I{root / 'Middlewares/Hook/Inc'}", f"-I{root / 'tests/support/fake_network'}"]
    alignment = "-DAPPROX_NETWORK_ACTIVATIONS_ALIGNMENT=8u"
    command = [COMPILER, C11, *WARNINGS, f"-mcpu={core}", "-mthumb", alignment, *includes, "-fsyntax-only"]
    source = root / "Middlewares/Hook/Src/approx_app.c"
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_its_header_is_read_by_cpp(root: Path, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    source = tmp_path / "main.cpp"
    source.write_text('#include "approx_app.h"\nint main() { MX_APPROX_Init(); MX_APPROX_Process(); return 0; }\n')
    made = tmp_path / "main.o"
    command = ["g++", "-Wall", "-Werror", f"-I{root / 'Middlewares/Hook/Inc'}", "-c", str(source), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"MX_APPROX_Process" in made.read_bytes() and b"_Z17MX_APPROX_Process" not in made.read_bytes()
