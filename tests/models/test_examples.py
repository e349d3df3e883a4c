"""Every approx.yaml of the repository loads, and the CIFAR-10 ones say what is missing without the data."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.errors import ApproxError
from approx_plugin.spec.loader import load_spec

EXAMPLES = ("cifar10_lenet", "cifar10_alexnet", "cifar10_dscnn")
EMBEDDED = "embedded"


def test_digits(root: Path) -> None:
    spec = load_spec(root / "approx.yaml")
    assert spec.model == root / "models" / "digits_cnn.tflite"
    assert spec.project.directory == root / "build" / "digits"
    assert spec.data is not None and spec.data.exploration.images == "exploration_images"


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """examples/ and models/ as a fresh clone has them."""
    for folder in ("examples", "models"):
        shutil.copytree(
            root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("cifar10_data", "__pycache__", ".*_cache")
        )
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_cifar10(name: str, tree: Path) -> None:
    file = tree / "examples" / name / "approx.yaml"
    with pytest.raises(ApproxError) as caught:
        load_spec(file)
    assert str(caught.value).count("cifar10_data") >= 3
    data = tree / "examples" / "cifar10_data"
    data.mkdir()
    for number, part in enumerate(("calibration", "exploration", "confirmation")):
        images = np.full((2500, 32, 32, 3), number, np.uint8)
        np.savez_compressed(data / f"cifar10_{part}.npz", images=images, labels=np.zeros(2500, np.uint8))
    spec = load_spec(file)
    assert spec.project.name == name and spec.project.directory == tree / "build" / name
    assert spec.model == tree / "models" / f"{name}.tflite"
    head = file.read_text().splitlines()[0]
    assert head == "# yaml-language-server: $schema=../../schemas/approx.schema.json"


def test_schema_comments_and_boards(root: Path) -> None:
    for file in (root / "approx.yaml", *(root / "examples" / name / "approx.yaml" for name in (*EXAMPLES, EMBEDDED))):
        lines = file.read_text().splitlines()
        assert (file.parent / lines[0].partition("$schema=")[2]).is_file()
        (board,) = [line.partition(": ")[2] for line in lines if line.startswith("board:")]
        assert load_board(board).name
