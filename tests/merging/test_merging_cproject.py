"""Insertions into a person's .cproject: what the IDE makes of them, and that every byte comes back."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from host_projects import STYLES, Style, cproject, cube_project, put
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.cubeide.managed import read_managed
from approx_plugin.errors import ProjectError
from approx_plugin.merging.cproject import Addition, merge, without

FOLDER = "Middlewares/Approx"
ADDITION = Addition(FOLDER, f"{FOLDER}/Inc", (f"{FOLDER}/Inc", f"{FOLDER}/CMSIS-NN/Include"))


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    return STYLES[request.param]


def test_removing_gives_back_every_byte(style: Style) -> None:
    before = cproject(style)
    merged = merge(before, ADDITION, {})
    assert merged.content != before
    assert without(merged.content, FOLDER, merged.expanded) == before


def test_a_second_run_changes_nothing(style: Style) -> None:
    once = merge(cproject(style), ADDITION, {})
    assert merge(once.content, ADDITION, once.expanded) == once


def test_nothing_but_insertions(style: Style) -> None:
    """No line of the person's is lost or moved, but for one that had no content, which is opened."""
    before = cproject(style).decode().splitlines(keepends=True)
    after = merge(cproject(style), ADDITION, {}).content.decode().splitlines(keepends=True)
    lost = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("- ")]
    assert all(line.rstrip().endswith("/>") and "includepaths" in line for line in lost)
    assert bool(lost) == (style.includes == ())
    added = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("+ ")]
    assert added and all(line.endswith(style.newline) for line in added)


def test_the_defaults_record_is_not_touched(style: Style) -> None:
    def records(content: bytes) -> list[bytes]:
        return re.findall(rb"<option [^>]*option\.defaults\"[^>]*value=[^>]*>", content)

    found = records(cproject(style))
    assert len(found) == 2 and records(merge(cproject(style), ADDITION, {}).content) == found


def test_the_ide_compiles_the_folder_once_and_quickly(style: Style, tmp_path: Path) -> None:
    directory = put(cube_project(style), tmp_path)
    (directory / ".cproject").write_bytes(merge(cproject(style), ADDITION, {}).content)
    put({f"{FOLDER}/Src/approx_network.c": b"", f"{FOLDER}/CMSIS-NN/Source/a.c": b""}, directory)
    project = read_managed(directory)
    assert [c.name for c in project.configurations] == ["Debug", "Release"]
    for configuration in project.configurations:
        sources = configuration.sources(directory)
        assert {f"{FOLDER}/Src/approx_network.c", f"{FOLDER}/CMSIS-NN/Source/a.c", "Core/Src/main.c"} <= set(sources)
        ours = configuration.options_for(f"{FOLDER}/Src/approx_network.c")
        theirs = configuration.options_for("Core/Src/main.c")
        assert ours["tool.c.compiler.option.optimization.level"].choice == "o3"
        assert theirs["tool.c.compiler.option.optimization.level"].choice == (
            "og" if "Debug" in configuration.name else "os"
        )
        assert ours["tool.c.compiler.option.includepaths"].items == tuple(f"../{d}" for d in ADDITION.own_includes)
        expected = (*(style.includes or ()), f"../{FOLDER}/Inc")
        assert theirs["tool.c.compiler.option.includepaths"].items == expected
        if style.cpp:
            assert configuration.root_options["tool.cpp.compiler.option.includepaths"].items == expected
        assert ours["option.target_mcu"].single == style.mcu


def test_a_source_entry_only_where_it_is_needed() -> None:
    def entries(name: str) -> int:
        return merge(cproject(STYLES[name]), ADDITION, {}).content.count(f'name="{FOLDER}"'.encode())

    assert {name: entries(name) for name in STYLES if "entr" in name or "middlewares" in name} == {
        "no entries": 0,
        "root entry": 0,
        "middlewares compiled": 0,
        "middlewares without ours": 2,
        "entries after ours": 2,
    }


def test_ids_are_unique_and_refer_to_the_users_tools(style: Style) -> None:
    root = ElementTree.fromstring(merge(cproject(style), ADDITION, {}).content)
    ids = [node.get("id", "") for node in root.iter() if node.tag in ("option", "tool", "toolChain", "folderInfo")]
    assert len(ids) == len(set(ids))
    ours = [info for info in root.iter("folderInfo") if info.get("resourcePath") == FOLDER]
    assert len(ours) == 2
    for info in ours:
        for tool in info.iter("tool"):
            assert tool.get("superClass") in ids


def test_what_the_person_adds_to_our_lists_stays() -> None:
    """In an option that was empty, and in one that was not there."""
    for name in ("empty include paths", "no include paths"):
        merged = merge(cproject(STYLES[name]), ADDITION, {})
        added = b'<listOptionValue builtIn="false" value="../Mine"/>'
        ours = b'<listOptionValue builtIn="false" value="../Middlewares/Approx/Inc"/>\n'
        edited = merged.content.replace(ours, ours + b"\t" * 9 + added + b"\n", 1)
        assert edited != merged.content
        left = without(edited, FOLDER, merged.expanded)
        assert left.count(added) == 1 and FOLDER.encode() not in left
        ElementTree.fromstring(left)
        again = merge(edited, ADDITION, merged.expanded)
        assert again.content.count(added) == 1 and without(again.content, FOLDER, again.expanded) == left


def test_without_the_note_it_is_taken_out_all_the_same(style: Style) -> None:
    left = without(merge(cproject(style), ADDITION, {}).content, FOLDER, {})
    assert FOLDER.encode() not in left
    ElementTree.fromstring(left)


def test_a_repair_after_the_ide_has_dropped_a_part(style: Style) -> None:
    merged = merge(cproject(style), ADDITION, {})
    damaged = re.sub(rb'\s*<listOptionValue [^>]*value="../Middlewares/Approx/Inc"/>', b"", merged.content, count=1)
    assert damaged != merged.content
    assert merge(damaged, ADDITION, merged.expanded).content == merged.content or style.includes in ((), None)


@given(st.sampled_from(sorted(STYLES)), st.binary(max_size=40).filter(lambda b: b"--" not in b and b"\0" not in b))
def test_comments_and_other_text_stay(name: str, noise: bytes) -> None:
    text = noise.decode("latin-1")
    comment = "<!-- " + "".join(c for c in text if c.isprintable() and c not in "-<>&") + " -->"
    before = cproject(STYLES[name]).replace(b"</sourceEntries>", comment.encode() + b"</sourceEntries>")
    merged = merge(before, ADDITION, {})
    assert without(merged.content, FOLDER, merged.expanded) == before


def test_what_is_no_managed_project_is_refused() -> None:
    with pytest.raises(ProjectError, match="not well-formed"):
        merge(b"<<<<<<< HEAD\n<cproject/>", ADDITION, {})
    with pytest.raises(ProjectError, match="no build configuration of STM32CubeIDE"):
        merge(b'<?fileVersion 4.0.0?><cproject storage_type_id="x"></cproject>', ADDITION, {})
    with pytest.raises(ProjectError, match="encoding"):
        merge('<?xml version="1.0" encoding="UTF-16"?><cproject/>'.encode("utf-16"), ADDITION, {})


def test_flags_follow_those_of_the_project() -> None:
    addition = Addition(FOLDER, f"{FOLDER}/Inc", (f"{FOLDER}/Inc",), ("-UCMSIS_NN_USE_SINGLE_ROUNDING",))
    text = merge(cproject(STYLES["current"]), addition, {}).content
    assert text.count(b'value="-UCMSIS_NN_USE_SINGLE_ROUNDING"') == 2
