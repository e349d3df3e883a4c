"""The self-test's project on virtual boards, against cycles that others have measured; and the verbs around it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from digits_project import exact, write_spec

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.build.build import BuildResult
from approx_plugin.build.console import RunResult, parse_console
from approx_plugin.cli import main
from approx_plugin.measured import command
from approx_plugin.measured.microbenchmarks import MICROBENCHMARKS, SOURCES, assembly
from approx_plugin.measured.record import SELF_TEST, load_records
from approx_plugin.measured.selftest import make, project_files
from approx_plugin.virtual_board.simulation import simulate

BOARDS = {"cortex-m4": "nucleo-l4r5zi", "cortex-m33": "nucleo-u575zi-q", "cortex-m7": "nucleo-h743zi2"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Board], BuildResult]:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    folder = tmp_path_factory.mktemp("selftest")

    def build(board: Board) -> BuildResult:
        found = make(board, folder / board.id / "selftest", folder / board.id / "objects", 1, False, lambda _: None)
        assert found is not None
        return found

    return build


def test_the_table() -> None:
    names = [one.name for one in MICROBENCHMARKS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
    assert all(one.many > one.few > 0 for one in MICROBENCHMARKS)
    for core in SOURCES:
        assert sum(core in one.cycles for one in MICROBENCHMARKS) >= 10
    assert {core for one in MICROBENCHMARKS for core in one.cycles} <= set(SOURCES)


@pytest.mark.parametrize("core", BOARDS)
def test_cores_cost_what_others_have_measured(core: str, built: Callable[[Board], BuildResult]) -> None:
    board = load_board(BOARDS[core])
    names = [f"microbenchmark_{index}_{word}" for index in range(len(MICROBENCHMARKS)) for word in ("few", "many")]
    simulation = simulate(built(board).elf, board, layers=names)
    costs = {layer.name: layer for layer in simulation.layers}
    console = parse_console(simulation.console)
    assert (console.machine, console.clock_hz) == (board.printed_name, board.clock_hz)
    assert console.passed == console.vectors == len(console.benchmarks) == len(MICROBENCHMARKS)
    wrong = []
    for index, one in enumerate(MICROBENCHMARKS):
        few, many = (costs[f"microbenchmark_{index}_{word}"] for word in ("few", "many"))
        assert few.calls == many.calls == 3
        found = (many.cost.ideal.cycles - few.cost.ideal.cycles) / few.calls / (one.many - one.few)
        # The calls before the last one fill predictors.
        if core in one.cycles and found != pytest.approx(one.cycles[core], abs=0.02):
            wrong.append(f"{one.name}: {found}, others measured {one.cycles[core]}")
        assert console.benchmarks[index].name == one.name
    assert not wrong, "\n".join(wrong)


def test_what_streams_from_flash_waits_for_it(built: Callable[[Board], BuildResult]) -> None:
    board = load_board("nucleo-l4r5zi")
    cycles = {line.name: line.cycles for line in parse_console(simulate(built(board).elf, board).console).benchmarks}
    # 8 bytes of straight-line code are one read of flash.
    assert cycles["straight_wide"] >= 6 > cycles["constants"]
    assert cycles["table_words"] > 6 + 1


@pytest.mark.parametrize("name", known_boards())
def test_every_board_has_a_self_test(name: str) -> None:
    files = project_files(load_board(name), "selftest")
    assert {"Core/Src/main.c", "Core/Src/microbenchmarks.S", ".cproject", "README.md"} <= set(files)
    assert files == project_files(load_board(name), "selftest")
    assert f"board={name}".encode() in files["README.md"]


def test_the_assembly_names_every_benchmark() -> None:
    text = assembly()
    assert list(re.findall(r'\.asciz "(\w+)"', text)) == [one.name for one in MICROBENCHMARKS]


# ---- the verbs


def spoilt(console: str) -> str:
    """As another machine might have it: every layer a tenth slower, benchmarks a copy's cycle."""
    console = re.sub(r"(?<= cycles )\d+$", lambda found: str(int(found[0]) * 11 // 10), console, flags=re.MULTILINE)
    return re.sub(r"(?<= cycles )\d+(?= \d+ copies)", lambda found: str(int(found[0]) + 20), console)


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
def test_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "measured.yaml"
    monkeypatch.setattr(command, "file_of", lambda board: kept)
    spec = write_spec(tmp_path, exact(board="nucleo-l4r5zi"))
    recorded = tmp_path / "console.txt"
    arguments = ["--spec", str(spec), "--workers", "1", "--console", str(recorded)]

    assert main(["measure", "--spec", str(spec)]) == 2
    assert "neither a file nor a port is named" in capsys.readouterr().err
    assert main(["selftest", "--spec", str(spec), "--workers", "1"]) == 0
    elf = next(tmp_path.rglob("out_selftest.elf"))
    board = load_board("nucleo-l4r5zi")
    own = simulate(elf, board).console
    recorded.write_text(own, encoding="utf-8")
    assert main(["measure", *arguments]) == 2
    assert "the virtual board's own" in capsys.readouterr().err
    assert not kept.exists()
    recorded.write_text(spoilt(own), encoding="utf-8")
    assert main(["measure", *arguments, "--note", "revision A"]) == 0
    assert "multiply_chain" in capsys.readouterr().out

    assert main(["generate", "--spec", str(spec), "--workers", "1"]) == 0
    digits = next(path for path in tmp_path.rglob("Release/*.elf") if path.name != elf.name)
    recorded.write_text(spoilt(simulate(digits, board).console), encoding="utf-8")
    assert main(["measure", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "measured" in shown and "simulated" in shown and "-9.1%" in shown

    records = load_records(kept)
    assert [record.program for record in records] == ["digits_cnn", SELF_TEST]
    assert records[1].note == "revision A" and records[0].model
    assert all(row.kind for row in records[0].rows)
    assert records[0].simulated / records[0].measured == pytest.approx(1 / 1.1, abs=1e-3)

    assert main(["clean", "--spec", str(spec)]) == 0
    assert not elf.exists() and not (tmp_path / "out_selftest" / "Core").exists()


def test_a_console_is_one_kind_or_the_other() -> None:
    run = RunResult(None, None, None, None, (), (), (), (), (), "")
    assert not command.Console(run, "here").is_self_test
