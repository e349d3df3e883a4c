"""Putting a network into a project and taking it out: all or nothing, nobody's file but ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from digits_project import tree
from host_projects import STYLES, cmake_project, cube_project, put

from approx_plugin.errors import ErrorGroup, ProjectError
from approx_plugin.merging.cproject import Addition
from approx_plugin.merging.host import Host, read_host
from approx_plugin.merging.merge import Wish, check_place, missing, take_out
from approx_plugin.merging.merge import put as put_network
from approx_plugin.project import transaction

FOLDER = "Middlewares/Approx"
FILES = {"Inc/approx_app.h": b"void MX_APPROX_Init(void);\n", "Src/approx_app.c": b"void MX_APPROX_Init(void) {}\n"}
WISH = Wish(Addition(FOLDER, f"{FOLDER}/Inc", (f"{FOLDER}/Inc",)), FILES, "digits")


@pytest.fixture(params=["windows", "cmake", "cmake without a line end", "both"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    files = cube_project(STYLES["windows"]) if request.param in ("windows", "both") else {}
    if request.param != "windows":
        files |= cmake_project("\r\n" if request.param == "both" else "\n")
    if request.param == "cmake without a line end":
        files["CMakeLists.txt"] = files["CMakeLists.txt"].rstrip(b"\n")
    return read_host(put(files, tmp_path))


def test_removing_restores_every_byte(host: Host) -> None:
    before = tree(host.directory)
    result = put_network(host, WISH)
    after = tree(host.directory)
    assert set(after) - set(before) == {f"{FOLDER}/{name}" for name in (*FILES, "approx_manifest.json")}
    assert {path for path in before if after[path] != before[path]} == set(result.edited)
    assert missing(host) == ()
    removed = take_out(host)
    assert tree(host.directory) == before and all(removed.restored.values()) and not removed.kept
    assert not (host.directory / "Middlewares").exists()


def test_a_second_run_writes_nothing(host: Host) -> None:
    put_network(host, WISH)
    stamps = {p: p.stat().st_mtime_ns for p in host.directory.rglob("*") if p.is_file()}
    assert put_network(host, WISH).is_nothing
    assert {p: p.stat().st_mtime_ns for p in host.directory.rglob("*") if p.is_file()} == stamps


def test_a_dry_run_shows_the_difference_only(host: Host) -> None:
    before = tree(host.directory)
    result = put_network(host, WISH, dry=True)
    assert tree(host.directory) == before
    added = [line for line in result.differences.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added and len(result.written) == len(FILES)
    assert not [line for line in result.differences.splitlines() if line.startswith("-") and not line.startswith("---")]


def test_what_the_person_does_meanwhile_stays(host: Host) -> None:
    put_network(host, WISH)
    for name in ("CMakeLists.txt", "app.ioc"):
        file = host.directory / name
        if file.exists():
            file.write_bytes(file.read_bytes() + b"# mine\n")
    changed = tree(host.directory)
    put_network(host, WISH)
    take_out(host)
    for path, content in tree(host.directory).items():
        if path.endswith("CMakeLists.txt"):
            assert b"# mine" in content and b"Approx" not in content
        elif path != ".cproject":
            assert content == changed[path]


def test_a_regeneration_that_drops_ours_is_noticed_and_repaired(host: Host) -> None:
    before = {
        name: (host.directory / name).read_bytes()
        for name in (".cproject", "CMakeLists.txt")
        if (host.directory / name).exists()
    }
    put_network(host, WISH)
    merged = tree(host.directory)
    put(before, host.directory)
    (host.directory / FOLDER / "Src/approx_app.c").unlink()
    told = missing(host)
    assert len(told) == len(before) + 1 and any("approx_app.c" in line for line in told)
    put_network(host, WISH)
    assert tree(host.directory) == merged and missing(host) == ()


def test_an_edited_file_of_ours_is_nobody_elses_to_lose(host: Host) -> None:
    put_network(host, WISH)
    file = host.directory / FOLDER / "Src/approx_app.c"
    file.write_bytes(b"int mine;\n")
    with pytest.raises(ProjectError, match="edited since"):
        put_network(host, WISH)
    assert take_out(host).kept == (f"{FOLDER}/Src/approx_app.c",)
    assert file.read_bytes() == b"int mine;\n"
    take_out(host, force=True)
    assert not file.exists() and not (host.directory / "Middlewares").exists()


def test_a_folder_of_that_name_is_not_taken_over(host: Host) -> None:
    put({f"{FOLDER}/notes.txt": b"mine"}, host.directory)
    before = tree(host.directory)
    with pytest.raises(ProjectError, match=r"is there already, and was not generated \(notes.txt\)"):
        put_network(host, WISH)
    assert tree(host.directory) == before


def test_another_network_is_not_replaced(host: Host) -> None:
    put_network(host, WISH)
    with pytest.raises(ProjectError, match='holds the network "digits" already; this is "words"'):
        check_place(host, "words")


def test_a_failing_disk_leaves_everything_as_it_was(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(host.directory)
    moved = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if str(target).endswith("approx_manifest.json"):
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((ProjectError, ErrorGroup), match="nothing was changed"):
        put_network(host, WISH)
    monkeypatch.undo()
    assert tree(host.directory) == before and not (host.directory / transaction.STAGING).exists()


def test_modes_of_files_stay(host: Host) -> None:
    for name in (".cproject", "CMakeLists.txt"):
        if (host.directory / name).exists():
            (host.directory / name).chmod(0o755)
    put_network(host, WISH)
    take_out(host)
    for name in (".cproject", "CMakeLists.txt"):
        if (host.directory / name).exists():
            assert (host.directory / name).stat().st_mode & 0o777 == 0o755


def test_a_link_is_not_written_through(host: Host, tmp_path: Path) -> None:
    name = ".cproject" if host.is_managed else "CMakeLists.txt"
    elsewhere = tmp_path / "elsewhere"
    (host.directory / name).replace(elsewhere)
    (host.directory / name).symlink_to(elsewhere)
    content = elsewhere.read_bytes()
    with pytest.raises(ProjectError, match="symbolic link"):
        put_network(host, WISH)
    assert elsewhere.read_bytes() == content


def test_taking_out_what_is_not_there_changes_nothing(host: Host) -> None:
    before = tree(host.directory)
    assert take_out(host).removed == () and tree(host.directory) == before


def test_an_unresolved_conflict_is_refused(tmp_path: Path) -> None:
    files = cmake_project()
    files["CMakeLists.txt"] += b"<<<<<<< mine\n=======\n>>>>>>> theirs\n"
    with pytest.raises(ProjectError, match="unresolved merge conflict"):
        put_network(read_host(put(files, tmp_path)), WISH)
