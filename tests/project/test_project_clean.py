"""What `clean` takes back: generated files that are as they were written; never a link, nor what lies behind one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.project.clean import remove_generated
from approx_plugin.project.manifest import FILE_NAME
from approx_plugin.project.writer import write
from approx_plugin.workplace import Workplace

FILES = {"Core/Src/main.c": b"main", "Core/Inc/a.h": b"a", "Middlewares/Approx/Src/k.s": b"kernel", "README.md": b"r"}
FOLDERS = ("Core", "Core/Src", "Core/Inc", "Middlewares", "Middlewares/Approx", "Middlewares/Approx/Src")


def everything(directory: Path) -> set[str]:
    """All that lies below a directory, folders and links too, without looking behind links."""
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*")}


def test_everything_goes(tmp_path: Path) -> None:
    write(FILES, tmp_path / "out")
    assert remove_generated(tmp_path / "out") == len(FILES) + 1
    assert not (tmp_path / "out").exists()
    assert remove_generated(tmp_path / "out") == 0


def test_what_the_user_made_or_edited_stays(tmp_path: Path) -> None:
    write(FILES, tmp_path)
    (tmp_path / "Core/Src/app.c").write_bytes(b"mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_bytes(b"edited")
    assert remove_generated(tmp_path) == len(FILES) - 1
    assert everything(tmp_path) == {"Core", "Core/Src", "Core/Src/app.c", "empty", "README.md", FILE_NAME}


@given(linked=st.sets(st.sampled_from(FOLDERS), min_size=1))
@settings(deadline=None, max_examples=30)
def test_folders_that_became_links_are_left_alone(linked: set[str]) -> None:
    """Moved elsewhere and linked, as one puts a folder under another version control: every byte of it stays."""
    with tempfile.TemporaryDirectory() as name:
        out, elsewhere = Path(name) / "out", Path(name) / "elsewhere"
        write(FILES, out)
        elsewhere.mkdir()
        moved = [f for f in sorted(linked) if not any(f.startswith(other + "/") for other in linked)]
        for number, folder in enumerate(moved):
            shutil.move(out / folder, elsewhere / str(number))
            (out / folder).symlink_to(elsewhere / str(number))
        before = {p: p.read_bytes() for p in elsewhere.rglob("*") if p.is_file()}
        behind = {path for path in FILES if any(path.startswith(folder + "/") for folder in moved)}
        assert len(before) == len(behind)
        assert remove_generated(out) == len(FILES) - len(behind)
        assert {p: p.read_bytes() for p in elsewhere.rglob("*") if p.is_file()} == before
        kept = {"/".join(f.split("/")[:n]) for f in moved for n in range(1, f.count("/") + 2)}
        assert everything(out) == {*kept, FILE_NAME}


def test_files_that_became_links_are_left_alone(tmp_path: Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "main.c"
    write(FILES, out)
    mine.write_bytes(FILES["Core/Src/main.c"])
    (out / "Core/Src/main.c").unlink()
    (out / "Core/Src/main.c").symlink_to(mine)
    (out / "README.md").unlink()
    (out / "README.md").symlink_to(tmp_path / "nowhere")
    assert remove_generated(out) == 2
    assert everything(out) == {"Core", "Core/Src", "Core/Src/main.c", "README.md", FILE_NAME}
    assert mine.read_bytes() == b"main"


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_an_output_that_is_a_link_is_left_alone(tmp_path: Path, target: str) -> None:
    write(FILES, tmp_path / "elsewhere")
    before = everything(tmp_path)
    (tmp_path / "out").symlink_to(tmp_path / target)
    assert remove_generated(tmp_path / "out") == 0
    assert everything(tmp_path) == before | {"out"}


def test_a_link_above_the_output_is_a_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "build").symlink_to(tmp_path / "disk")
    write(FILES, tmp_path / "build/out")
    assert remove_generated(tmp_path / "build/out") == len(FILES) + 1
    assert everything(tmp_path) == {"disk", "build"}


def test_links_in_the_tools_own_folder(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_bytes(b"mine")
    place = Workplace.of(tmp_path / "approx.yaml", "digits", tmp_path / "out")
    place.prepare()
    (place.root / "build").symlink_to(mine)
    place.remove()
    assert not place.root.exists()
    place.root.symlink_to(mine)
    place.remove()
    assert (mine / "notes.txt").read_bytes() == b"mine"
