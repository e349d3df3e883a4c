from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from elf import symbols as elf_symbols
from elftools.elf.elffile import ELFFile
from fake_project import BOARDS, L4R5, U575, fake_files, put

from approx_plugin.boards.board import Board
from approx_plugin.build.build import BuildResult, build
from approx_plugin.build.elf_size import PADDING
from approx_plugin.build.replay import Replay, project_path, replay
from approx_plugin.cubeide.managed import read_managed
from approx_plugin.errors import ErrorGroup, ProjectError, ToolError

needs_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc (Debian: gcc-arm-none-eabi)"
)


def commands(directory: Path, configuration: str) -> Replay:
    project = read_managed(directory)
    return replay(project, project.configuration(configuration), directory)


def test_command_lines_are_those_of_the_ide(tmp_path: Path) -> None:
    found = commands(put(fake_files(U575), tmp_path), "Debug")
    lines = {c.source: " ".join(c.arguments) for c in found.compilations}
    includes = "-ICore/Inc -IDrivers/BSP -IMiddlewares/CMSIS-NN/Include"
    machine = "--specs=nano.specs -mfpu=fpv5-sp-d16 -mfloat-abi=hard -mthumb"
    compiler = (
        "-mcpu=cortex-m33 -std=gnu17 -g3 -DDEBUG -DSTM32U575xx -c {} -O{} -ffunction-sections -fdata-sections "
        "-Wall -Wextra -fstack-usage -MMD -MP {}"
    )
    assembler = f"-mcpu=cortex-m33 -g3 -DDEBUG -DSTM32U575xx -c {includes} -x assembler-with-cpp -MMD -MP {machine}"
    assert lines == {
        "Core/Src/main.c": compiler.format(includes, "g", machine),
        "Core/Startup/startup_stm32u575zitxq.s": assembler,
        "Drivers/BSP/board.c": compiler.format(includes, "g", machine),
        "Middlewares/Approx/Src/approx_layer_00.s": assembler,
        "Middlewares/CMSIS-NN/Source/twice.c": compiler.format(includes, "3", machine),
    }
    assert " ".join(found.link_arguments) == (
        "-mcpu=cortex-m33 --specs=nosys.specs -Wl,--gc-sections -static --specs=nano.specs "
        "-mfpu=fpv5-sp-d16 -mfloat-abi=hard -mthumb"
    )
    assert found.link_tail == ("-Wl,--start-group", "-lc", "-lm", "-Wl,--end-group")
    assert found.linker_script == "STM32U575ZITXQ_FLASH.ld"
    release = {c.source: c.arguments for c in commands(tmp_path, "Release").compilations}
    assert "-O2" in release["Core/Src/main.c"] and "-g0" in release["Core/Src/main.c"]
    assert "-DDEBUG" not in release["Core/Src/main.c"]
    assert "-O3" in release["Middlewares/CMSIS-NN/Source/twice.c"]


def test_the_core_comes_from_the_part(tmp_path: Path) -> None:
    found = commands(put(fake_files(L4R5), tmp_path), "Release")
    assert all("-mcpu=cortex-m4" in c.arguments and "-mfpu=fpv4-sp-d16" in c.arguments for c in found.compilations)


def test_settings_of_a_user_in_the_ide_are_followed(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    text = files[".cproject"].decode()
    text = text.replace("optimization.level.value.o2", "optimization.level.value.os")
    text = text.replace('name="Core"/>', 'name="Core" excluding="Src/old*.c|Test"/>')
    files[".cproject"] = text.encode()
    files.update({"Core/Src/old_1.c": b"#error\n", "Core/Test/x.c": b"#error\n", "Core/Src/new.c": b"int z;\n"})
    sources = {c.source: c.arguments for c in commands(put(files, tmp_path), "Release").compilations}
    assert "-Os" in sources["Core/Src/main.c"] and "-O3" in sources["Middlewares/CMSIS-NN/Source/twice.c"]
    assert [s for s in sources if s.startswith("Core/")] == [
        "Core/Src/main.c",
        "Core/Src/new.c",
        "Core/Startup/startup_stm32l4r5zitx.s",
    ]


def test_paths_are_relative_to_the_build_folder() -> None:
    assert project_path("../Core/Inc") == "Core/Inc"
    assert project_path('"../A/../B"') == "B"
    assert project_path("../../x") == "../x"


def test_unknown_configuration_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"there is no \.project"):
        build(tmp_path)
    put(fake_files(L4R5), tmp_path)
    with pytest.raises(ProjectError, match="Profile") as caught:
        build(tmp_path, "Profile")
    assert "Debug, Release" in str(caught.value)
    (tmp_path / "STM32L4R5ZITX_FLASH.ld").unlink()
    with pytest.raises(ProjectError, match="linker script"):
        build(tmp_path)


def test_a_missing_compiler_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="arm-none-eabi-gcc was not found") as caught:
        build(put(fake_files(L4R5), tmp_path / "p"))
    assert "apt-get install gcc-arm-none-eabi" in str(caught.value)


@needs_compiler
@pytest.mark.parametrize("configuration", ["Debug", "Release"])
@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_both_configurations_of_both_cores_build(board: Board, configuration: str, tmp_path: Path) -> None:
    directory = put(fake_files(board), tmp_path / "project")
    before = set(directory.rglob("*"))
    result = build(directory, configuration, tmp_path / "out", workers=2)
    assert result.elf == tmp_path / "out" / configuration / "demo.elf"
    assert set(directory.rglob("*")) == before, "nothing is written into the project"
    assert (result.compiled, result.reused) == (5, 0)
    with result.elf.open("rb") as stream:
        image = ELFFile(stream)
        assert image["e_machine"] == "EM_ARM"
        symbols = elf_symbols(image)
    assert 0x0800_0000 <= symbols["main"] < 0x0801_0000 and symbols["counter"] >= 0x2000_0000
    assert "never_called" not in symbols, "unused sections are dropped"


@needs_compiler
def test_sizes_add_up(tmp_path: Path) -> None:
    result = build(put(fake_files(U575), tmp_path / "p"), "Release", tmp_path / "out")
    size = result.size
    with result.elf.open("rb") as stream:
        sections = {s.name: s for s in ELFFile(stream).iter_sections() if s["sh_flags"] & 2 and s["sh_size"]}
    loaded = sum(s["sh_size"] for s in sections.values() if s["sh_type"] != "SHT_NOBITS")
    assert size.text + size.data == size.flash_bytes == loaded
    assert size.data + size.bss == size.ram_bytes == sections[".data"]["sh_size"] + sections[".bss"]["sh_size"]
    assert size.flash_by_source["Middlewares/Approx/Src/approx_layer_00.s"] == 6  # smlad, bx lr
    assert size.flash_by_source["Middlewares/CMSIS-NN/Source/twice.c"] >= 256  # the table is there
    assert size.flash_by_source.get(PADDING, 0) < 16
    assert size.ram_by_source["Core/Src/main.c"] == 4 + 64
    assert size.ram_by_source["Drivers/BSP/board.c"] == 4
    assert size.symbols["kernel"] == 6 and size.symbols["table"] == 256


@needs_compiler
def test_only_what_changed_is_compiled_again(tmp_path: Path) -> None:
    directory, out = put(fake_files(L4R5), tmp_path / "p"), tmp_path / "out"
    first = build(directory, "Release", out)
    elf = first.elf.read_bytes()
    stamp = first.elf.stat().st_mtime_ns
    (directory / "Core/Src/main.c").touch()
    again = build(directory, "Release", out)
    assert (again.compiled, again.reused) == (0, 5)
    assert again.elf.stat().st_mtime_ns == stamp and again.size == first.size
    header = directory / "Core/Inc/app.h"
    text = header.read_text()
    header.write_text(text + "\n#define MORE 1\n")
    assert build(directory, "Release", out).compiled == 2, "main.c and board.c include it"
    header.write_text(text)
    assert build(directory, "Release", out).compiled == 2
    cproject = directory / ".cproject"
    cproject.write_text(cproject.read_text().replace("optimization.level.value.o2", "optimization.level.value.os"))
    assert build(directory, "Release", out).compiled == 2, "the override of Middlewares stays"
    cproject.write_text(cproject.read_text().replace("optimization.level.value.os", "optimization.level.value.o2"))
    (out / "Release" / "Core/Src/main.o").unlink()
    last = build(directory, "Release", out)
    assert last.compiled == 2 and last.elf.read_bytes() == elf, "the same sources give the same bytes"


@needs_compiler
def test_the_program_does_not_depend_on_its_place(tmp_path: Path) -> None:
    elves = set()
    for place in ("here", "there/with a space"):
        directory = put(fake_files(U575), tmp_path / place / "project")
        elves.add(build(directory, "Debug", tmp_path / place / "build").elf.read_bytes())
    assert len(elves) == 1
    moved = build(tmp_path / "here" / "project", "Debug", tmp_path / "there/with a space" / "build")
    assert moved.compiled == 0 and moved.elf.read_bytes() in elves


ODD = [
    *("a,b", "Models, 2024", "100%", "a%b", "%{o}", 'say "hi"', "it's", "back\\slash", "a\\ b", "tab\there", "a  b "),
    *("a$b", "$(a)", "#1", "a: b", "a=b", "*?", "[a]{b}", "a;b|c&d", "<a>", "@a", "-a", "~", "äöü", "(a)", "`a`", "!"),
]
"""Names of folders in which gcc, ld, make or a response file might see more than a name."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The small project, built below a folder without surprises."""
    folder = tmp_path_factory.mktemp("plain")
    return build(put(fake_files(U575), folder / "project"), "Release", folder / "out")


@needs_compiler
@pytest.mark.parametrize("name", ODD)
def test_folders_with_odd_names(name: str, plain: BuildResult, tmp_path: Path) -> None:
    """The same program whatever the folders are called, all changes noticed, and no file of anybody else's touched."""
    files = fake_files(U575)
    files["Core/Src/main.c"] += f'#include "{tmp_path / name / "outside"}.h"\n'.encode()
    if "\\" in name or '"' in name:
        files = fake_files(U575)  # not a name for an #include
    directory, outside = put(files, tmp_path / name / "project"), tmp_path / name / "outside.h"
    outside.write_text("/* nothing */\n", encoding="utf-8")
    strangers = [Path(str(directory).split(",", 1)[0]), Path(str(directory).split("%", 1)[0])]
    strangers = [path for path in strangers if path.parent == tmp_path and not path.exists()]
    for stranger in strangers:
        stranger.write_text("mine", encoding="utf-8")
    result = build(directory, "Release", tmp_path / name / "out")
    assert result.compiled == 5
    assert result.elf == tmp_path / name / "out/Release/demo.elf"
    assert result.elf.read_bytes() == plain.elf.read_bytes()
    assert result.size == plain.size
    assert "Memory Configuration" in result.map_file.read_text(encoding="utf-8", errors="replace")
    assert build(directory, "Release", tmp_path / name / "out").reused == 5
    outside.write_text("extern int more;\n", encoding="utf-8")
    assert build(directory, "Release", tmp_path / name / "out").compiled == int(b"outside" in files["Core/Src/main.c"])
    assert [stranger.read_text(encoding="utf-8") for stranger in strangers] == ["mine"] * len(strangers)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {path.name for path in strangers}


@needs_compiler
def test_warnings_are_counted_also_for_objects_that_are_used_again(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    files["Core/Src/warned.c"] = b"int f(int a, int b);\nint f(int a, int b) { int unused; return a; }\n"
    directory = put(files, tmp_path / "p")
    for reused in (0, 6):
        result = build(directory, "Release", tmp_path / "out")
        assert result.reused == reused
        assert len(result.warnings) == 2 and all("warned.c:2" in line for line in result.warnings)


@needs_compiler
def test_compiler_errors_are_told_with_their_command(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    files["Core/Src/broken.c"] = b"int f(void) { return missing; }\n"
    directory = put(files, tmp_path / "p")
    with pytest.raises(ToolError, match=r"failed on Core/Src/broken\.c") as caught:
        build(directory, "Release", tmp_path / "out")
    message = str(caught.value)
    assert "broken.c:1" in message and "missing" in message and "-mcpu=cortex-m4" in message
    (directory / "Drivers/BSP/worse.c").write_text("int g( { }\n")
    with pytest.raises(ErrorGroup) as both:
        build(directory, "Release", tmp_path / "out")
    assert "broken.c" in str(both.value) and "worse.c" in str(both.value)


@needs_compiler
def test_linker_errors_are_told(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    files["Middlewares/Approx/Src/approx_layer_00.s"] = b""
    directory = put(files, tmp_path / "p")
    with pytest.raises(ToolError, match="the linker failed") as caught:
        build(directory, "Release", tmp_path / "out")
    assert "kernel" in str(caught.value)
    assert not (tmp_path / "out/Release/demo.elf").exists()
