"""Recorded consoles: what is compared, what is refused, what is kept. And a serial port that a test plays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.build.console import RunResult, parse_console
from approx_plugin.errors import ApproxError, BoardError, ErrorGroup, ProjectError, ToolError
from approx_plugin.measured.comparison import Row, check, rows_of, text
from approx_plugin.measured.consoles import from_file, from_port, text_of
from approx_plugin.measured.record import SELF_TEST, Record, load_records, records_text, store

BOARD = load_board("nucleo-l4r5zi")

NETWORK = """\
approx: network "digits" on NUCLEO-L4R5ZI, 3 layers, 2 vectors
approx: layer 0 conv2d_0 cycles {conv}
approx: layer 2 fully_connected_2 cycles {dense}
approx: vector 0 ok
approx: vector 1 ok
Results for "digits", 2 inferences @{clock}MHz/{clock}MHz (complexity: 1000 MACC)
duration     : 0.010 ms (average)
CPU cycles   : 1234 (average)
CPU Workload : 0% (duty cycle = 1s)
cycles/MACC  : 1.23 (average for all layers)
used stack   : 400 bytes
approx: PASS 2/2
"""

BENCHMARKS = """\
approx: self-test on NUCLEO-L4R5ZI, 2 benchmarks
approx: clock @120MHz
approx: benchmark multiply_chain cycles {many} 40 copies 30 10
approx: benchmark table_words cycles 7200 1600 copies 1000 200
approx: PASS 2/2
"""


def network(conv: int = 1100, dense: int = 200, clock: int = 120) -> RunResult:
    return parse_console(NETWORK.format(conv=conv, dense=dense, clock=clock))


def benchmarks(many: int = 60) -> RunResult:
    return parse_console(BENCHMARKS.format(many=many))


SIMULATED = network(1000, 210)


def refused(real: RunResult, simulated: RunResult = SIMULATED) -> list[ApproxError]:
    with pytest.raises(ApproxError) as caught:
        check(real, simulated, BOARD, "console.txt")
    return list(caught.value.errors) if isinstance(caught.value, ErrorGroup) else [caught.value]


# ---- what is compared


def test_layers_beside_each_other() -> None:
    real = network()
    check(real, SIMULATED, BOARD, "console.txt")
    rows = rows_of(real, SIMULATED, {"conv2d_0": "unpacked"})
    assert rows == (Row("conv2d_0", "unpacked", 1100, 1000), Row("fully_connected_2", "", 200, 210))
    assert [row.error for row in rows] == pytest.approx([-1 / 11, 0.05])
    shown = text(rows, BOARD, "layer").splitlines()
    assert "NUCLEO-L4R5ZI (measured)" in shown[0] and "(simulated)" in shown[0]
    assert [line.split()[0] for line in shown[2:]] == ["conv2d_0", "fully_connected_2", "total"]
    assert shown[2].split()[1:] == ["unpacked", "1,100", "1,000", "-9.1%"]
    assert shown[-1].split()[1:] == ["1,300", "1,210", "-6.9%"]


def test_benchmarks_cost_the_difference_between_many_and_few() -> None:
    real, simulated = benchmarks(many=80), benchmarks(many=60)
    check(real, simulated, BOARD, "console.txt")
    assert real.clock_hz == 120_000_000
    assert rows_of(real, simulated) == (Row("multiply_chain", "", 2.0, 1.0), Row("table_words", "", 7.0, 7.0))
    assert "2.00" in text(rows_of(real, simulated), BOARD, "benchmark")


def test_nothing_measured_has_no_error() -> None:
    row = Row("empty", "", 0, 5)
    assert row.error is None and "n/a" in text((row,), BOARD, "layer")


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "fragments"),
    [
        ({"machine": None}, ["does not say which firmware"]),
        ({"machine": "NUCLEO-F446RE"}, ["is that of NUCLEO-F446RE, not of NUCLEO-L4R5ZI"]),
        ({"network": "other"}, ['that of the network "other"; the project\'s is the network "digits"']),
        ({"network": None, "layers": ()}, ["that of the self-test"]),
        ({"layers": network().layers[:1]}, ["other layers"]),
        ({"layers": network(1000, 210).layers}, ["the virtual board's own"]),
        ({"clock_hz": 4_000_000}, ["ran at 4 MHz, not at 120 MHz"]),
        ({"vectors": None, "passed": None}, ["before the firmware has come to its end"]),
        ({"passed": 1, "problems": ("SCRATCH too small",)}, ["1 of 2 vectors agree"]),
        ({"machine": "NUCLEO-F446RE", "clock_hz": 1, "passed": 0}, ["not of", "0 MHz", "0 of 2 vectors"]),
    ],
)
def test_what_cannot_be_compared(change: dict[str, Any], fragments: list[str]) -> None:
    found = refused(replace(network(), **change))
    assert len(found) == len(fragments)
    for error, fragment in zip(found, fragments):
        assert fragment in error.what
        assert str(error.where) == "console.txt"


def test_an_emulators_console() -> None:
    printed = NETWORK.format(conv="n/a", dense="n/a", clock=120)
    assert [error.what for error in refused(parse_console(printed))] == ["the console has no cycles"]


def test_a_board_in_another_setting_has_the_name_that_is_printed_on_it() -> None:
    check(network(), SIMULATED, load_board("nucleo-l4r5zi-single-bank"), "console.txt")


# ---- files


def test_a_recorded_file(tmp_path: Path) -> None:
    file = tmp_path / "console.txt"
    file.write_bytes(NETWORK.format(conv=1100, dense=200, clock=120).replace("\n", "\r\n").encode() + b"\xff\r\n")
    assert parse_console(from_file(file)).layers == network().layers


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="the console cannot be read"):
        from_file(tmp_path / name)


def test_odd_bytes_stay_visible() -> None:
    assert text_of(b"a\r\nb\rc\xfe\n") == "a\nb\nc\\xfe\n"


# ---- the serial port


class Port:
    """What pyserial's `Serial` is, played from a list of lines; b"" stands for silence."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines, self.opened = iter(lines), [("", 0, 0.0)]

    def __call__(self, port: str, baud: int, timeout: float) -> Port:
        if port == "/dev/nothing":
            raise OSError(2, "could not open port")
        self.opened.append((port, baud, timeout))
        return self

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def readline(self) -> bytes:
        return next(self.lines)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def play(lines: list[bytes]) -> Port:
        port = Port(lines)
        monkeypatch.setitem(sys.modules, "serial", SimpleNamespace(Serial=port))
        return port

    yield play


LINES = [line.encode() + b"\r\n" for line in NETWORK.format(conv=1100, dense=200, clock=120).splitlines()]


def test_a_port_is_read_to_the_last_line(played: Any) -> None:
    port = played([*LINES, b"never read\r\n"])
    said: list[str] = []
    found = parse_console(from_port("/dev/ttyACM0", 115200, said.append, silence=5))
    assert found.layers == network().layers and found.passed == 2
    assert port.opened[-1] == ("/dev/ttyACM0", 115200, 5)
    assert said[1:] == [line.decode().rstrip() for line in LINES]
    assert next(port.lines) == b"never read\r\n"


def test_what_came_before_the_reset_is_another_runs(played: Any) -> None:
    played([b"\x00er 5 conv2d_5 cycles 1\r\n", *LINES[:3], *LINES])
    found = parse_console(from_port("COM3", 115200, lambda _: None))
    assert [line.name for line in found.layers] == ["conv2d_0", "fully_connected_2"]


def test_a_line_may_come_in_pieces(played: Any) -> None:
    pieces = [part for line in LINES for part in (line[:7], line[7:]) if part]
    played(pieces)
    assert parse_console(from_port("COM3", 115200, lambda _: None)).passed == 2


@pytest.mark.parametrize(
    ("lines", "port", "fragments"),
    [
        ([b""], "COM3", ["said nothing for 9 s", "not one character came", "reset the board"]),
        ([*LINES[:2], b""], "COM3", ["said nothing for 9 s", "its last line: approx: layer 0 conv2d_0"]),
        ([], "/dev/nothing", ["the serial port cannot be used", "could not open port", "dialout"]),
    ],
)
def test_a_port_that_gives_nothing(lines: list[bytes], port: str, fragments: list[str], played: Any) -> None:
    played(lines)
    with pytest.raises(ToolError) as caught:
        from_port(port, 115200, lambda _: None, silence=9)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_without_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(ToolError, match=r"pip install 'approx-plugin\[serial\]'"):
        from_port("COM3", 115200, lambda _: None)


# ---- what is kept

ROWS = (Row("conv2d_0", "unpacked", 1100, 1000), Row("fully_connected_2", "", 200.25, 210))
RECORD = Record("digits", "ab" * 32, "cd" * 32, "12.2.1", "0123456789abcdef", 120_000_000, "rev B, Jörg", ROWS)


def test_records_come_back_as_they_were_stored(tmp_path: Path) -> None:
    file = tmp_path / "measured.yaml"
    assert load_records(file) == ()
    self_test = replace(RECORD, program=SELF_TEST, model="")
    store(self_test, file)
    store(RECORD, file)
    assert load_records(file) == (RECORD, self_test)
    content = file.read_bytes()
    again = replace(RECORD, note="the same program once more")
    store(again, file)
    assert load_records(file) == (again, self_test)
    store(RECORD, file)
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["measured.yaml"]


def test_totals_of_a_record() -> None:
    assert (RECORD.measured, RECORD.simulated) == (1300.25, 1210)


def test_a_damaged_file_tells_all_of_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "measured.yaml"
    broken = (
        records_text([RECORD]).replace("clock_hz: 120000000", "clock_hz: 0").replace("simulated: 1000", "simulatd: 1")
    )
    file.write_text(broken, encoding="utf-8")
    with pytest.raises(ErrorGroup) as caught:
        load_records(file)
    assert all(isinstance(error, BoardError) for error in caught.value.errors)
    assert "clock_hz" in str(caught.value) and "Did you mean 'simulated'" in str(caught.value)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "measured.yaml.new").mkdir()
    with pytest.raises(ProjectError, match="cannot be kept"):
        store(RECORD, tmp_path / "measured.yaml")
