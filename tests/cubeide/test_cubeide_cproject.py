from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from fake_project import BOARDS, L4R5, U575, fake_files, put, settings

from approx_plugin.boards.board import Board
from approx_plugin.cubeide.cproject import HEADER, cproject_text
from approx_plugin.cubeide.managed import read_managed
from approx_plugin.cubeide.project_file import project_text

P = "com.st.stm32cube.ide.mcu.gnu.managedbuild"

TOOLS = [
    "assembler",
    "c.compiler",
    "cpp.compiler",
    "c.linker",
    "cpp.linker",
    "archiver",
    "size",
    "objdump.listfile",
    "objcopy.hex",
    "objcopy.binary",
    "objcopy.verilog",
    "objcopy.srec",
    "objcopy.symbolsrec",
]


def root_of(board: Board) -> Element:
    return ElementTree.fromstring(cproject_text(settings(board)))


def configuration(root: Element, name: str) -> Element:
    return next(c for c in root.iter("configuration") if c.get("name") == name)


def folder(root: Element, name: str, path: str) -> Element:
    return next(f for f in configuration(root, name).iter("folderInfo") if f.get("resourcePath") == path)


def option(node: Element, tail: str) -> Element:
    found = [o for o in node.iter("option") if o.get("superClass") == f"{P}.{tail}"]
    assert len(found) == 1
    return found[0]


def values(node: Element) -> list[str]:
    return [v.get("value", "") for v in node.iter("listOptionValue")]


def test_the_first_node_is_the_processing_instruction() -> None:
    lines = cproject_text(settings(U575)).splitlines()
    assert lines[0] == '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
    assert lines[1] == (
        '<?fileVersion 4.0.0?><cproject storage_type_id="org.eclipse.cdt.core.XmlProjectDescriptionStorage">'
    )
    assert cproject_text(settings(U575)).startswith(HEADER)


def test_outline() -> None:
    """The same elements in the same order as in a project that STM32CubeMX made for this board."""
    root = root_of(U575)
    assert [m.get("moduleId") for m in root] == [
        "org.eclipse.cdt.core.settings",
        "org.eclipse.cdt.core.pathentry",
        "cdtBuildSystem",
        "org.eclipse.cdt.core.LanguageSettingsProviders",
        "org.eclipse.cdt.make.core.buildtargets",
        "refreshScope",
        "scannerConfiguration",
    ]
    for cconfiguration, name, kind in zip(root[0], ("Debug", "Release"), ("debug", "release")):
        assert [m.get("moduleId") for m in cconfiguration] == [
            "org.eclipse.cdt.core.settings",
            "cdtBuildSystem",
            "org.eclipse.cdt.core.externalSettings",
        ]
        found = cconfiguration[1][0]
        assert found.tag == "configuration" and found.get("name") == name
        assert found.get("id") == cconfiguration.get("id") == cconfiguration[0].get("id")
        assert found.get("parent") == f"{P}.config.exe.{kind}"
        assert found.get("buildProperties", "").endswith(f"buildType.{kind}")
        assert [(c.tag, c.get("resourcePath")) for c in found] == [
            ("folderInfo", ""),
            ("folderInfo", "Middlewares"),
            ("sourceEntries", None),
        ]
        assert found[0].get("id") == found.get("id", "") + "."
        toolchain = found[0][0]
        assert toolchain.get("superClass") == f"{P}.toolchain.exe.{kind}"
        assert [c.tag for c in toolchain] == ["option"] * 8 + ["targetPlatform", "builder"] + ["tool"] * 13
        assert [t.get("superClass") for t in toolchain.iter("tool")] == [f"{P}.tool.{t}" for t in TOOLS]
        assert toolchain.find("builder").get("buildPath") == f"${{workspace_loc:/demo}}/{name}"  # type: ignore[union-attr]
        assert [(e.get("name"), e.get("kind"), e.get("flags")) for e in found[2]] == [
            (entry, "sourcePath", "VALUE_WORKSPACE_PATH|RESOLVED") for entry in ("Core", "Drivers", "Middlewares")
        ]


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.id)
def test_toolchain_options(board: Board) -> None:
    node = folder(root_of(board), "Release", "")
    expected = {
        "target_mcu": (board.mcu, "string"),
        "target_cpuid": ("0", "string"),
        "target_coreid": ("0", "string"),
        "fpu": (f"{P}.option.fpu.value.{board.fpu}", "enumerated"),
        "floatabi": (f"{P}.option.floatabi.value.hard", "enumerated"),
        "target_board": (board.name, "string"),
    }
    for name, value in expected.items():
        found = option(node, f"option.{name}")
        assert (found.get("value"), found.get("valueType")) == value


def test_defaults_record_is_the_one_of_revision_1_0_6() -> None:
    record = option(folder(root_of(U575), "Debug", ""), "option.defaults").get("value")
    assert record == (
        "com.st.stm32cube.ide.common.services.build.inputs.revA.1.0.6 || Debug || true || Executable || "
        f"{P}.option.toolchain.value.workspace || NUCLEO-U575ZI-Q || 0 || 0 || arm-none-eabi- || "
        "${gnu_tools_for_stm32_compiler_path} || "
        "../Core/Inc | ../Drivers/BSP | ../Middlewares/CMSIS-NN/Include ||  ||  || STM32U575xx ||  || "
        "Middlewares | Drivers | Core ||  ||  || ${workspace_loc:/${ProjName}/STM32U575ZITXQ_FLASH.ld} || true || "
        "NonSecure ||  || secure_nsclib.o ||  || None ||  ||  || "
    )


@pytest.mark.parametrize(
    ("name", "level", "debug", "symbols"),
    [("Debug", "og", "g3", ["DEBUG", "STM32L4R5xx"]), ("Release", "o2", "g0", ["STM32L4R5xx"])],
)
def test_compiler_options(name: str, level: str, debug: str, symbols: list[str]) -> None:
    root = root_of(L4R5)
    node = folder(root, name, "")
    prefix = "tool.c.compiler.option"
    assert option(node, f"{prefix}.optimization.level").get("value") == f"{P}.{prefix}.optimization.level.value.{level}"
    assert option(node, f"{prefix}.debuglevel").get("value") == f"{P}.{prefix}.debuglevel.value.{debug}"
    assert values(option(node, f"{prefix}.definedsymbols")) == symbols
    assert values(option(node, f"{prefix}.includepaths")) == [
        "../Core/Inc",
        "../Drivers/BSP",
        "../Middlewares/CMSIS-NN/Include",
    ]
    script = option(node, "tool.c.linker.option.script")
    assert script.get("value") == "${workspace_loc:/${ProjName}/STM32L4R5ZITX_FLASH.ld}"


def test_the_override_inherits_all_but_the_optimisation() -> None:
    root = root_of(U575)
    parent, child = folder(root, "Debug", ""), folder(root, "Debug", "Middlewares")
    known = {node.get("id"): node for node in parent.iter() if node.get("id")}
    assert child[0].get("superClass") == f"{P}.toolchain.exe.debug" and child[0].get("unusedChildren") == ""
    for tool, original in zip(child.iter("tool"), parent.iter("tool")):
        assert tool.get("superClass") == original.get("id")
    for inherited in child[0].findall("option"):
        assert inherited.get("superClass") in known and inherited.get("value") is None
    overridden = [o for o in child.iter("option") if o.get("value")]
    assert [o.get("value") for o in overridden] == [f"{P}.tool.c.compiler.option.optimization.level.value.o3"]
    assert overridden[0].get("superClass") == f"{P}.tool.c.compiler.option.optimization.level"


def test_every_discovery_record_names_elements_of_the_file() -> None:
    root = root_of(U575)
    ids = {node.get("id") for node in root.iter()}
    records = [r.get("instanceId", "").split(";") for r in root.iter("scannerConfigBuildInfo")]
    assert len(records) == 2
    assert all(len(record) == 4 and set(record) <= ids for record in records)


def test_same_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from fake_project import U575, settings; "
        "from approx_plugin.cubeide.cproject import cproject_text; sys.stdout.write(cproject_text(settings(U575)))"
    )
    here = Path(__file__).parents[1] / "support"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, str(here)],
            cwd=here.parent.parent,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {cproject_text(settings(U575))}


def test_project_description() -> None:
    root = ElementTree.fromstring(project_text("demo", "STM32U5"))
    assert root.findtext("name") == "demo"
    assert [n.text for n in root.iter("nature")] == [
        "com.st.stm32cube.ide.mcu.MCUProjectNature",
        "org.eclipse.cdt.core.cnature",
        "com.st.stm32cube.ide.mcu.MCUCubeIdeServicesRevAev2ProjectNature",
        "com.st.stm32cube.ide.mcu.MCUAdvancedStructureProjectNature",
        "com.st.stm32cube.ide.mcu.MCUEndUserDisabledTrustZoneProjectNature",
        "com.st.stm32cube.ide.mcu.MCUNonSecureProjectNature",
        "com.st.stm32cube.ide.mcu.MCUSingleCpuProjectNature",
        "com.st.stm32cube.ide.mcu.MCURootProjectNature",
        "org.eclipse.cdt.managedbuilder.core.managedBuildNature",
        "org.eclipse.cdt.managedbuilder.core.ScannerConfigNature",
    ]
    assert [n.text for n in root.iter("triggers")] == ["clean,full,incremental,", "full,incremental,"]
    assert "TrustZone" not in project_text("demo", "STM32L4")
    assert not list(root.iter("link"))


def test_names_are_escaped_and_read_back(tmp_path: Path) -> None:
    project = read_managed(put(fake_files(L4R5, "a-b.c_1"), tmp_path))
    assert project.name == "a-b.c_1"
    assert [c.name for c in project.configurations] == ["Debug", "Release"]
