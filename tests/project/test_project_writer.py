from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.errors import ErrorGroup, ProjectError
from approx_plugin.hashes import sha256
from approx_plugin.project.manifest import FILE_NAME, is_safe_path
from approx_plugin.project.transaction import STAGING
from approx_plugin.project.writer import write

FOLDERS = ("", "Core/", "Core/Src/", "Middlewares/Approx/Src/", "Drivers/BSP/")
PATHS = st.builds(lambda folder, name: folder + name, st.sampled_from(FOLDERS), st.sampled_from(["a.c", "b.h", "c.s"]))
TREES = st.dictionaries(PATHS, st.binary(max_size=40), max_size=10)
USER_FILES = st.dictionaries(
    st.builds(lambda folder, name: folder + name, st.sampled_from(FOLDERS), st.sampled_from(["mine.c", "notes"])),
    st.binary(max_size=20),
    max_size=4,
)


def snapshot(directory: Path) -> dict[str, tuple[bytes, int]]:
    return {
        p.relative_to(directory).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in directory.rglob("*")
        if p.is_file()
    }


def contents(directory: Path) -> dict[str, bytes]:
    return {path: content for path, (content, _) in snapshot(directory).items()}


def folders(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_dir()}


def parents(paths: set[str]) -> set[str]:
    return {"/".join(p.split("/")[:n]) for p in paths for n in range(1, p.count("/") + 1)}


def put(directory: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)


@given(first=TREES, second=TREES, user=USER_FILES)
@settings(deadline=None, max_examples=60)
def test_the_tree_is_what_was_asked_for_plus_the_users_files(
    first: dict[str, bytes], second: dict[str, bytes], user: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "deep" / "out"
        result = write(first, out)
        assert set(result.written) == set(first)
        put(out, user)
        result = write(second, out)
        found = contents(out)
        manifest = json.loads(found.pop(FILE_NAME))
        assert found == {**second, **user}
        assert manifest["files"] == {path: sha256(content) for path, content in sorted(second.items())}
        assert set(result.written) == {p for p in second if first.get(p) != second[p]}
        assert set(result.unchanged) == {p for p in second if first.get(p) == second[p]}
        assert set(result.removed) == set(first) - set(second)
        assert folders(out) == parents({*second, *user}), "emptied folders are removed"


@given(files=TREES, user=USER_FILES)
@settings(deadline=None, max_examples=30)
def test_a_rerun_changes_nothing(files: dict[str, bytes], user: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        write(files, out)
        put(out, user)
        before = snapshot(out)
        result = write(dict(reversed(files.items())), out)
        assert snapshot(out) == before, "neither bytes nor modification times"
        assert not result.written and not result.removed and not result.kept


FILES = {"Core/Src/main.c": b"main", "Core/Inc/a.h": b"a", "Middlewares/Approx/Src/k.s": b"kernel", "README.md": b"r"}


@given(edited=st.sets(st.sampled_from(sorted(FILES)), min_size=1))
@settings(deadline=None, max_examples=20)
def test_edited_files_are_all_named_and_kept(edited: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        write(FILES, out)
        put(out, dict.fromkeys(edited, b"my edit"))
        before = snapshot(out)
        with pytest.raises(ProjectError) as caught:
            write({**FILES, "Core/Src/new.c": b"new"}, out)
        assert snapshot(out) == before
        message = str(caught.value)
        assert f"{len(edited)} generated file(s) were edited" in message
        assert all(path in message for path in edited)
        assert "delete" in message and "force" in message
        write(FILES, out, force=True)
        assert {p: c for p, c in contents(out).items() if p != FILE_NAME} == FILES


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    (tmp_path / "README.md").unlink()
    assert write(FILES, tmp_path).written == ("README.md",)
    assert (tmp_path / "README.md").read_bytes() == b"r"


def test_an_edited_file_that_is_not_generated_any_more_stays(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    (tmp_path / "README.md").write_bytes(b"mine now")
    rest = {path: content for path, content in FILES.items() if path != "README.md"}
    result = write(rest, tmp_path)
    assert result.kept == ("README.md",) and not result.removed
    assert (tmp_path / "README.md").read_bytes() == b"mine now"
    with pytest.raises(ProjectError, match="not generated are in the way"):
        write(FILES, tmp_path, force=True)


def test_what_the_ide_changes_stays_while_the_generated_text_stays(tmp_path: Path) -> None:
    files = {**FILES, ".cproject": b"generated"}
    write(files, tmp_path)
    (tmp_path / ".cproject").write_bytes(b"edited in the IDE")
    result = write({**files, "README.md": b"other"}, tmp_path)
    assert result.written == ("README.md",) and result.kept == (".cproject",)
    assert (tmp_path / ".cproject").read_bytes() == b"edited in the IDE"
    with pytest.raises(ProjectError, match=r"edited since: \.cproject"):
        write({**files, ".cproject": b"generated otherwise"}, tmp_path)
    assert write(files, tmp_path, force=True).kept == ()
    assert (tmp_path / ".cproject").read_bytes() == b"generated"


@pytest.mark.parametrize("present", ["thesis.tex", "Core/Src/main.c", ".git/HEAD", "Debug/main.o"])
def test_a_directory_with_other_files_is_refused(tmp_path: Path, present: str) -> None:
    put(tmp_path, {present: b"precious"})
    for force in (False, True):
        with pytest.raises(ProjectError, match="that were not generated") as caught:
            write(FILES, tmp_path, force=force)
        assert present in str(caught.value)
    assert contents(tmp_path) == {present: b"precious"}
    assert folders(tmp_path) == parents({present})


def test_empty_folders_are_nobodys(tmp_path: Path) -> None:
    (tmp_path / "out" / "Core").mkdir(parents=True)
    assert len(write(FILES, tmp_path / "out").written) == len(FILES)


def test_a_users_file_in_the_way_is_never_replaced(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    put(tmp_path, {"Core/Src/app.c": b"mine"})
    (tmp_path / "README.md").write_bytes(b"edited")
    before = snapshot(tmp_path)
    with pytest.raises(ErrorGroup) as caught:
        write({**FILES, "Core/Src/app.c": b"generated"}, tmp_path)
    assert "Core/Src/app.c" in str(caught.value) and "README.md" in str(caught.value)
    assert snapshot(tmp_path) == before


def test_things_that_are_no_files_are_in_the_way(tmp_path: Path) -> None:
    write({"README.md": b"r"}, tmp_path)
    (tmp_path / "Core").write_bytes(b"a file where a folder has to be")
    (tmp_path / "folder.c").mkdir()
    before = snapshot(tmp_path)
    with pytest.raises(ProjectError) as caught:
        write({"README.md": b"r", "Core/Src/main.c": b"m", "folder.c": b"f"}, tmp_path)
    assert "Core/Src/main.c, folder.c" in str(caught.value)
    assert snapshot(tmp_path) == before


def test_nothing_is_written_through_links(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write({"README.md": b"r"}, out)
    (out / "Core").symlink_to(elsewhere)
    with pytest.raises(ProjectError, match="symbolic link"):
        write({"README.md": b"r", "Core/main.c": b"m"}, out)
    assert not list(elsewhere.iterdir())
    (out / "Core").unlink()
    write({"README.md": b"r", "Core/main.c": b"m"}, out)
    (elsewhere / "main.c").write_bytes(b"m")
    (out / "Core" / "main.c").unlink()
    (out / "Core").rmdir()
    (out / "Core").symlink_to(elsewhere)
    assert write({"README.md": b"r"}, out).removed == ()
    assert (elsewhere / "main.c").read_bytes() == b"m"


def test_the_output_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"x")
    with pytest.raises(ProjectError, match="is a file"):
        write(FILES, tmp_path / "out")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"generator": "approx-plugin", "format": 1, "files": []}',
        b'{"generator": "another", "format": 1, "files": {}}',
        b'{"generator": "approx-plugin", "format": 1, "files": {"../x": "%s"}}' % (b"0" * 64),
        b'{"generator": "approx-plugin", "format": 1, "files": {"/etc/passwd": "%s"}}' % (b"0" * 64),
        b'{"generator": "approx-plugin", "format": 1, "files": {"a": "short"}}',
        b'{"generator": "approx-plugin", "format": 9, "files": {}}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_manifest_is_an_error(tmp_path: Path, text: bytes) -> None:
    write(FILES, tmp_path)
    (tmp_path / FILE_NAME).write_bytes(text)
    before = snapshot(tmp_path)
    with pytest.raises(ProjectError, match="manifest"):
        write(FILES, tmp_path)
    assert snapshot(tmp_path) == before


def test_a_run_that_was_killed_while_staging_is_forgotten(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    put(tmp_path, {f"{STAGING}/new/README.md": b"half", f"{STAGING}/{FILE_NAME}": b'{"format": 1, "gen'})
    assert write(FILES, tmp_path).unchanged == tuple(sorted(FILES))
    assert not (tmp_path / STAGING).exists()


def test_paths_outside_are_a_defect_of_the_caller(tmp_path: Path) -> None:
    for path in ("../x", "/x", "a/../b", "a//b", "", ".", "C:/x", "a\\b", FILE_NAME, f"{STAGING}/x"):
        with pytest.raises(ValueError, match="not paths of a project"):
            write({path: b""}, tmp_path)
    assert is_safe_path(".settings/a") and is_safe_path("a..b")
