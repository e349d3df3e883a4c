"""Programming a board: which tool is taken, what it gets, and what is said where there is none or it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.build.flashing import PROGRAMMERS, program
from approx_plugin.errors import Location, ToolError

BOARD = load_board("nucleo-u575zi-q", Location("test"))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def fake(folder: Path, name: str, status: int = 0) -> None:
    """A program that notes its folder and arguments."""
    shell = "/bin/sh"
    if not Path(shell).exists():
        pytest.skip("needs a shell")
    text = f'#!{shell}\nprintf "%s\\n" "$PWD" "$@" > {folder.parent}/called\necho "cannot see a board"\nexit {status}\n'
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("probe", "name", "arguments"),
    [
        ("cube", "STM32_Programmer_CLI", ["-c", "port=SWD", "mode=UR", "-w", "digits.hex", "-v", "-rst"]),
        (
            "openocd",
            "openocd",
            ["-f", "interface/stlink.cfg", "-f", "target/stm32u5x.cfg", "-c", "program digits.elf verify reset exit"],
        ),
        ("stlink", "st-flash", ["--connect-under-reset", "--reset", "--format", "ihex", "write", "digits.hex"]),
        ("pyocd", "pyocd", ["flash", "--target", "stm32u575zitxq", "digits.hex"]),
    ],
)
def test_what_each_tool_gets(probe: str, name: str, arguments: list[str], tools: Path, tmp_path: Path) -> None:
    """In a folder whose name no tool would take as it is."""
    place = tmp_path / "a b{$}ü"
    place.mkdir()
    fake(tools, name)
    for wanted in (None, probe):
        shown = program(place, "digits", BOARD, wanted)
        assert shown.startswith(f"{name} ")
        assert (tmp_path / "called").read_text(encoding="utf-8").splitlines() == [str(place), *arguments]


def test_the_first_one_that_is_there(tools: Path, tmp_path: Path) -> None:
    fake(tools, "pyocd")
    fake(tools, "st-flash")
    assert program(tmp_path, "digits", BOARD).startswith("st-flash ")
    assert program(tmp_path, "digits", BOARD, "pyocd").startswith("pyocd ")


def test_none_is_there(tools: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        program(tmp_path, "digits", BOARD)
    for programmer in PROGRAMMERS.values():
        assert programmer.program in str(caught.value)
        assert programmer.get in str(caught.value)
    with pytest.raises(ToolError, match="openocd was not found"):
        program(tmp_path, "digits", BOARD, "openocd")
    with pytest.raises(ToolError, match="no programmer 'jlink'"):
        program(tmp_path, "digits", BOARD, "jlink")


def test_it_fails(tools: Path, tmp_path: Path) -> None:
    fake(tools, "openocd", 3)
    with pytest.raises(ToolError) as caught:
        program(tmp_path, "digits", BOARD)
    for part in ("openocd failed (status 3)", "cannot see a board", "is the board connected", "target/stm32u5x.cfg"):
        assert part in str(caught.value)
    assert shutil.which("openocd")
