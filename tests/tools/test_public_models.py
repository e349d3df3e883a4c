"""The table of models: what is told as wrong, and what is done only once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import public_models
import pytest
from tflite_writer import ModelBuilder

RIGHT: dict[str, Any] = {
    "key": "a 1",
    "model": "a",
    "layers": 3,
    "macs": 1000,
    "states": 0,
    "equal": 20,
    "inputs": 20,
    "off": 0,
    "board": "nucleo-f446re",
    "board_name": "NUCLEO-F446RE",
    "seconds": 3.2,
    "verified": [20, 20],
    "flash": 10240,
    "ram": 2048,
    "cmsis_nn": {"cycles": 4000, "flash": 9000, "ram": 2000},
    "exact": {"cycles": 1000, "flash": 10240, "ram": 2048},
    "missing": {},
}


def test_a_line_of_the_table() -> None:
    lines = list(public_models.document([RIGHT]))
    assert "| a | 3 | 1,000 | NUCLEO-F446RE | 10 | 2 | 4,000 | 1,000 | 4.00x | 20 of 20 | 20 of 20 | 3 |" in lines
    assert any(line.startswith("1 models: 1 generated") or line.startswith("1 model: 1 generated") for line in lines)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, False),
        ({"equal": 19, "off": 2}, True),
        ({"equal": 0, "no_oracle": "it refuses"}, False),
        ({"verified": [19, 20]}, True),
        ({"verified": []}, True),
        ({"failed": "generate: no space"}, True),
    ],
)
def test_what_is_wrong(change: dict[str, Any], wrong: bool) -> None:
    assert public_models.wrong({**RIGHT, **change}) is wrong


def test_what_is_below_the_table() -> None:
    short = {key: RIGHT[key] for key in ("key", "model", "layers", "macs", "equal", "inputs", "off")}
    text = "\n".join(
        public_models.document([{**short, "short": "BOARD: RAM short by 5 bytes"}, {"model": "b", "refused": "float"}])
    )
    assert (
        "`a` (3 layers, 1,000 MACs, BUILTIN_REF 20 of 20): fits no board; nearest is BOARD: RAM short by 5 bytes"
        in text
    )
    assert "`b`: refused float" in text


def test_a_record_is_taken_up_again(tmp_path: Path) -> None:
    """The second run finds the model in the record; what is refused is told once."""
    builder = ModelBuilder()
    x = builder.input((1, 4), dtype="float32")
    builder.output(builder.layer("RELU", [x], (1, 4)))
    folder, record = tmp_path / "models", tmp_path / "record"
    folder.mkdir()
    (folder / "float.tflite").write_bytes(builder.build())
    arguments = [str(folder), "--record", str(record), "--document", str(tmp_path / "models.md")]
    assert public_models.main(arguments) == public_models.main(arguments) == 0
    (row,) = map(json.loads, record.read_text(encoding="utf-8").splitlines())
    assert "float32" in row["refused"]
    assert "`float`: refused" in (tmp_path / "models.md").read_text(encoding="utf-8")
