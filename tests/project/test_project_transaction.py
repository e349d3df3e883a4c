"""The writer on a disk that fails and in a process that dies, at every single file operation."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from failing_disk import Disk, KilledError

from approx_plugin.errors import ApproxError, ProjectError
from approx_plugin.project.clean import is_intact, remove_generated
from approx_plugin.project.manifest import FILE_NAME, read_manifest
from approx_plugin.project.transaction import STAGING, recover
from approx_plugin.project.writer import check, write

FIRST = {"Core/Src/main.c": b"main", "Core/Inc/a.h": b"a", "Middlewares/Approx/Src/k.s": b"kernel", "README.md": b"r"}
NEXT = {
    "Core/Src/main.c": b"changed",
    "Core/Inc/a.h": b"a",
    "Middlewares/Approx/Src/k2.s": b"another kernel",
    "New/Folder/x.c": b"x",
}
MINE = {"Core/Src/app.c": b"mine", "mine.txt": b"mine"}
EDITED = {"Core/Src/main.c": b"my edit"}


class State(NamedTuple):
    """Everything below a folder: files with their bytes, and folders."""

    files: dict[str, bytes]
    folders: set[str]


def state(directory: Path) -> State:
    found = list(directory.rglob("*")) if directory.is_dir() else []
    assert not any(path.is_symlink() for path in found)
    return State(
        {path.relative_to(directory).as_posix(): path.read_bytes() for path in found if path.is_file()},
        {path.relative_to(directory).as_posix() for path in found if path.is_dir()},
    )


def put(directory: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)


class Scenario(NamedTuple):
    """first: what an earlier run has written, None for none; then come the user's edits and files, and the next run."""

    first: dict[str, bytes] | None
    mine: dict[str, bytes]
    following: dict[str, bytes]
    force: bool

    def prepare(self, directory: Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        if self.first is not None:
            write(self.first, directory)
        put(directory, self.mine)

    def run(self, directory: Path) -> None:
        write(self.following, directory, self.force)


SCENARIOS = {
    "the first run": Scenario(None, {}, FIRST, False),
    "another one": Scenario(FIRST, MINE, NEXT, False),
    "edits replaced": Scenario(FIRST, {**MINE, **EDITED}, NEXT, True),
    "nothing but removals": Scenario(FIRST, MINE, {"Core/Inc/a.h": b"a"}, False),
}


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    found: Scenario = SCENARIOS[request.param]
    return found


def ends(scenario: Scenario, folder: Path) -> tuple[State, State, int]:
    """The state before the run and after it, and how many operations lie between."""
    scenario.prepare(folder / "out")
    before = state(folder / "out")
    with Disk(folder) as disk:
        scenario.run(folder / "out")
    after = state(folder / "out")
    assert {path: after.files[path] for path in scenario.following} == scenario.following
    assert STAGING not in after.folders
    return before, after, disk.calls


def killed_states(scenario: Scenario, folder: Path) -> Iterator[Path]:
    """The project as a run leaves it that was killed, for every moment; the place of a copy, to be used up."""
    *_, calls = ends(scenario, folder / "whole")
    assert calls > 10
    for kill_at in range(1, calls + 1):
        out = folder / str(kill_at) / "out"
        scenario.prepare(out)
        with Disk(folder, kill_at=kill_at) as disk:
            with pytest.raises(KilledError):
                scenario.run(out)
            assert disk.killed
        yield out


def test_a_full_disk_at_any_operation(scenario: Scenario, tmp_path: Path) -> None:
    """All is as before, and said; or all is as it should be, where only the staging folder could not be removed."""
    before, after, calls = ends(scenario, tmp_path / "whole")
    failures = 0
    for fail_at in range(1, calls + 1):
        out = tmp_path / str(fail_at) / "out"
        scenario.prepare(out)
        made = out.is_dir()
        with Disk(tmp_path, fail_at=fail_at):
            try:
                scenario.run(out)
            except ProjectError as error:
                failures += 1
                assert "No space left" in str(error) and "nothing was changed" in str(error)
                assert state(out) == before
                assert out.is_dir() == made
                continue
        found = state(out)
        assert {path: c for path, c in found.files.items() if not path.startswith(STAGING)} == after.files
        recover(out)
        assert state(out).files == after.files
    assert failures > calls // 2


def test_an_interruption_at_any_operation(scenario: Scenario, tmp_path: Path) -> None:
    """As a full disk, by whatever exception."""
    before, after, calls = ends(scenario, tmp_path / "whole")
    interrupt = KeyboardInterrupt()
    for at in range(1, calls + 1):
        out = tmp_path / str(at) / "out"
        scenario.prepare(out)
        with Disk(tmp_path, fail_at=at, error=interrupt), pytest.raises(KeyboardInterrupt):
            scenario.run(out)
        assert state(out) in (before, after)


def test_a_kill_at_any_operation_leaves_no_mixture(scenario: Scenario, tmp_path: Path) -> None:
    """The next run begins with the whole tree of one of the two runs."""
    before, after, _ = ends(scenario, tmp_path / "whole")
    seen = []
    for out in killed_states(scenario, tmp_path):
        left, current = state(out), is_intact(out)
        recover(out)
        found = state(out)
        assert found in (before, after)
        assert found == left or not current, "what is not whole does not pass for current"
        seen.append(found == after)
    assert seen == sorted(seen), "once it holds, it holds"
    assert seen.count(False) > 10 and seen.count(True) >= 1


def test_the_next_run_finishes_a_killed_one(scenario: Scenario, tmp_path: Path) -> None:
    _, after, _ = ends(scenario, tmp_path / "whole")
    for out in killed_states(scenario, tmp_path):
        check(out, scenario.force)
        scenario.run(out)
        assert state(out) == after


def test_clean_takes_back_what_a_killed_run_left(scenario: Scenario, tmp_path: Path) -> None:
    """Nothing of ours remains but the manifest beside files of the user's, and nothing of the user's is gone."""
    for out in killed_states(scenario, tmp_path):
        remove_generated(out)
        left = state(out).files
        assert set(left) <= {*scenario.mine, FILE_NAME}
        assert {path: left.get(path) for path in MINE if path in scenario.mine} == {
            path: content for path, content in MINE.items() if path in scenario.mine
        }
        assert bool(left) == bool(scenario.mine)
        edit = left.get("Core/Src/main.c")
        assert edit in ((EDITED["Core/Src/main.c"], None) if EDITED.items() <= scenario.mine.items() else (None,))


@pytest.mark.parametrize("force", [False, True])
def test_what_the_user_writes_after_a_kill_is_never_replaced(scenario: Scenario, force: bool, tmp_path: Path) -> None:
    """A file for every path that is empty at that moment: the user's, whatever the killed run was about to do."""
    checked = 0
    for out in killed_states(scenario, tmp_path):
        empty = sorted(path for path in {*FIRST, *NEXT} if not (out / path).exists())
        mine = {path: f"written by hand: {path}".encode() for path in empty}
        put(out, mine)
        for attempt in (lambda o: write(scenario.following, o, force), lambda o: check(o, force), remove_generated):
            try_to(attempt, out)
            assert {path: (out / path).read_bytes() for path in mine} == mine
        checked += len(mine)
    assert checked > 40


def try_to(attempt: Callable[[Path], object], out: Path) -> None:
    """Refused or not."""
    try:
        attempt(out)
    except ApproxError:
        return


def test_a_kill_while_a_failure_is_undone(tmp_path: Path) -> None:
    """Two faults, one after the other: still the tree of before."""
    scenario = SCENARIOS["edits replaced"]
    before, after, calls = ends(scenario, tmp_path / "whole")
    undone = 0
    for fail_at, later in itertools.product(range(1, calls + 1, 4), range(1, 30, 3)):
        out = tmp_path / "out"
        scenario.prepare(out)
        with Disk(tmp_path, fail_at=fail_at, kill_at=fail_at + later) as disk:
            try:
                scenario.run(out)
            except (ProjectError, KilledError):
                undone += disk.killed
        recover(out)
        assert state(out) in (before, after)
    assert undone > 20


def test_a_kill_while_a_kill_is_undone(tmp_path: Path) -> None:
    scenario = SCENARIOS["another one"]
    before, after, _ = ends(scenario, tmp_path / "whole")
    for out in killed_states(scenario, tmp_path):
        for kill_at in (1, 2, 3, 5, 8):
            with Disk(tmp_path, kill_at=kill_at):
                try:
                    recover(out)
                except KilledError:
                    continue
        recover(out)
        assert state(out) in (before, after)


def test_a_file_that_is_saved_while_the_project_is_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what is there and the moment in which it would be replaced."""
    out = tmp_path / "out"
    for path in ("Core/Src/main.c", "New/Folder/x.c", "README.md"):
        shutil.rmtree(out, ignore_errors=True)
        write(FIRST, out)
        put(out, MINE)
        original = Path.write_bytes

        def saving(self: Path, content: bytes, path: str = path, original: Callable[..., int] = original) -> int:
            if STAGING in self.parts:
                put_by_user(out / path, original)
            return original(self, content)

        monkeypatch.setattr(Path, "write_bytes", saving)
        with pytest.raises(ProjectError, match="was changed while"):
            write(NEXT, out)
        monkeypatch.undo()
        assert (out / path).read_bytes() == b"saved by the user"
        assert state(out).files == {
            **FIRST,
            **MINE,
            path: b"saved by the user",
            FILE_NAME: (out / FILE_NAME).read_bytes(),
        }
        assert read_manifest(out / FILE_NAME) is not None


def put_by_user(path: Path, write_bytes: Callable[..., int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, b"saved by the user")


@pytest.mark.parametrize("journal", ["", "[]", '{"new": {"../x": ""}, "removed": [], "folders": []}', '{"new": {}}'])
def test_a_journal_that_no_run_has_written_moves_nothing(journal: str, tmp_path: Path) -> None:
    write(FIRST, tmp_path / "out")
    before = state(tmp_path)
    put(tmp_path / "out", {f"{STAGING}/journal.json": journal.encode(), f"{STAGING}/x": b"x"})
    recover(tmp_path / "out")
    assert state(tmp_path) == before
