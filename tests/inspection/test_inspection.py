"""`inspect`: useful about every file that somebody may give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_writer import ModelBuilder

from approx_plugin.cli import main
from approx_plugin.inspection.columns import columns
from approx_plugin.inspection.fitting import fits, smallest
from approx_plugin.spec.loader import load_spec
from approx_plugin.tflite.reader import read_graph


def weights(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 250 - 125).astype(np.int8).reshape(shape)


def small() -> ModelBuilder:
    b = ModelBuilder()
    x = b.conv2d(b.input((1, 8, 6, 3), 0.1, 3, name="pixels"), weights(4, 3, 3, 3), 0.01, scale=0.2)
    b.output(b.reshape(b.max_pool2d(x, (2, 2)), (1, 48)))
    return b


def large() -> ModelBuilder:
    """Weights that no board of ours holds."""
    b = ModelBuilder()
    x = b.input((1, 4096), 0.1)
    b.output(b.fully_connected(x, np.ones((1024, 4096), np.int8), 0.01, np.zeros(1024, np.int32), scale=0.2))
    return b


def written(builder: ModelBuilder, folder: Path, name: str = "net.tflite") -> Path:
    path = folder / name
    path.write_bytes(builder.build())
    return path


def said(path: Path, capsys: pytest.CaptureFixture[str], *more: str, status: int = 0) -> str:
    assert main(["inspect", str(path), *more]) == status
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_supported_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(written(small(), tmp_path), capsys)
    assert 'input 1/1: "pixels" int8 1x8x6x3, real = 0.1 * (q - 3)' in text
    assert "3 operators: 1 CONV_2D, 1 MAX_POOL_2D, 1 RESHAPE" in text
    assert f"supported: 3 layers, {8 * 6 * 4 * 27:,} MACs" in text
    lines = text.splitlines()
    (row,) = (line.split() for line in lines if "conv2d_0 " in line)
    assert row[:5] == ["0", "conv2d_0", "8x6x4", "5,184", "124"]
    assert {"cmsis_nn", "unpacked"} <= {name.strip(",") for name in row[5:]}
    assert any(line.split()[-1] == "view" for line in lines if "reshape_2" in line)
    assert "Smallest board that holds it: nucleo-f446re." in text and "ideal" not in text


def test_what_no_board_holds_says_what_is_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(written(large(), tmp_path), capsys)
    assert "No board holds it. Nearest is" in text and "flash short by" in text
    graph = read_graph(tmp_path / "net.tflite")
    found = fits(graph)
    assert smallest(found) is None
    for fit in found:
        assert fit.flash >= 1024 * 4096
        assert f"flash short by {fit.flash - fit.flash_room:,} bytes" in fit.verdict


def test_a_refused_network_is_shown_before_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    b = ModelBuilder()
    x = b.input((1, 4, 4, 2), 0.1)
    b.output(b.layer("COS", [x], x.shape, name="wave"))
    text = said(written(b, tmp_path), capsys, status=2)
    assert "1 operator: 1 COS (not supported)" in text
    assert 'operator 0 COS "wave": this kind is not supported' in text


def test_a_float_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    b = ModelBuilder()
    x, y = b.input((1, 4, 4, 3), dtype="float32"), b.tensor((1, 4, 4, 3), "float32")
    b.operator("RELU", [x], [y])
    b.output(y)
    text = said(written(b, tmp_path), capsys, status=2)
    assert "activations: 2 float32" in text and "the model computes in float32" in text


FOREIGN = {
    "text": (b"name: net\n", "it is a text file"),
    "half a letter at the end": (b"x" * 4095 + "é".encode(), "it is a text file"),
    "array": (b"const unsigned char net[] = {0x1c, 0, 0x54, 0x46, 0x4c, 0x33};\n", "a .tflite as a C array"),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x9a\x01", "it is an ONNX model"),
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "it is a Keras model in HDF5"),
    "keras": (b"PK\x03\x04" + bytes(22) + b"metadata.json", "it is a Keras model"),
    "torch": (b"PK\x03\x04" + bytes(22) + b"net/data.pkl", "it is a PyTorch model"),
    "zip": (b"PK\x03\x04" + bytes(60), "it is a zip archive"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a pointer of Git LFS"),
    "page": (b"\n<!DOCTYPE html>\n<html></html>", "it is a web page"),
    "noise": (bytes(range(256)), "bytes 4 to 7 are"),
}


@pytest.mark.parametrize("name", list(FOREIGN))
def test_other_files_are_recognised(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, message = FOREIGN[name]
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    text = said(path, capsys, status=2)
    assert "the file is no TensorFlow Lite model" in text and message in text and "do:" in text


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "the model cannot be read" in said(tmp_path / "none.tflite", capsys, status=2)


@pytest.mark.parametrize("name", ["net.tflite", "3d, \"odd\" 'net' # x.tflite"])
def test_the_starter_is_a_valid_spec(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, file = written(small(), tmp_path, name), tmp_path / "approx.yaml"
    assert "approx.yaml: written" in said(path, capsys, "--init", "--spec", str(file))
    spec = load_spec(file)
    assert (spec.board, spec.model.resolve()) == ("nucleo-f446re", path.resolve())
    before = file.read_bytes()
    assert "there already" in said(path, capsys, "--init", "--spec", str(file), status=2)
    assert file.read_bytes() == before
    # With the comments taken off, the part about approximation is valid as well.
    text = before.decode().replace("method: none", "# method: none", 1).replace("# method: signif", "method: signif")
    for line in ("target", "data", "  calibration", "  exploration", "  confirmation"):
        text = text.replace(f"# {line}:", f"{line}:")
    file.write_text(text)
    (tmp_path / "images.npz").write_bytes(b"")
    assert load_spec(file).method.name == "significance"


def test_options_that_belong_to_it_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "net.tflite"])
    assert "are for inspect" in capsys.readouterr().err
    assert main(["inspect", "--init"]) == 2
    assert "--init needs a model" in capsys.readouterr().err


def test_columns() -> None:
    rows: Any = [("a", "1"), ("long", "22")]
    assert list(columns(("n", "x"), rows, "lr")) == ["n      x", "a      1", "long  22"]
