"""The portable subset compiles without a warning everywhere, links alone, and does nothing that C leaves undefined."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from c_dialect import C11, WARNINGS
from cmsis_nn_machines import FUNCTIONS, compile_command, provide, run_tool

STRICT = (C11, *WARNINGS)
DRIVER = Path(__file__).with_name("sanitizer_driver.c")
needs_arm = pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")


@needs_arm
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33"])
@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_compiles_without_warnings(core: str, level: str, tmp_path: Path) -> None:
    options = (*STRICT, level, f"-mcpu={core}", "-mthumb", "-r", "-nostdlib", "-o", str(tmp_path / "all.o"))
    run_tool(compile_command("arm-none-eabi-gcc", provide(None), *options))


@needs_arm
@pytest.mark.parametrize("core, packed", [("cortex-m0plus", False), ("cortex-m4", True), ("cortex-m33", True)])
def test_packed_multiplications_where_the_core_has_them(core: str, packed: bool, tmp_path: Path) -> None:
    options = ("-O2", f"-mcpu={core}", "-mthumb", "-r", "-nostdlib", "-o", str(tmp_path / "all.o"))
    run_tool(compile_command("arm-none-eabi-gcc", provide(None), *options))
    assert ("smlad" in run_tool(["arm-none-eabi-objdump", "-d", tmp_path / "all.o"])) == packed


def test_header_serves_c_plus_plus(tmp_path: Path) -> None:
    source = tmp_path / "user.cpp"
    uses = ", ".join(f"(void *){name}" for name in FUNCTIONS)
    source.write_text(f'#include "arm_nnfunctions.h"\nvoid *all[] = {{{uses}}};\n', encoding="utf-8")
    include = provide(None).files["Include/arm_nnfunctions.h"].parent
    run_tool(["g++", "-Wall", "-Wextra", "-Werror", f"-I{include}", "-c", source, "-o", tmp_path / "user.o"])
    assert "_Z" not in "".join(
        line for line in run_tool(["nm", tmp_path / "user.o"]).splitlines(keepends=True) if " U " in line
    )


def test_no_undefined_behaviour_and_no_stray_access(tmp_path: Path) -> None:
    """The same answers with the sanitizers, which end the program at the first finding, and without."""
    answers = set()
    for name, options in (
        ("plain", ["-O2"]),
        ("sane", ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]),
    ):
        command = compile_command("gcc", provide(None), *STRICT, *options, str(DRIVER), "-o", str(tmp_path / name))
        run_tool(command)
        answers.add(run_tool([tmp_path / name]))
    (answer,) = answers
    assert int(answer.split()[1]) > 3000
