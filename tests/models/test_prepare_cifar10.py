"""CIFAR-10's archive to .npz, on an archive of the same form with fewer images."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepare_cifar10 import Sizes, main

SIZES = Sizes(batch=40, calibration=3, exploration=12, confirmation=20)
NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def batches() -> dict[str, dict[bytes, Any]]:
    rng = np.random.RandomState(0)
    return {
        name: {
            b"data": rng.randint(0, 256, (40, 3072)).astype(np.uint8),
            b"labels": [int(label) for label in rng.permutation(np.arange(40) % 10)],
            b"batch_label": name.encode(),
        }
        for name in NAMES
    }


def write(path: Path, files: dict[str, Any], folder: str = "cifar-10-batches-py") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_sets(tmp_path: Path) -> None:
    files = batches()
    archive = write(tmp_path / "cifar.tar.gz", files)
    assert main([str(archive), "--output", str(tmp_path / "out")], SIZES) == 0
    sets = {path.stem: dict(np.load(path)) for path in (tmp_path / "out").iterdir()}
    assert {name: len(values["labels"]) for name, values in sets.items()} == {
        "cifar10_train": 200,
        "cifar10_calibration": 30,
        "cifar10_exploration": 12,
        "cifar10_confirmation": 20,
    }
    for values in sets.values():
        assert values["images"].dtype == values["labels"].dtype == np.uint8
        assert values["images"].shape[1:] == (32, 32, 3)
    # Pixel (5, 9) of test image 14: red, green and blue lie 1024 apart.
    raw = files["test_batch"][b"data"][14]
    np.testing.assert_array_equal(sets["cifar10_confirmation"]["images"][2, 5, 9], raw[5 * 32 + 9 :: 1024])
    assert sets["cifar10_confirmation"]["labels"][2] == files["test_batch"][b"labels"][14]
    calibration = sets["cifar10_calibration"]["labels"]
    np.testing.assert_array_equal(np.bincount(calibration), [3] * 10)
    # The first three of a class, in the order of the training set.
    training = sets["cifar10_train"]
    first = np.sort(np.concatenate([np.flatnonzero(training["labels"] == label)[:3] for label in range(10)]))
    np.testing.assert_array_equal(sets["cifar10_calibration"]["images"], training["images"][first])


class Trap:
    def __reduce__(self) -> Any:
        return print, ("this must not be called",)


def without(name: str) -> dict[str, Any]:
    return {other: content for other, content in batches().items() if other != name}


def changed(key: bytes, value: Any) -> dict[str, Any]:
    files = batches()
    files["data_batch_3"][key] = value
    return files


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (without("data_batch_4"), "no file cifar-10-batches-py/data_batch_4"),
        (changed(b"data", np.zeros((40, 3000), np.uint8)), "(40, 3000)"),
        (changed(b"data", np.zeros((40, 3072), np.float32)), "float32"),
        (changed(b"labels", [1] * 39), "labels (39,)"),
        (changed(b"labels", [10] * 40), "from 10 to 10"),
        (changed(b"labels", Trap()), "has no business"),
        ({**batches(), "test_batch": b"no pickle"}, "test_batch cannot be read"),
    ],
)
def test_wrong_archives(files: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = write(tmp_path / "cifar.tar.gz", files)
    assert main([str(archive), "--output", str(tmp_path / "out")], SIZES) == 2
    captured = capsys.readouterr()
    assert message in captured.err and str(archive) in captured.err and "download" in captured.err
    assert captured.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"not a tar", b"\x1f\x8b\x08\x00cut"])
def test_no_archive(content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cifar.tar.gz"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path), "--output", str(tmp_path / "out")], SIZES) == 2
    assert "error:" in capsys.readouterr().err


def test_truncated_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "cifar.tar.gz", batches())
    path.write_bytes(path.read_bytes()[:-200000])
    assert main([str(path), "--output", str(tmp_path / "out")], SIZES) == 2
    assert "no readable tar archive" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_too_few_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = write(tmp_path / "cifar.tar.gz", batches())
    few = Sizes(batch=40, calibration=21, exploration=12, confirmation=20)
    assert main([str(archive), "--output", str(tmp_path / "out")], few) == 2
    assert "20 training images" in capsys.readouterr().err
    few = Sizes(batch=40, calibration=3, exploration=30, confirmation=20)
    assert main([str(archive), "--output", str(tmp_path / "out")], few) == 2
    assert "40 test images" in capsys.readouterr().err


def test_output_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = write(tmp_path / "cifar.tar.gz", batches())
    assert main([str(archive), "--output", str(archive)], SIZES) == 2
    assert "cannot be written" in capsys.readouterr().err
