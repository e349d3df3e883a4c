from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_project import BOARDS, L4R5, U575, fake_files, put

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script, linker_script_name
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.build import check_build
from approx_plugin.build.check import check_project
from approx_plugin.build.check_build import _number
from approx_plugin.cubeide.check_format import check_first_node
from approx_plugin.cubeide.mcu import PARTS, core_of
from approx_plugin.library import c_symbols
from approx_plugin.virtual_board import library

P = "com.st.stm32cube.ide.mcu.gnu.managedbuild"
Mutation = Callable[[dict[str, bytes]], None]


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_a_good_project_has_no_findings(board: Board, tmp_path: Path) -> None:
    assert check_project(put(fake_files(board), tmp_path)) == ()


STM32_BOARDS = [name for name in known_boards() if load_board(name).mcu.startswith("STM32")]


@pytest.mark.parametrize("name", STM32_BOARDS)
def test_every_board_agrees_with_the_table_of_parts(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    assert board.mcu in PARTS, "without an entry its macro, FPU and memories would go unchecked"
    assert core_of(board.mcu) == board.core
    files = fake_files(board)
    files[linker_script_name(board)] = linker_script(board).encode()
    assert check_project(put(files, tmp_path)) == ()


def replace(path: str, old: str, new: str, count: int = -1) -> Mutation:
    def mutate(files: dict[str, bytes]) -> None:
        text = files[path].decode()
        assert old in text, "the mutation must change something"
        files[path] = text.replace(old, new, count).encode()

    return mutate


def substitute(path: str, pattern: str, new: str, count: int = 1) -> Mutation:
    def mutate(files: dict[str, bytes]) -> None:
        text, changed = re.subn(pattern, new, files[path].decode(), count=count, flags=re.DOTALL)
        assert changed
        files[path] = text.encode()

    return mutate


def move(old: str, new: str) -> Mutation:
    def mutate(files: dict[str, bytes]) -> None:
        files[new] = files.pop(old)

    return mutate


def add(path: str, text: str) -> Mutation:
    return lambda files: files.update({path: text.encode()})


def remove(path: str) -> Mutation:
    def mutate(files: dict[str, bytes]) -> None:
        del files[path]

    return mutate


C = ".cproject"
SCRIPT = "STM32U575ZITXQ_FLASH.ld"
LICENCE = "<!-- a licence header -->"
DEFECTS: dict[str, tuple[Mutation, str]] = {
    "comment before the instruction": (replace(C, "<?fileVersion", f"{LICENCE}\n<?fileVersion"), "first-node"),
    "instruction missing": (replace(C, "<?fileVersion 4.0.0?>", ""), "first-node"),
    "version too new": (replace(C, "fileVersion 4.0.0", "fileVersion 5.0.0"), "first-node"),
    "not XML": (replace(C, "</cproject>", ""), "readable"),
    "no .cproject": (remove(C), "readable"),
    "no .project": (remove(".project"), "readable"),
    "wrong storage type": (replace(C, "XmlProjectDescriptionStorage", "Storage"), "root"),
    "stray element": (replace(C, "</cproject>", "<extra/></cproject>"), "storage-module"),
    "stray text": (replace(C, "</cproject>", "stray</cproject>"), "storage-module"),
    "module missing": (
        substitute(C, r'\t<storageModule moduleId="refreshScope".*?\n\t</storageModule>\n', ""),
        "storage-module",
    ),
    "module without id": (replace(C, ' moduleId="org.eclipse.cdt.core.pathentry"', ""), "storage-module"),
    "id used twice": (
        substitute(C, r'(<tool id=")[^"]+(" name="MCU Size")', rf"\g<1>{P}.tool.archiver.1\g<2>", 0),
        "unique-id",
    ),
    "unknown super class": (
        replace(C, f'superClass="{P}.tool.archiver"', f'superClass="{P}.tool.archiver9"'),
        "super-class",
    ),
    "typing error in an option": (replace(C, "option.definedsymbols", "option.definedsymbol"), "super-class"),
    "no root dot": (substitute(C, r'(<folderInfo id="[^"]+)\.(" name="/" resourcePath="")', r"\1\2"), "folder-info"),
    "configuration outside": (substitute(C, r'(<configuration [^>]*id="[^"]+)"', r'\g<1>7"'), "configuration"),
    "unknown parent": (replace(C, f'parent="{P}.config.exe.release"', 'parent="x"'), "configuration"),
    "no build configuration": (replace(C, "<configuration artifact", "<configurations artifact"), "readable"),
    "provider missing": (replace(C, "configurationDataProvider", "dataProvider"), "configuration"),
    "parser missing": (replace(C, 'id="org.eclipse.cdt.core.GCCErrorParser"', 'id="x"'), "configuration"),
    "toolchain of the other kind": (
        replace(C, f'superClass="{P}.toolchain.exe.debug"', f'superClass="{P}.toolchain.exe.release"'),
        "toolchain",
    ),
    "no MCU": (
        substitute(C, rf'\t*<option id="{P}.option.target_mcu[^>]*value="STM32U575ZITxQ"[^>]*/>\n', ""),
        "toolchain-option",
    ),
    "no size tool": (substitute(C, r'\t*<tool [^>]*name="MCU Size"[^>]*/>\n', ""), "tool"),
    "other name in .project": (replace(".project", "<name>demo</name>", "<name>demo2</name>"), "names"),
    "other build path": (replace(C, "${workspace_loc:/demo}/Debug", "${workspace_loc:/demo}/Release"), "names"),
    "other scope": (replace(C, 'workspacePath="/demo"', 'workspacePath="/other"'), "names"),
    "scope missing": (replace(C, 'configurationName="Release"', 'configurationName="Test"'), "names"),
    "broken discovery record": (substitute(C, r'instanceId="([^;]*);', r'instanceId="\g<1>x;'), "scanner"),
    "absolute include": (replace(C, 'value="../Core/Inc"', 'value="/opt/Core/Inc"'), "portable-path"),
    "drive": (replace(C, 'value="../Core/Inc"', 'value="C:/Core/Inc"'), "portable-path"),
    "backslash": (replace(C, 'value="../Core/Inc"', 'value="..\\Core\\Inc"'), "portable-path"),
    "include missing": (replace(C, 'value="../Drivers/BSP"', 'value="../Drivers/Board"'), "include-path"),
    "include in other case": (replace(C, 'value="../Core/Inc"', 'value="../Core/inc"'), "include-path"),
    "include outside": (replace(C, 'value="../Core/Inc"', 'value="../../Core/Inc"'), "include-path"),
    "source folder in other case": (replace(C, 'name="Drivers"', 'name="drivers"'), "source-entry"),
    "source folder forgotten": (substitute(C, r'\t*<entry [^>]*name="Middlewares"/>\n', "", 0), "uncompiled"),
    "excluded file missing": (
        replace(C, '<entry flags="VALUE_WORKSPACE_PATH|RESOLVED" kind', '<entry excluding="no.c" flags="R" kind'),
        "source-entry",
    ),
    "options for no folder": (replace(C, 'resourcePath="Middlewares"', 'resourcePath="Middleware"'), "folder-info"),
    "script in other case": (move(SCRIPT, "stm32u575zitxq_flash.ld"), "linker-script"),
    "script missing": (remove(SCRIPT), "linker-script"),
    "no startup": (remove("Core/Startup/startup_stm32u575zitxq.s"), "definitions"),
    "two startups": (add("Core/Startup/old.S", "Reset_Handler:\n"), "definitions"),
    "two mains": (add("Core/Src/app.c", "int main(int argc, char **argv)\n{\n}\n"), "definitions"),
    "main in a comment only": (replace("Core/Src/main.c", "int main(void)\n{", "int start(void)\n{"), "definitions"),
    "main excluded": (
        replace(C, 'RESOLVED" kind="sourcePath" name="Core"', 'R" excluding="Src/main.c" kind="" name="Core"'),
        "definitions",
    ),
    "one object for two sources": (add("Middlewares/Approx/Src/approx_layer_00.c", "int x;\n"), "object-name"),
    "unknown part": (replace(C, '"STM32U575ZITxQ"', '"STM99"'), "mcu"),
    "part of another board": (replace(C, '"STM32U575ZITxQ"', '"STM32L4R5ZITx"'), "define"),
    "fpu of another core": (replace(C, "fpu.value.fpv5-sp-d16", "fpu.value.fpv4-sp-d16"), "fpu"),
    "macro of another part": (replace(C, "STM32U575xx", "STM32U585xx"), "define"),
    "ram too long": (replace(SCRIPT, "768K", "786K"), "memory"),
    "flash elsewhere": (replace(SCRIPT, "ORIGIN = 0x08000000", "ORIGIN = 0x00000000"), "memory"),
    "no memories": (replace(SCRIPT, "MEMORY", "MEMORIES"), "memory"),
    "record: board": (replace(C, "|| NUCLEO-U575ZI-Q ||", "|| NUCLEO-L4R5ZI ||"), "defaults"),
    "record: include": (replace(C, "|| ../Core/Inc |", "|| ../Core/Include |"), "defaults"),
    "record: symbol": (replace(C, "|| STM32U575xx ||", "|| STM32U575xx | X ||"), "defaults"),
    "record: folder": (replace(C, "Middlewares | Drivers", "Drivers"), "defaults"),
    "record: script": (replace(C, "_FLASH.ld} || true", "_RAM.ld} || true"), "defaults"),
    "record: configuration": (replace(C, "|| Debug || true ||", "|| Debug || false ||"), "defaults"),
    "record: field missing": (replace(C, "|| NonSecure ||  ||", "|| NonSecure ||"), "defaults"),
    "nature missing": (replace(".project", "com.st.stm32cube.ide.mcu.MCUProjectNature", "x"), "nature"),
    "nature without .ioc": (
        replace(".project", "<natures>", "<natures><nature>com.st.stm32cube.ide.mcu.MCUCubeProjectNature</nature>"),
        "nature",
    ),
    "builder missing": (replace(".project", "genmakebuilder", "makebuilder"), "builder"),
    "linked resource": (
        replace(
            ".project",
            "</projectDescription>",
            "<linkedResources><link><name>A</name></link></linkedResources></projectDescription>",
        ),
        "linked-resource",
    ),
}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_planted_defect_is_found(defect: str, tmp_path: Path) -> None:
    mutate, rule = DEFECTS[defect]
    files = fake_files(U575)
    mutate(files)
    findings = check_project(put(files, tmp_path))
    assert rule in {finding.rule for finding in findings}, [str(f) for f in findings]
    assert all(finding.message and finding.file for finding in findings)


def test_an_excluded_second_main_is_fine(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    files["Core/Src/old.c"] = b"int main(void) { return 0; }\n"
    mutate = replace(
        C, 'VALUE_WORKSPACE_PATH|RESOLVED" kind="sourcePath" name="Core"', 'R" excluding="Src/old.c" name="Core"'
    )
    mutate(files)
    assert check_project(put(files, tmp_path)) == ()


def test_sources_in_build_folders_are_no_sources(tmp_path: Path) -> None:
    files = fake_files(L4R5)
    files["Debug/generated.c"] = files[".hidden/x.c"] = b"int x;\n"
    assert check_project(put(files, tmp_path)) == ()


def test_an_empty_directory(tmp_path: Path) -> None:
    assert {finding.file for finding in check_project(tmp_path)} == {".project", ".cproject"}
    assert check_project(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x08000000", 1 << 27),
        (" 640K ", 640 << 10),
        ("2M", 2 << 20),
        ("0", 0),
        ("010K", 8 << 10),  # octal, as ld takes it
        ("08", -1),
        ("9" * 5000, -1),
        ("0x" + "f" * 5000, -1),
        ("\u0661", -1),
        ("A + B", -1),
        ("640K\n", 640 << 10),
    ],
)
def test_numbers_of_a_linker_script(text: str, value: int) -> None:
    assert _number(text) == value


def test_a_file_version_of_any_length() -> None:
    for version in ("9" * 5000 + ".0.0", "\u0664.0.0"):
        text = f"<?fileVersion {version}?>"
        assert [finding.rule for finding in check_first_node(text)] == ["first-node"]


def test_comments_that_never_end_are_passed_over_at_once() -> None:
    """A pattern that looked for their end from each of their beginnings would take minutes."""
    for pattern in (check_build._COMMENTS, c_symbols._NOISE, library.COMMENT):
        assert pattern.sub("", "int x; " + "/* " * 400_000) == "int x; "
