"""costs.yaml: what is read, what is said about one that is wrong, and that every count of a kernel is asked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.timing import Cache
from approx_plugin.cli import main
from approx_plugin.errors import ApproxError, BoardError, ErrorGroup, Location
from approx_plugin.kernels.costs.counting import IDEAL, Memories
from approx_plugin.kernels.costs.kinds import COUNTS
from approx_plugin.kernels.costs.loader import FILE, load_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.laboratory.drawing import draw_layers, unpriced

COUNTED = {"unpacked": ("call", "loads"), "cmsis_nn pad": ("rows",)}
GOOD = """\
tools: {gcc: 12.2.1}
memories:
  code: {bytes: 1024, line_bytes: 16, ways: 2}
  constants: null
  activations:
kinds:
  unpacked:
    coefficients: {call: 1.5, loads: 2}
    fitted: {layers: 3, median: 0.0, worst: 0.5}
  cmsis_nn pad:
    coefficients:
      rows: 1.0e-05
totals: {digits: -0.01}
"""


def mistakes(file: Path) -> list[ApproxError]:
    with pytest.raises((BoardError, ErrorGroup)) as caught:
        load_costs(file, "a test", COUNTED)
    found = caught.value.errors if isinstance(caught.value, ErrorGroup) else (caught.value,)
    for error in found:
        assert type(error) is BoardError
        assert isinstance(error.where, Location) and error.where.file == str(file)
        assert error.hint
    return list(found)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD)
    assert load_costs(tmp_path / FILE, "a test", COUNTED) == CostModel(
        "a test",
        Memories(code=Cache(1024, 16, 2)),
        {"unpacked": {"call": 1.5, "loads": 2}, "cmsis_nn pad": {"rows": 1e-5}},
    )
    (tmp_path / FILE).write_text(GOOD.replace("{bytes: 1024, line_bytes: 16, ways: 2}", "null"))
    assert load_costs(tmp_path / FILE, "a test", COUNTED).memories == IDEAL


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("  cmsis_nn pad:\n    coefficients:\n      rows: 1.0e-05\n", "", "6:1", "'cmsis_nn pad' is missing in kinds"),
        ("call: 1.5, ", "", "8:5", "the key 'call' is missing in kinds.unpacked.coefficients"),
        ("    coefficients: {call: 1.5, loads: 2}\n", "", "7:3", "'coefficients' is missing in kinds.unpacked"),
        ("  unpacked:", "  unpakced:", "7:3", "unknown key 'unpakced' in kinds"),
        ("  unpacked:", "  winograd: {coefficients: {a: 1}}\n  unpacked:", "7:3", "unknown key 'winograd' in kinds"),
        ("loads: 2", "loads: 2, stores: 1", "8:41", "unknown key 'stores' in kinds.unpacked.coefficients"),
        ("coefficients: {call", "coefficient: {call", "8:5", "unknown key 'coefficient' in kinds.unpacked"),
        ("call: 1.5", "call: -1.5", "8:26", "coefficients.call is -1.5, but has to be at least 0"),
        ("call: 1.5", "call: much", "8:26", "coefficients.call is the text 'much', but has to be a number"),
        ("call: 1.5", "call: true", "8:26", "coefficients.call is true, but has to be a number"),
        ("call: 1.5", "call: .nan", "8:26", "'.nan' is no finite number"),
        ("call: 1.5", "call: ", "8:25", "coefficients.call has no value"),
        ("{call: 1.5, loads: 2}", "[1.5]", "8:5", "kinds.unpacked.coefficients is a list, but has to be a map"),
        ("  constants: null\n", "", "2:1", "the key 'constants' is missing in memories"),
        ("  constants: null", "  constants: null\n  rom: null", "5:3", "unknown key 'rom' in memories"),
        ("bytes: 1024, line", "bytes: 1000, line", "3:3", "no cache has 2 ways of 16-byte lines in 1000 bytes"),
        ("bytes: 1024, line", "bytes: 0, line", "3:17", "memories.code.bytes is 0, but has to be at least 1"),
        (", ways: 2", "", "3:3", "the key 'ways' is missing in memories.code"),
        ("{bytes: 1024, line_bytes: 16, ways: 2}", "8K", "3:9", "the text '8K', but has to be a map or null"),
        ("gcc: 12.2.1", "gcc: 12.2", "1:14", "tools.gcc is the number 12.2, but has to be a text"),
        ("layers: 3", "layers: 0", "9:22", "fitted.layers is 0, but has to be at least 1"),
        ("-0.01", "none", "13:18", "totals.digits is the text 'none', but has to be a number"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(
    old: str, new: str, place: str, said: str, tmp_path: Path
) -> None:
    assert GOOD.count(old) == 1
    file = tmp_path / "nucleo-x" / FILE
    file.parent.mkdir()
    file.write_text(GOOD.replace(old, new))
    (error,) = mistakes(file)
    assert said in error.what
    assert str(error.where) == f"{file}:{place}"
    again = "write the file again: python -m approx_plugin.calibration --board nucleo-x"
    advice = (again, "Did you mean", "write quotes", "write a number", "write 8")
    assert error.hint.startswith(advice)


def test_all_mistakes_at_once_in_the_files_order(tmp_path: Path) -> None:
    text = GOOD.replace("rows:", "row:").replace("call: 1.5", "call: -1").replace("ways: 2", "ways: two")
    (tmp_path / FILE).write_text(text + "total: {}\n")
    assert [error.what.partition(" ")[0] for error in mistakes(tmp_path / FILE)] == [
        "memories.code.ways",
        "kinds.unpacked.coefficients.call",
        "unknown",
        "unknown",
    ]


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"kinds: {}\n", b"memories: {\n", b"\xff\xff"])
def test_what_is_no_table_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert mistakes(tmp_path / FILE)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    (error,) = mistakes(tmp_path / FILE)
    assert error.what == "the file cannot be read: it is a pipe, not a regular file"


def test_a_file_that_lacks_a_kind_is_told_before_any_work_with_the_mistakes_of_other_files(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(root / "board", tmp_path / "board")
    monkeypatch.setattr("approx_plugin.boards.loader.resource_root", lambda: tmp_path)
    monkeypatch.setattr("approx_plugin.pipeline.generate.design", lambda *_: pytest.fail("the search began"))
    file = tmp_path / "board" / "nucleo-f446re" / FILE
    file.write_text(file.read_text(encoding="utf-8").replace("  unpacked:", "  unpakced:"), encoding="utf-8")
    spec = tmp_path / "approx.yaml"
    spec.write_text(
        f"model: {root}/models/digits_cnn.tflite\nboard: nucleo-f446re\nmethod: none\ncmsis_nn: {root}/board\n"
    )
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    capsys.readouterr()
    assert main(["--spec", str(spec)]) == 2
    message = capsys.readouterr().err
    assert "unknown key 'unpakced' in kinds\n    do:  Did you mean 'unpacked'?" in message
    assert "holds no CMSIS-NN" in message
    assert message.endswith("2 errors.\n")


# ---- what kernels count


def test_every_work_of_every_kernel_is_in_the_table() -> None:
    """Whoever adds a kind of kernel, or a count, adds it to the table; and whoever removes one removes it there."""
    found: dict[str, set[str]] = {}
    board = load_board("nucleo-u575zi-q")
    for backend in ("assembly", "c"):
        platform = unpriced(board, backend)
        for drawn in draw_layers(11, 0.5, platform):
            plans = drawn.kernel.plans(drawn.operators, platform)
            for work in (work for plan in plans for work in plan.work(IDEAL) if work.assumed is None):
                assert found.setdefault(work.kind, set(work.counts)) == set(work.counts)
    assert found == {kind: set(names) for kind, names in COUNTS.items()}


@pytest.mark.parametrize("name", known_boards())
def test_the_boards_have_costs_for_the_table(name: str) -> None:
    model = load_costs(load_board(name).folder / FILE, "a test")
    assert {kind: set(coefficients) for kind, coefficients in model.kinds.items()} == {
        kind: set(names) for kind, names in COUNTS.items()
    }
