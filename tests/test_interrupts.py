"""Ctrl-C and SIGTERM while compilers and emulators run: they have ended when the tool has, and nothing is half made."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from digits_project import command_line, environment, exact, tree, write_spec
from slow_program import COMPILER, SlowProgram

from approx_plugin.build.emulator import QEMU
from approx_plugin.errors import ToolError
from approx_plugin.process import Processes, run

WORKERS = 3
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def interrupted(folder: Path, program: SlowProgram, number: signal.Signals, verb: str, starts: int) -> str:
    """Start a verb, wait for its programs, send it a signal; what it says when it has ended."""
    command = [sys.executable, "-u", "-m", "approx_plugin", verb, "--workers", str(WORKERS)]
    with subprocess.Popen(
        command, cwd=folder, env=environment(PATH=program.path), text=True, stdout=-1, stderr=-1
    ) as process:
        program.started(starts)
        assert program.alive()
        process.send_signal(number)  # to the tool alone: the programs are in groups of their own in any case
        _, said = process.communicate(timeout=120)
        left = program.alive()
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert left == []
    return said


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_compilers_have_ended(number: signal.Signals, tmp_path: Path) -> None:
    write_spec(tmp_path, exact())
    program = SlowProgram(tmp_path / "bin")
    said = interrupted(tmp_path, program, number, "generate", WORKERS)
    assert said == ("interrupted\n" if number == signal.SIGINT else f"ended by {number.name}\n")
    assert program.starts == WORKERS, "no other one was started after that"
    assert not (tmp_path / "out").exists()
    assert command_line("verify", cwd=tmp_path).status == 0


def test_compilers_that_do_not_listen_are_killed(tmp_path: Path) -> None:
    write_spec(tmp_path, exact())
    program = SlowProgram(tmp_path / "bin", stubborn=True)
    interrupted(tmp_path, program, signal.SIGINT, "generate", WORKERS)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", SIGNALS[:2], ids=lambda number: number.name)
def test_emulators_have_ended(number: signal.Signals, tmp_path: Path) -> None:
    write_spec(tmp_path, exact())
    assert command_line("generate", cwd=tmp_path).status == 0
    before = tree(tmp_path / "out")
    interrupted(tmp_path, SlowProgram(tmp_path / "bin", QEMU), number, "verify", 1)
    assert tree(tmp_path / "out") == before
    assert command_line("verify", cwd=tmp_path).status == 0


def test_a_signal_that_somebody_ignores_for_us_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    write_spec(tmp_path, exact())
    program = SlowProgram(tmp_path / "bin")
    command = ["nohup", sys.executable, "-u", "-m", "approx_plugin", "--workers", "1"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(PATH=program.path), stdout=-1, stderr=-1) as process:
        program.started()
        process.send_signal(signal.SIGHUP)
        program.go()
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert (tmp_path / "out/approx_manifest.json").exists()


# ---- the piece that does it


def test_after_a_timeout_nothing_runs(tmp_path: Path) -> None:
    program = SlowProgram(tmp_path / "bin")
    with pytest.raises(subprocess.TimeoutExpired):
        run([str(tmp_path / "bin" / COMPILER), "x.c"], timeout=1)
    assert program.starts == 1
    assert program.alive() == []


def test_what_was_written_until_a_timeout_is_told() -> None:
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run(["sh", "-c", "echo first line; sleep 600"], timeout=1)
    assert caught.value.output == b"first line\n"


def test_after_the_stop_nothing_is_started() -> None:
    programs = Processes()
    assert programs.run(["echo", "one"]).output == "one\n"
    programs.stop()
    with pytest.raises(ToolError, match="not started any more"):
        programs.run(["echo", "two"])


def test_standard_output_to_a_file(tmp_path: Path) -> None:
    made = run(["sh", "-c", "echo out; echo err >&2; exit 3"], printed=tmp_path / "printed")
    assert (made.status, made.output) == (3, "err\n")
    assert (tmp_path / "printed").read_text(encoding="utf-8") == "out\n"
