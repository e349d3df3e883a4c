"""monitor and measure: a pseudo-terminal is the board's port, and a script its programmer."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from digits_project import exact, write_spec

from approx_plugin.build.console import parse_console
from approx_plugin.build.serial_port import find_port, read_run
from approx_plugin.cli import main
from approx_plugin.errors import ToolError
from approx_plugin.monitoring import measured, text

pytest.importorskip("termios")

RUN = """\
approx: network "digits_cnn" on NUCLEO-U575ZI-Q, 6 layers, 4 vectors
approx: layer 0 conv2d_0 cycles 10500
approx: layer 2 conv2d_2 cycles 20000
approx: layer 4 reshape_4 cycles 12
approx: vector 0 ok
CPU cycles   : 44000 (average)
approx: PASS 4/4
"""


@dataclass
class Port:
    """The board's end."""

    handle: int
    path: Path
    threads: list[threading.Thread] = field(default_factory=list)

    def say(self, text: str, delay: float = 0.3, sign: Path | None = None) -> None:
        """As a UART does, a little later, or as soon as a file is there."""

        def later() -> None:
            time.sleep(delay)
            while sign is not None and not sign.exists():
                time.sleep(0.01)
            os.write(self.handle, text.replace("\n", "\r\n").encode())

        self.threads.append(threading.Thread(target=later))
        self.threads[-1].start()


@pytest.fixture
def port() -> Iterator[Port]:
    board, computer = os.openpty()
    made = Port(board, Path(os.ttyname(computer)))
    yield made
    for thread in made.threads:
        thread.join()
    os.close(board)
    os.close(computer)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_spec(tmp_path_factory.mktemp("board"), exact())
    assert main(["--spec", str(path)]) == 0
    return path


def bench_of(folder: Path) -> Path:
    """A bench.json as far as it is read."""
    layers = [{"name": "conv2d_0", "cycles": 10131}, {"name": "conv2d_2", "cycles": 21000}]
    boards = [{"board": "nucleo-u575zi-q", "variants": {"cmsis_nn": {"layers": []}, "exact": {"layers": layers}}}]
    file = folder / "bench.json"
    file.write_text(json.dumps({"boards": boards}), encoding="utf-8")
    return file


def test_a_run_is_read_from_its_first_line(port: Port) -> None:
    told: list[str] = []
    port.say("approx: vector 3 ok\napprox: FA" + "\n" + RUN + "noise\n")
    assert read_run(port.path, 115200, told.append, 20.0) == RUN
    assert told[0] == "approx: vector 3 ok"


def test_silence(port: Port) -> None:
    port.say("approx: network of another\n", 0.0)
    with pytest.raises(ToolError, match="nothing has come") as caught:
        read_run(port.path, 115200, lambda _: None, 0.8)
    assert "approx: network of another" in str(caught.value)
    assert "reset button" in str(caught.value)
    with pytest.raises(ToolError, match="no serial speed of 12345"):
        read_run(port.path, 12345, lambda _: None)
    with pytest.raises(ToolError, match="cannot be opened"):
        read_run(port.path.with_name("none"), 115200, lambda _: None)


def test_a_port_is_named_or_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_port("/dev/x") == Path("/dev/x")
    monkeypatch.setattr("approx_plugin.build.serial_port.PLACES", (f"{tmp_path}/ttyACM*",))
    with pytest.raises(ToolError, match="no serial port"):
        find_port(None)
    (tmp_path / "ttyACM0").touch()
    assert find_port(None) == tmp_path / "ttyACM0"
    (tmp_path / "ttyACM1").touch()
    with pytest.raises(ToolError, match="several"):
        find_port(None)


def test_what_is_compared(tmp_path: Path) -> None:
    found = measured(parse_console(RUN), bench_of(tmp_path), "nucleo-u575zi-q")
    assert found.variant == "exact"
    assert [(row.layer, row.measured, row.simulated) for row in found.rows] == [
        ("conv2d_0", 10500, 10131),
        ("conv2d_2", 20000, 21000),
        ("reshape_4", 12, None),
    ]
    shown = text(found)
    assert "-3.5 %" in shown and "+5.0 %" in shown
    assert max(map(len, shown.split("\n"))) <= 80
    other = measured(parse_console(RUN), bench_of(tmp_path), "nucleo-f446re")
    assert other.variant == "" and "run bench" in text(other)


def test_monitor(project: Path, port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    port.say(RUN)
    assert main(["monitor", "--spec", str(project), "--port", str(port.path)]) == 0
    printed = capsys.readouterr().out
    assert (
        printed.index("reset the board now") < printed.index("approx: PASS 4/4") < printed.index("4 of 4 vectors right")
    )
    record = json.loads((project.parent / "out_measured.json").read_text(encoding="utf-8"))
    assert record["board"] == "nucleo-u575zi-q"
    assert record["rows"][0]["measured"] == 10500
    assert record["performance"]["CPU cycles"] == "44000 (average)"


def test_wrong_answers_are_a_failure(project: Path, port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    port.say(RUN.replace("PASS 4/4", "FAIL 3/4"))
    assert main(["monitor", "--spec", str(project), "--port", str(port.path)]) == 2
    assert "right for 3 of 4 vectors" in capsys.readouterr().err


def programmer(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder.mkdir()
    (folder / "openocd").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "openocd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_measure_listens_before_the_board_starts(
    project: Path, port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The board speaks while the programmer still runs."""
    programmer(tmp_path / "bin", monkeypatch, f"touch {tmp_path}/flashed; sleep 0.5")
    port.say(RUN, 0.0, tmp_path / "flashed")
    assert main(["measure", "--spec", str(project), "--port", str(port.path), "--probe", "openocd", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["passed"] == 4
    assert "programmed (openocd " in captured.err


def test_measure_ends_with_a_programmer_that_fails(
    project: Path, port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programmer(tmp_path / "bin", monkeypatch, "echo no probe; exit 1")
    assert main(["measure", "--spec", str(project), "--port", str(port.path), "--probe", "openocd"]) == 2
    assert "openocd failed (status 1)" in capsys.readouterr().err
