from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_cases import bench, published

from approx_plugin.bench.document import as_json, json_text
from approx_plugin.bench.output import folder, save
from approx_plugin.bench.published import load_published
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.errors import ProjectError
from approx_plugin.hashes import sha256

COUNTS = ("cycles", "ideal_cycles", "instructions")
BOARD_KEYS = ("board", "name", "mcu", "core", "clock_hz", "model_error", "variants", "missing", "notes", "published")
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "cycles", "network", "model", "macs", "cmsis_nn", "tool", "variants", "boards"],
    "properties": {
        "format": {"const": 3},
        "cycles": {"const": "simulated"},
        "network": {"type": "string"},
        "model": {"type": "object"},
        "macs": {"type": "integer"},
        "cmsis_nn": {"required": ["provider", "version", "is_baseline"]},
        "tool": {"required": ["version", "compiler"]},
        "variants": {"type": "object", "additionalProperties": {"type": "string"}},
        "published_source": {"type": "string"},
        "boards": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": [*BOARD_KEYS],
                "properties": {key: {} for key in BOARD_KEYS},
            },
        },
    },
}


def test_the_document_keeps_its_form() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(json_text(bench(), published())), SCHEMA)


@pytest.mark.parametrize("is_baseline", [True, False])
def test_figures_add_up_and_derived_ones_follow(is_baseline: bool) -> None:
    document = json.loads(json_text(bench(is_baseline=is_baseline), published()))
    for board in document["boards"]:
        baseline = board["variants"]["cmsis_nn"]["total"]["cycles"]
        for variant in board["variants"].values():
            total, layers = variant["total"], variant["layers"]
            for key in COUNTS:
                assert total[key] == sum(layer[key] for layer in layers)
            for key in total["stalls"]:
                assert total["stalls"][key] == sum(layer["stalls"][key] for layer in layers)
            assert sum(layer["macs"] for layer in layers) == document["macs"]
            assert total["cycles_per_mac"] == pytest.approx(total["cycles"] / document["macs"])
            assert total["milliseconds"] == pytest.approx(1000 * total["cycles"] / board["clock_hz"])
            expected = pytest.approx(baseline / total["cycles"]) if is_baseline else None
            assert total["speedup"] == expected


def test_published_figures_belong_to_the_board_by_its_id() -> None:
    boards = as_json(bench(), published())["boards"]
    assert [len(board["published"]) for board in boards] == [3, 0, 1, 0]
    assert [board["board"] for board in boards[:2]] == ["nucleo-l4r5zi", "nucleo-l4r5zi-single-bank"]


def test_the_output_lies_beside_the_project_and_is_the_same_each_time(tmp_path: Path) -> None:
    directory = folder(tmp_path / "digits")
    assert directory == tmp_path / "digits_bench"
    save(bench(), published(), directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert {"bench.html", "bench.json", "bench.txt", "bench.svg"} <= set(before)
    save(bench(), published(), directory)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    (directory / "bench.txt").write_text("scribbled over")
    save(bench(), published(), directory)
    assert (directory / "bench.txt").read_bytes() == before["bench.txt"]


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ProjectError):
        save(bench(), published(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_table_of_published_figures_is_sound() -> None:
    table = load_published()
    assert len(table.references) == 4
    for references in table.references.values():
        assert {reference.board for reference in references} <= set(known_boards())
        assert table.baseline in {reference.engine for reference in references}
        assert all(0 < reference.low <= reference.high < 10 for reference in references)
        # Nobody has said of a figure that a board was in another setting than the delivered one.
        assert not any(load_board(reference.board).based_on for reference in references)
    for name in known_boards():
        assert load_board(name).core in table.errors


def test_published_figures_are_found_by_the_models_own_bytes(shared: Path) -> None:
    files = {sha256(path.read_bytes()) for path in (shared / "models").glob("mlperf_tiny_*.tflite")}
    assert set(load_published().references) == files
