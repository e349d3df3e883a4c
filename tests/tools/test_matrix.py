"""The runner of all Pythons: which interpreters it takes, and what it says about those that are not there."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import matrix
import pytest

HERE = "{}.{}".format(*sys.version_info)


def program(path: Path, says: str, status: int = 0) -> Path:
    """A program that prints something, whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_first_that_runs_and_is_of_the_version(tmp_path: Path) -> None:
    """A shim that does not run and a program of another version are passed over."""
    program(tmp_path / "shims" / "python3.12", "pyenv: python3.12: command not found", 127)
    program(tmp_path / "wrong" / "python3.12", "3.11")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "python3.12").write_bytes(b"\x7fELF")
    right = program(tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3.12", "3.12")
    path = ":".join(str(tmp_path / name) for name in ("shims", "missing", "wrong", "broken"))
    environ = {"PATH": path, "PYENV_ROOT": str(tmp_path / "pyenv")}
    assert matrix.find("3.12", environ) == right
    assert matrix.find("3.1", environ) is None
    on_the_path = program(tmp_path / "later" / "python3.12", "3.12")
    assert matrix.find("3.12", {**environ, "PATH": f"{path}:{tmp_path / 'later'}"}) == on_the_path


def test_what_uv_knows_is_taken_last(tmp_path: Path) -> None:
    known = program(tmp_path / "uv-keeps" / "python", "3.13")
    program(tmp_path / "bin" / "uv", str(known))
    environ = {"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path)}
    assert matrix.find("3.13", environ) == known
    program(tmp_path / "bin" / "uv", "error: no interpreter", 2)
    assert matrix.find("3.13", environ) is None


def test_this_interpreter_says_its_version(tmp_path: Path) -> None:
    assert matrix.says(Path(sys.executable)) == HERE
    assert matrix.says(tmp_path / "none") is None


def test_a_version_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert matrix.main(["--python", "3.9", "--python", "3.13", "--folder", str(tmp_path)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[-2:]] == [["Python", "3.9", "SKIPPED"], ["Python", "3.13", "SKIPPED"]]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((matrix.PASSED, matrix.SKIPPED), 0),
        ((matrix.PASSED, matrix.FAILED), 1),
        ((matrix.NOT_SET_UP, matrix.SKIPPED), 1),
        ((matrix.SKIPPED, matrix.SKIPPED), 2),
    ],
)
def test_the_status_tells_failures_from_nothing_run(outcomes: tuple[str, ...], status: int) -> None:
    assert matrix.status([matrix.Result("3.9", outcome, "") for outcome in outcomes]) == status


def test_an_environment_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """venv and pip are stood in for: both run as the interpreter that they are given."""
    monkeypatch.setattr(matrix, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("one", encoding="utf-8")
    log = tmp_path / "log"
    made = tmp_path / "envs" / "3.9" / "bin" / "python"
    script = f'#!/bin/sh\necho "$*" >> {log}\nmkdir -p {made.parent}\n[ -e {made} ] || cp "$0" {made}\necho 3.9\n'
    interpreter = program(tmp_path / "python3.9", "")
    interpreter.write_text(script, encoding="utf-8")

    def installs() -> int:
        assert matrix.environment("3.9", interpreter, tmp_path / "envs") == made
        return log.read_text(encoding="utf-8").count("pip install")

    assert [installs(), installs()] == [1, 1]
    (tmp_path / "pyproject.toml").write_text("two", encoding="utf-8")
    assert [installs(), installs()] == [2, 2]
    failing = program(tmp_path / "other" / "python3.9", "no venv", 1)
    assert matrix.environment("3.9", failing, tmp_path / "envs") is None
