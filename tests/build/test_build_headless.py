from __future__ import annotations

from pathlib import Path

import pytest
from fake_project import L4R5, fake_files, put

from approx_plugin.build.headless import VARIABLE, build_in_cubeide, find_cubeide
from approx_plugin.errors import ToolError

PROGRAM = """\
#!/bin/sh
printf '%s\\n' "$@"
{ending}
"""


def install(folder: Path, name: str, ending: str = "exit 0") -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(PROGRAM.format(ending=ending))
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


def test_without_the_ide(tmp_path: Path) -> None:
    if find_cubeide() is not None:
        pytest.skip("STM32CubeIDE is installed here")
    with pytest.raises(ToolError, match="STM32CubeIDE was not found") as caught:
        build_in_cubeide(put(fake_files(L4R5), tmp_path / "p"))
    assert VARIABLE in str(caught.value)


def test_the_ide_imports_and_builds_both_configurations(tmp_path: Path) -> None:
    program = install(tmp_path / "bin", "stm32cubeide")
    project = put(fake_files(L4R5), tmp_path / "p")
    result = build_in_cubeide(project)
    assert result.program == program and result.configurations == ("Debug", "Release")
    lines = result.log.splitlines()
    data = lines[lines.index("-data") + 1]
    assert lines == [
        "--launcher.suppressErrors",
        "-nosplash",
        "-application",
        "org.eclipse.cdt.managedbuilder.core.headlessbuild",
        "-data",
        data,
        "-import",
        str(project),
        "-build",
        "demo/Debug",
        "-build",
        "demo/Release",
    ]
    assert not Path(data).exists(), "the workspace is a temporary one"


def test_the_wrapper_names_the_application_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = install(tmp_path / "elsewhere", "headless-build.sh")
    monkeypatch.setenv(VARIABLE, str(program))
    assert build_in_cubeide(put(fake_files(L4R5), tmp_path / "p")).log.startswith("-data\n")


@pytest.mark.parametrize(
    "ending", ["echo 'No projects are found'; exit 1", 'echo "Project: demo doesn\'t appear to be a CDT project."']
)
def test_a_failing_import_is_an_error(tmp_path: Path, ending: str) -> None:
    install(tmp_path / "bin", "stm32cubeide", ending)
    with pytest.raises(ToolError, match="failed to import or build") as caught:
        build_in_cubeide(put(fake_files(L4R5), tmp_path / "p"))
    assert "project" in str(caught.value).lower()
