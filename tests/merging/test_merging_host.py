"""What is read of a person's project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from host_projects import LINKER, STYLES, cmake_project, cube_project, put

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.errors import BoardError, Location, ProjectError
from approx_plugin.merging.application import left
from approx_plugin.merging.board import OF_PROJECT, board_for
from approx_plugin.merging.host import check_toolchain, read_host
from approx_plugin.merging.linker_script import Region, home_of, number_of, regions_of

HERE = Location("approx.yaml", 3, 8)


def test_a_linker_script() -> None:
    assert list(regions_of(LINKER).values()) == [
        Region("RAM", 0x2000_0000, 96 << 10),
        Region("RAM2", 0x1000_0000, 64 << 10),
        Region("FLASH", 0x0800_0000, (2048 - 16) << 10),
    ]
    assert [home_of(section, LINKER) for section in (".text", ".bss", ".data", ".stack")] == [
        "FLASH",
        "RAM",
        "RAM",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2048K", 2 << 20),
        ("0x8000000 + 16K", 0x0800_4000),
        ("4 * 64K - 1K", 255 << 10),
        ("1M", 1 << 20),
        ("LENGTH(RAM)", None),
        ("_size", None),
        ("12 /", None),
        ("", None),
    ],
)
def test_numbers(text: str, value: int | None) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize("name", STYLES)
def test_a_cubeide_project(name: str, tmp_path: Path) -> None:
    style = STYLES[name]
    host = read_host(put(cube_project(style), tmp_path))
    assert (host.name, host.is_managed, host.has_cmake) == ("app", True, False)
    assert (host.machine.mcu, host.machine.fpu, host.machine.float_abi) == (style.mcu, style.fpu, "hard")
    assert host.machine.core == ("cortex-m33" if "U5" in style.mcu else "cortex-m4")
    assert (host.script, host.clock_hz, host.folder) == ("APP_FLASH.ld", 120_000_000, "Middlewares/Approx")
    assert host.flash == Region("FLASH", 0x0800_0000, 2032 << 10) and host.ram is not None
    assert host.definitions == style.symbols


def test_a_cmake_project(tmp_path: Path) -> None:
    host = read_host(put(cmake_project(), tmp_path))
    assert (host.name, host.is_managed, host.has_cmake) == ("app", False, True)
    assert host.machine.flags == ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-mthumb")
    assert (host.machine.mcu, host.script) == ("STM32L4R5ZITx", "APP_FLASH.ld")
    assert host.ram == Region("RAM", 0x2000_0000, 96 << 10)


def test_both_build_systems_beside_each_other(tmp_path: Path) -> None:
    host = read_host(put({**cmake_project(), **cube_project()}, tmp_path))
    assert host.is_managed and host.has_cmake


def test_a_project_in_the_folder_of_the_ide(tmp_path: Path) -> None:
    put(cube_project(), tmp_path / "STM32CubeIDE")
    assert read_host(tmp_path).directory == (tmp_path / "STM32CubeIDE").resolve()


def test_links_called_middlewares_hide_a_folder_of_that_name(tmp_path: Path) -> None:
    files = cube_project()
    link = b"<linkedResources><link><name>Middlewares/ST</name></link></linkedResources></projectDescription>"
    files[".project"] = files[".project"].replace(b"</projectDescription>", link)
    assert read_host(put(files, tmp_path)).folder == "Approx"


def test_a_dual_core_project_is_asked_which(tmp_path: Path) -> None:
    for core in ("CM7", "CM4"):
        put(cube_project(), tmp_path / core)
    with pytest.raises(ProjectError) as caught:
        read_host(tmp_path, HERE)
    assert "holds 2 projects: CM7, CM4" in str(caught.value) and str(caught.value).startswith("approx.yaml:3:8: ")


@pytest.mark.parametrize(
    ("toolchain", "is_too_old"), [("9-2020-q2-update", True), ("10.3-2021.10", False), ("12.3.rel1", False)]
)
def test_a_pinned_compiler(toolchain: str, is_too_old: bool, tmp_path: Path) -> None:
    put(cube_project(replace(STYLES["current"], toolchain=toolchain)), tmp_path)
    if is_too_old:
        with pytest.raises(ProjectError, match="too old: Debug and Release to GCC 9-2020-q2-update"):
            check_toolchain(read_host(tmp_path))
    else:
        check_toolchain(read_host(tmp_path))


def test_what_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="holds no project"):
        read_host(tmp_path)
    with pytest.raises(ProjectError, match="is not a project"):
        read_host(tmp_path / "nothing")
    (tmp_path / "CMakeLists.txt").write_text("add_executable(app main.c)\n")
    with pytest.raises(ProjectError, match="nothing says which core"):
        read_host(tmp_path)


def test_the_board_of_the_part(tmp_path: Path) -> None:
    host = read_host(put(cube_project(STYLES["U5"]), tmp_path))
    assert board_for(host, OF_PROJECT, HERE).id == "nucleo-u575zi-q"


def test_a_board_with_the_core_lends_its_costs_only(tmp_path: Path) -> None:
    host = read_host(put(cube_project(replace(STYLES["current"], mcu="STM32L476RGTx")), tmp_path))
    with pytest.raises(BoardError, match="no board has the part of app, STM32L476RGTx") as caught:
        board_for(host, OF_PROJECT, HERE)
    assert "nucleo-l4r5zi" in caught.value.hint and "u575" not in caught.value.hint
    board = board_for(host, "nucleo-f446re", HERE)
    assert (board.flash.length, board.ram.length) == (2032 << 10, 96 << 10)
    with pytest.raises(BoardError, match="has a cortex-m33, but app is compiled for cortex-m4"):
        board_for(host, "nucleo-u575zi-q", HERE)


def test_a_part_that_a_pack_describes_is_found_by_its_name(tmp_path: Path) -> None:
    host = read_host(put(cube_project(replace(STYLES["current"], mcu="STM32L476RGTx")), tmp_path))
    asked = []

    def find(name: str) -> Board:
        asked.append(name)
        return replace(load_board("nucleo-l4r5zi"), mcu=name)

    board = board_for(host, OF_PROJECT, HERE, find)
    assert asked == ["STM32L476RGTx"] and board.mcu == "STM32L476RGTx" and board.fpu == "fpv4-sp-d16"


def test_memory_next_to_the_core_is_left_alone(tmp_path: Path) -> None:
    style = replace(STYLES["current"], mcu="STM32F767ZITx", fpu="fpv5-d16")
    host = read_host(put(cube_project(style), tmp_path))
    board = board_for(host, OF_PROJECT, HERE)
    assert board.id == "nucleo-f767zi" and board.dtcm is None
    assert left(host, None)["dtcm"] == 0
