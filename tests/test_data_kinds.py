"""Data that is not one array of images with labels: several inputs, no labels, pictures, pixels as real values."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from approx_plugin.dataset import load_dataset, quantize
from approx_plugin.errors import DataError, ErrorGroup, Location
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.pictures import read_picture
from approx_plugin.spec.spec import DataSource, PixelScaling

PIXELS = np.random.RandomState(1).randint(0, 256, (7, 4, 5, 3)).astype(np.uint8)


def tensor(shape: tuple[int, ...] = (1, 4, 5, 3), scale: float = 1 / 255, zero_point: int = -128) -> Tensor:
    return Tensor(0, "input", shape, "int8", Quantization((scale,), (zero_point,)))


def source_of(file: Path) -> DataSource:
    return DataSource(file, "images", "labels", 0, None)


def where(field: str) -> Location:
    return Location(f"approx.yaml: {field}")


def test_several_inputs_by_name(tmp_path: Path) -> None:
    """Side by side in the network's order, each by its own scale."""
    first, second = np.arange(6 * 12).reshape(6, 2, 2, 3).astype(np.uint8), np.linspace(-1, 1, 18).reshape(6, 3)
    file = tmp_path / "data.npz"
    np.savez(file, a=first, b=second, labels=np.arange(6) % 4)
    named = replace(source_of(file), inputs={"right": "b", "left": "a"})
    left, right = replace(tensor((1, 2, 2, 3)), name="left"), replace(tensor((1, 3), 0.01, 5), name="right")
    tensors = (left, right)
    found = load_dataset("set", named, tensors, 4, where)
    assert found.inputs.shape == (6, 15)
    np.testing.assert_array_equal(found.inputs[:, :12], (first ^ 128).view(np.int8).reshape(6, 12))
    np.testing.assert_array_equal(found.inputs[:, 12:], quantize(second, right.scale, right.zero_point))
    for inputs, message in (
        ({}, "one array of images is for one input"),
        ({"left": "a"}, "no array for the input 'right'"),
        ({"left": "a", "right": "b", "top": "a"}, "no input is called 'top'"),
    ):
        with pytest.raises((DataError, ErrorGroup), match=message):
            load_dataset("set", replace(named, inputs=inputs), tensors, 4, where)


def test_labels_may_be_missing_where_nothing_is_searched(tmp_path: Path) -> None:
    for extra in ({}, {"labels": np.linspace(0, 1, 5)}):
        file = tmp_path / "data.npz"
        np.savez(file, images=PIXELS[:5], **extra)
        found = load_dataset("set", source_of(file), tensor(), 10, where, optional=True)
        assert not found.labelled and len(found) == 5
        with pytest.raises((DataError, ErrorGroup), match="labels"):
            load_dataset("set", source_of(file), tensor(), 10, where)


def nearest(left: int, up: int, corner: int) -> int:
    """Paeth's guess."""
    return min((left, up, corner), key=lambda one: abs(left + up - corner - one))


def png(pixels: Any, kind: int) -> bytes:
    """A PNG whose rows have one filter."""
    height, width, channels = pixels.shape
    rows = []
    for number in range(height):
        row = pixels[number].reshape(-1).astype(int)
        left = np.concatenate([np.zeros(channels, int), row[:-channels]])
        up = pixels[number - 1].reshape(-1).astype(int) if number else np.zeros_like(row)
        corner = np.concatenate([np.zeros(channels, int), up[:-channels]])
        paeth = [nearest(*three) for three in zip(left.tolist(), up.tolist(), corner.tolist())]
        guess = [np.zeros_like(row), left, up, (left + up) // 2, np.array(paeth)][kind]
        rows.append(bytes([kind]) + ((row - guess) & 255).astype(np.uint8).tobytes())
    colour = {1: 0, 3: 2, 4: 6}[channels]
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, colour, 0, 0, 0])
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    body = b"".join(len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("channels", (1, 3, 4))
def test_png_with_every_filter(kind: int, channels: int, tmp_path: Path) -> None:
    pixels = np.random.RandomState(kind).randint(0, 256, (5, 7, channels)).astype(np.uint8)
    file = tmp_path / "picture.png"
    file.write_bytes(png(pixels, kind))
    np.testing.assert_array_equal(read_picture(file), pixels)


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    """Every picture has its folder's class; grey becomes colour; what is too large is scaled."""
    shades = {}
    for number, name in enumerate(("cats", "dogs", "eels")):
        (tmp_path / name).mkdir()
        for shade in range(4):
            value = 60 * number + shade
            shades[value] = number
            content = b"P5 # grey\n4 4\n255\n" + bytes([value] * 16)
            (tmp_path / name / f"{shade}.pgm").write_bytes(content)
    found = load_dataset("set", source_of(tmp_path), tensor((1, 2, 2, 3)), 3, where)
    assert len(found) == 12 and found.labelled
    assert len(set(found.inputs[0].reshape(-1).tolist())) == 1
    assert {int(image.reshape(-1)[0]) + 128: int(label) for image, label in zip(found.inputs, found.labels)} == shades
    assert found.labels.tolist() != sorted(found.labels.tolist()), "the classes are mixed"
    part = load_dataset("set", replace(source_of(tmp_path), start=4, count=3), tensor((1, 2, 2, 3)), 3, where)
    np.testing.assert_array_equal(part.inputs, found.inputs[4:7])
    (tmp_path / "cats" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"x" * 8 + b"\x08" + b"\0" * 9)
    with pytest.raises((DataError, ErrorGroup), match=r"bad\.png cannot be read"):
        load_dataset("set", source_of(tmp_path), tensor((1, 2, 2, 3)), 3, where)


def test_pixels_become_real_values(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, images=PIXELS, labels=np.arange(len(PIXELS)))
    input_tensor = tensor(scale=1 / 127.5, zero_point=-1)
    scaled = replace(source_of(file), pixels=PixelScaling(1 / 127.5, (127.5,)))
    found = load_dataset("set", scaled, input_tensor, 10, where)
    real = (PIXELS.astype(np.float32) - np.float32(127.5)) * np.float32(1 / 127.5)
    np.testing.assert_array_equal(found.inputs, quantize(real, input_tensor.scale, -1).reshape(found.inputs.shape))
